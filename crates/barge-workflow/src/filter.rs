//! The filters of `on:`: `branches`, `tags` and their `-ignore` forms.
//!
//! Follows the filter pattern cheat sheet of GitHub's workflow syntax, which is neither a shell's glob nor a regular
//! expression: `*` stays within one part of a name, `**` crosses parts, `?` and `+` repeat what stands before them, `[]`
//! lists characters, and a leading `!` takes names out again.

use regex::bytes::{Regex, RegexBuilder};

const PROGRAM_LIMIT: usize = 1 << 16;

/// One pattern.
#[derive(Debug, Clone)]
pub struct Filter {
    regex: Regex,
    excludes: bool,
}

impl Filter {
    /// Reads a pattern; nothing for one whose meaning is not known.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (excludes, pattern) = match text.strip_prefix('!') {
            Some(pattern) => (true, pattern),
            None => (false, text),
        };
        let program = format!("^(?:{})$", program(pattern)?);
        let mut builder = RegexBuilder::new(&program);
        builder.unicode(false).dot_matches_new_line(true);
        let regex = builder.size_limit(PROGRAM_LIMIT).build().ok()?;
        Some(Self { regex, excludes })
    }

    /// Whether the pattern covers the whole name.
    #[must_use]
    pub fn is_match(&self, name: &str) -> bool {
        self.regex.is_match(name.as_bytes())
    }
}

/// Whether a list of patterns lets a name in: the last pattern that covers it decides. Nothing when one cannot be read.
#[must_use]
pub fn admits(patterns: &[String], name: &str) -> Option<bool> {
    patterns.iter().try_fold(false, |admitted, pattern| {
        let filter = Filter::parse(pattern)?;
        Some(if filter.is_match(name) {
            !filter.excludes
        } else {
            admitted
        })
    })
}

/// The regular expression of a pattern.
fn program(pattern: &str) -> Option<String> {
    let mut program = String::new();
    let mut rest = pattern;
    while let Some(character) = rest.chars().next() {
        let at_part = rest.len() == pattern.len() || program.ends_with("(?:/)");
        let (item, length) = match character {
            // `**/` also stands for no part at all.
            '*' if at_part && rest.starts_with("**/") => ("(?:.*/)?".to_owned(), 3),
            '*' if rest.starts_with("**") => ("(?:.*)".to_owned(), 2),
            '*' => ("(?:[^/]*)".to_owned(), 1),
            '?' | '+' if program.is_empty() => return None,
            '?' | '+' => (character.to_string(), 1),
            '[' => class(rest)?,
            '\\' => {
                let escaped = rest.chars().nth(1)?;
                (literal(escaped), 1 + escaped.len_utf8())
            }
            _ => (literal(character), character.len_utf8()),
        };
        program.push_str(&item);
        rest = rest.get(length..)?;
    }
    Some(program)
}

fn literal(character: char) -> String {
    format!("(?:{})", regex::escape(character.encode_utf8(&mut [0; 4])))
}

/// `[...]` at the start of a text, and its length.
fn class(text: &str) -> Option<(String, usize)> {
    let end = text.find(']')?;
    let listed = text.get(1..end)?;
    if listed.is_empty() || !listed.is_ascii() || listed.starts_with(['^', '!']) {
        return None;
    }
    let range = |at: usize| {
        let ends = [at.checked_sub(1)?, at + 1].map(|at| listed.as_bytes().get(at).copied());
        Some(matches!(ends, [Some(from), Some(to)] if from.is_ascii_alphanumeric() && from <= to))
    };
    let mut class = String::from("[");
    for (at, character) in listed.char_indices() {
        let is_range = character == '-' && range(at).unwrap_or(false);
        if !character.is_ascii_alphanumeric() && !is_range {
            class.push('\\');
        }
        class.push(character);
    }
    class.push(']');
    Some((class, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of GitHub's cheat sheet: patterns, names they cover, names they do not.
    const ROWS: &[(&[&str], &[&str], &[&str])] = &[
        (
            &["feature/*"],
            &["feature/my-branch", "feature/your-branch"],
            &["feature/a/b", "feature"],
        ),
        (
            &["feature/**"],
            &[
                "feature/beta-a/my-branch",
                "feature/your-branch",
                "feature/mona/the/octocat",
            ],
            &["features/a", "feature"],
        ),
        (
            &["main", "releases/mona-the-octocat"],
            &["main", "releases/mona-the-octocat"],
            &["mainly", "a/main"],
        ),
        (&["*"], &["main", "releases"], &["releases/v1"]),
        (&["**"], &["all/the/branches", "every/tag", "main"], &[]),
        (
            &["*feature"],
            &["mona-feature", "feature", "ver-10-feature"],
            &["a/feature"],
        ),
        (&["v2*"], &["v2", "v2.0", "v2.9"], &["v1", "v2/a"]),
        (
            &["v[12].[0-9]+.[0-9]+"],
            &["v1.10.1", "v2.0.0"],
            &["v3.0.0", "v1x0.0", "v1.0", "v1.0.0-rc"],
        ),
        (&["*.jsx?"], &["page.js", "page.jsx"], &["page.jsxx"]),
        (&["*.js"], &["app.js", "index.js"], &["js/index.js"]),
        (
            &["**.js"],
            &["index.js", "js/index.js", "src/js/app.js"],
            &["index.ts"],
        ),
        (
            &["docs/*"],
            &["docs/README.md", "docs/file.txt"],
            &["docs/a/b"],
        ),
        (
            &["docs/**/*.md"],
            &[
                "docs/README.md",
                "docs/mona/hello-world.md",
                "docs/a/markdown/file.md",
            ],
            &["docs.md", "docs/a.mdx"],
        ),
        (
            &["**/docs/**"],
            &[
                "docs/hello.md",
                "dir/docs/my-file.txt",
                "space/docs/plan/space.doc",
            ],
            &["adocs/x"],
        ),
        (
            &["**/README.md"],
            &["README.md", "js/README.md"],
            &["js/XREADME.md"],
        ),
        (
            &["**/*src/**"],
            &["a/src/app.js", "my-src/code/js/app.js"],
            &["src2/a"],
        ),
        (
            &["**/*-post.md"],
            &["my-post.md", "path/their-post.md"],
            &["my-post.mdx"],
        ),
        (
            &["**/migrate-*.sql"],
            &[
                "migrate-10909.sql",
                "db/migrate-v1.0.sql",
                "db/sept/migrate-v1.sql",
            ],
            &["migrate.sql"],
        ),
        (
            &["*.md", "!README.md"],
            &["hello.md"],
            &["README.md", "docs/hello.md"],
        ),
        (
            &["*.md", "!README.md", "README*"],
            &["hello.md", "README.md", "README.doc"],
            &[],
        ),
        (&["!main"], &[], &["main", "other"]),
        (&["é?x"], &["éx", "x"], &["ex"]),
        (&["a\\*b", "c\\+"], &["a*b", "c+"], &["axb", "cc"]),
        (&["v[0-9.]", "w[a-]"], &["v1", "v.", "w-"], &["v-", "wb"]),
        (&["a.b"], &["a.b"], &["axb"]),
    ];

    #[test]
    fn the_rows_of_the_cheat_sheet() {
        for (patterns, covered, others) in ROWS {
            let patterns: Vec<String> = patterns.iter().map(|one| (*one).to_owned()).collect();
            for name in *covered {
                assert_eq!(admits(&patterns, name), Some(true), "{patterns:?} {name}");
            }
            for name in *others {
                assert_eq!(admits(&patterns, name), Some(false), "{patterns:?} {name}");
            }
        }
    }

    #[test]
    fn what_is_not_known_decides_nothing() {
        for pattern in ["[a", "[]", "[^a]", "?", "+a", "a\\", "[z-a"] {
            assert!(Filter::parse(pattern).is_none(), "{pattern}");
        }
        assert!(Filter::parse(&"[a-z]+".repeat(50_000)).is_none());
    }
}
