//! Logical lines: parser directives, comments, continuations and here-documents.

use super::error::ParseError;
use super::expand;
use super::instruction::{Heredoc, Span};

/// A logical line: an instruction with its continuations joined.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) span: Span,
    pub(super) text: String,
    pub(super) heredocs: Vec<Heredoc>,
}

/// The comments at the top that speak to the parser.
#[derive(Debug)]
pub(super) struct Directives {
    pub(super) escape: char,
    pub(super) syntax: Option<(usize, String)>,
    pub(super) check: Option<String>,
}

/// Splits a Dockerfile into logical lines.
pub(super) fn split(text: &str) -> Result<(Directives, Vec<Line>), ParseError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let physical: Vec<&str> = text.lines().collect();
    let directives = directives(&physical)?;
    let mut scanner = Scanner {
        physical: &physical,
        next: 0,
        escape: directives.escape,
    };
    let mut lines = Vec::new();
    while let Some(line) = scanner.line()? {
        lines.push(line);
    }
    Ok((directives, lines))
}

fn directives(physical: &[&str]) -> Result<Directives, ParseError> {
    let mut found = Directives {
        escape: '\\',
        syntax: None,
        check: None,
    };
    let mut seen: Vec<String> = Vec::new();
    for (index, line) in physical.iter().enumerate() {
        let number = index + 1;
        let Some((name, value)) = directive(line) else {
            break;
        };
        if seen.contains(&name) {
            return Err(ParseError::new(
                number,
                line,
                "this directive was given before",
            ));
        }
        match name.as_str() {
            "syntax" => found.syntax = Some((number, value)),
            "check" => found.check = Some(value),
            "escape" => {
                found.escape = match value.as_str() {
                    "\\" => '\\',
                    "`" => '`',
                    _ => {
                        let reason = "the escape character must be a backslash or a backtick";
                        return Err(ParseError::new(number, line, reason));
                    }
                }
            }
            // An unknown name makes the line a comment, and directives end at the first comment.
            _ => break,
        }
        seen.push(name);
    }
    Ok(found)
}

fn directive(line: &str) -> Option<(String, String)> {
    let (name, value) = line.trim().strip_prefix('#')?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric());
    (is_name && !value.is_empty()).then(|| (name.to_ascii_lowercase(), value.to_owned()))
}

struct Scanner<'a> {
    physical: &'a [&'a str],
    next: usize,
    escape: char,
}

impl Scanner<'_> {
    fn line(&mut self) -> Result<Option<Line>, ParseError> {
        let Some(first) = self.skip_comments() else {
            return Ok(None);
        };
        let (mut text, mut goes_on) = self.continuation(self.physical[first].trim_start());
        self.next = first + 1;
        while goes_on && let Some(line) = self.physical.get(self.next) {
            self.next += 1;
            // Comments and empty lines inside a continuation vanish.
            if is_comment(line) || line.trim().is_empty() {
                continue;
            }
            let (part, more) = self.continuation(line);
            text.push_str(&part);
            goes_on = more;
        }
        let heredocs = self.heredocs(first + 1, &text)?;
        let span = Span {
            first: first + 1,
            last: self.next,
        };
        Ok(Some(Line {
            span,
            text: text.trim().to_owned(),
            heredocs,
        }))
    }

    fn skip_comments(&self) -> Option<usize> {
        (self.next..self.physical.len()).find(|index| {
            let line = self.physical[*index];
            !is_comment(line) && !line.trim().is_empty()
        })
    }

    /// The line without its continuation mark, and whether it had one: an escape character that is not itself escaped
    /// and has only blanks behind it.
    fn continuation(&self, line: &str) -> (String, bool) {
        let trimmed = line.trim_end_matches([' ', '\t', '\r']);
        match trimmed.strip_suffix(self.escape) {
            Some(rest) if !rest.ends_with(self.escape) => (rest.to_owned(), true),
            _ => (line.to_owned(), false),
        }
    }

    fn heredocs(&mut self, line: usize, text: &str) -> Result<Vec<Heredoc>, ParseError> {
        let mut keywords = text.split_whitespace().map(str::to_ascii_uppercase);
        if !matches!(keywords.next().as_deref(), Some("ADD" | "COPY" | "RUN")) {
            return Ok(Vec::new());
        }
        let mut heredocs = Vec::new();
        for word in quoted_words(text) {
            if let Some(mark) = heredoc_mark(word, self.escape) {
                heredocs.push(self.heredoc(line, text, mark)?);
            }
        }
        Ok(heredocs)
    }

    fn heredoc(&mut self, line: usize, text: &str, mark: Mark) -> Result<Heredoc, ParseError> {
        let mut content = String::new();
        while let Some(physical) = self.physical.get(self.next) {
            self.next += 1;
            let body = if mark.strips_tabs {
                physical.trim_start_matches('\t')
            } else {
                physical
            };
            if body == mark.name {
                return Ok(Heredoc {
                    name: mark.name,
                    content,
                    expand: mark.expand,
                });
            }
            content.push_str(body);
            content.push('\n');
        }
        let reason = format!("the here-document `{}` is not ended", mark.name);
        Err(ParseError::new(line, text, reason))
    }
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

struct Mark {
    name: String,
    expand: bool,
    strips_tabs: bool,
}

/// Reads `<<NAME`, `<<-NAME`, `3<<"NAME"`.
fn heredoc_mark(word: &str, escape: char) -> Option<Mark> {
    let word = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = word.strip_prefix("<<")?;
    let (strips_tabs, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    if rest.is_empty() || rest.contains('<') {
        return None;
    }
    let name = expand::word(rest, escape, &|_| None).ok()?;
    let expand = name == rest;
    (!name.is_empty() && !name.contains(char::is_whitespace)).then_some(Mark {
        name,
        expand,
        strips_tabs,
    })
}

/// Whether a word of `COPY` or `ADD` stands for a here-document.
pub(super) fn is_heredoc(word: &str, escape: char) -> bool {
    heredoc_mark(word, escape).is_some()
}

/// The words of a text, split at blanks outside quotes.
pub(super) fn quoted_words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut quote) = (None, None);
    for (index, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                start.get_or_insert(index);
            }
            (None, _) if character.is_whitespace() => {
                words.extend(start.take().map(|from| &text[from..index]));
            }
            _ => {
                start.get_or_insert(index);
            }
        }
    }
    words.extend(start.map(|from| &text[from..]));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(dockerfile: &str) -> Vec<(usize, usize, String)> {
        split(dockerfile)
            .unwrap()
            .1
            .into_iter()
            .map(|line| (line.span.first, line.span.last, line.text))
            .collect()
    }

    #[test]
    fn joins_continuations_over_comments_and_empty_lines() {
        let text = "# c\nENV a=1 \\\n# inside\n\n  b=2 \\  \n c=3\nLABEL x=\\\\\nUSER u";
        let expected = [
            (2, 6, "ENV a=1   b=2  c=3".to_owned()),
            (7, 7, "LABEL x=\\\\".to_owned()),
            (8, 8, "USER u".to_owned()),
        ];
        assert_eq!(texts(text), expected);
    }

    #[test]
    fn directives_end_at_the_first_other_line() {
        let (found, lines) =
            split("# syntax=docker/dockerfile:1\n#escape = `\n# note\n# check=x\nA `\nb").unwrap();
        assert_eq!(found.escape, '`');
        assert_eq!(found.syntax, Some((1, "docker/dockerfile:1".into())));
        assert_eq!(found.check, None);
        assert_eq!(lines[0].text, "A b");
        assert!(split("# escape=x\n").is_err());
        assert!(split("# escape=`\n# escape=`\n").is_err());
    }

    #[test]
    fn reads_heredocs() {
        let text = "COPY <<a <<-'b c' <<-\"d\" /x\n1 $v\n\ta\na\n\t2\n\td\nUSER u\n";
        let (_, lines) = split(text).unwrap();
        let heredocs: Vec<_> = lines[0]
            .heredocs
            .iter()
            .map(|doc| (doc.name.as_str(), doc.content.as_str(), doc.expand))
            .collect();
        assert_eq!(heredocs, [("a", "1 $v\n\ta\n", true), ("d", "2\n", false)]);
        assert_eq!(lines[1].span.first, 7);
        assert!(split("RUN <<EOF\nx\n").is_err());
        assert!(texts("ENV a=<<EOF\nUSER x").len() == 2);
    }
}
