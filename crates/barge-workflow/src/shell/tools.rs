//! Text tools of pipelines (`tr`, `cut`, `sed`, `head`) on partly known texts.
//!
//! What a tool does to an unknown becomes an unknown named by the tool, its arguments and its input, so that the same
//! derivation in two places is recognised as the same value.

use regex::bytes::RegexBuilder;

use crate::symbolic::{Shape, Symbol, Text, Value};

/// The output of a text tool for an input; nothing for programs that are none.
#[must_use]
pub fn apply(program: &str, arguments: &[Text], input: &Text) -> Option<Value> {
    let literals: Vec<&str> = arguments.iter().filter_map(Text::as_literal).collect();
    if literals.len() != arguments.len() {
        return matches!(
            program,
            "tr" | "sed" | "cut" | "awk" | "grep" | "head" | "tail"
        )
        .then(|| derived(program, arguments, input));
    }
    let result = match (program, literals.as_slice()) {
        ("tr", [from, to]) if is_upper(from) && is_lower(to) => Some(input.lower()),
        ("tr", ["-d", set]) => delete(input, set),
        ("tr", [from, to]) => translate(input, from, to),
        ("cat" | "tee" | "xargs" | "sort" | "uniq", []) => Some(input.trim()),
        ("sort" | "uniq", _) => input
            .as_literal()
            .filter(|text| !text.trim().contains('\n'))
            .map(Text::literal),
        ("head", ["-n1" | "-1"] | ["-n", "1"]) => first_line(input),
        ("tail", ["-n1" | "-1"] | ["-n", "1"]) => last_line(input),
        ("cut", rest) => cut(input, rest),
        ("sed", [script] | ["-e" | "-E" | "-r", script]) => sed(input, script),
        ("awk", [script]) if script.trim() == "{print $1}" || script.trim() == "{ print $1 }" => {
            first_word(input)
        }
        ("awk", [script]) if script.contains("tolower($0)") => Some(input.lower()),
        ("basename", _)
        | ("dirname", _)
        | ("grep" | "awk" | "jq" | "yq" | "rev" | "wc" | "base64" | "sha256sum", _) => None,
        _ => return None,
    };
    Some(result.map_or_else(|| derived(program, arguments, input), Value::from))
}

/// Whether `grep` finds its pattern in a known text; nothing for what is not followed.
#[must_use]
pub fn grep_finds(arguments: &[Text], text: &str) -> Option<bool> {
    const PROGRAM_LIMIT: usize = 1 << 16;
    let words: Vec<&str> = arguments
        .iter()
        .map(Text::as_literal)
        .collect::<Option<_>>()?;
    let (flags, patterns): (Vec<&str>, Vec<&str>) =
        words.into_iter().partition(|word| word.starts_with('-'));
    let [pattern] = patterns.as_slice() else {
        return None;
    };
    let flags: Vec<char> = flags.iter().flat_map(|flag| flag.chars().skip(1)).collect();
    if flags
        .iter()
        .any(|flag| !matches!(flag, 'E' | 'i' | 'q' | 's'))
    {
        return None;
    }
    // Without -E these characters mean something else.
    if !flags.contains(&'E') && pattern.contains(['\\', '+', '?', '(', ')', '{', '}', '|']) {
        return None;
    }
    let built = RegexBuilder::new(pattern)
        .unicode(false)
        .case_insensitive(flags.contains(&'i'))
        .size_limit(PROGRAM_LIMIT)
        .build();
    let regex = built.ok()?;
    Some(text.lines().any(|line| regex.is_match(line.as_bytes())))
}

/// The unknown that a tool makes of an input.
#[must_use]
pub fn derived(program: &str, arguments: &[Text], input: &Text) -> Value {
    let arguments: Vec<String> = arguments.iter().map(Text::describe).collect();
    Value::unknown(
        format!("{program} {} <<< {}", arguments.join(" "), input.describe()),
        Shape::Text,
    )
}

fn is_upper(set: &str) -> bool {
    matches!(set, "[:upper:]" | "A-Z" | "[A-Z]" | "'[:upper:]'")
}

fn is_lower(set: &str) -> bool {
    matches!(set, "[:lower:]" | "a-z" | "[a-z]" | "'[:lower:]'")
}

fn shape_change(tool: &'static str) -> impl Fn(&std::sync::Arc<Symbol>) -> std::sync::Arc<Symbol> {
    move |symbol| match symbol.shape() {
        Shape::Digits | Shape::Hexadecimal => std::sync::Arc::clone(symbol),
        shape => Symbol::new(format!("{tool}({})", symbol.name()), shape),
    }
}

fn delete(input: &Text, set: &str) -> Option<Text> {
    let unwanted: Vec<char> = match set {
        "\\n" | "\n" | "[:space:]" | "\\r\\n" | "\\n\\r" | "\\r" => vec!['\n', '\r', ' '],
        "\"" | "'" | " " => set.chars().collect(),
        _ => return None,
    };
    Some(input.map(
        |text| text.chars().filter(|c| !unwanted.contains(c)).collect(),
        std::sync::Arc::clone,
    ))
}

fn translate(input: &Text, from: &str, to: &str) -> Option<Text> {
    let unescape = |text: &str| match text {
        "\\n" => "\n".to_owned(),
        "\\t" => "\t".to_owned(),
        other => other.to_owned(),
    };
    let (from, to) = (unescape(from), unescape(to));
    let (mut first, mut second) = (from.chars(), to.chars());
    match (first.next(), first.next(), second.next(), second.next()) {
        (Some(from), None, Some(to), None) => {
            let shown: &'static str = if from == '/' {
                "slashes replaced"
            } else {
                "translated"
            };
            Some(input.map(
                |text| text.replace(from, &to.to_string()),
                shape_change(shown),
            ))
        }
        _ => None,
    }
}

fn first_line(input: &Text) -> Option<Text> {
    match input.split_first('\n') {
        Some((first, _)) => Some(first),
        None if input
            .symbols()
            .all(|symbol| !matches!(symbol.shape(), Shape::Any | Shape::Text)) =>
        {
            Some(input.clone())
        }
        None => None,
    }
}

fn last_line(input: &Text) -> Option<Text> {
    let trimmed = input.trim();
    match trimmed.split_last('\n') {
        Some((_, last)) => Some(last),
        None => first_line(&trimmed),
    }
}

fn first_word(input: &Text) -> Option<Text> {
    let trimmed = input.trim();
    match trimmed.split_first(' ') {
        Some((first, _)) => Some(first),
        None if trimmed.as_literal().is_some() => Some(trimmed),
        None => None,
    }
}

fn cut(input: &Text, arguments: &[&str]) -> Option<Text> {
    let joined = arguments.join(" ");
    let text = input.as_literal().map(str::trim_end);
    if let Some(range) = joined.strip_prefix("-c") {
        let end = leading_characters(range.trim())?;
        return match (text, input.trim().as_symbol()) {
            (Some(text), _) if !text.contains('\n') => {
                Some(Text::literal(text.chars().take(end).collect::<String>()))
            }
            (None, Some(symbol)) => Some(shortened(symbol, end)),
            _ => None,
        };
    }
    let delimiter = joined
        .split("-d")
        .nth(1)?
        .trim_start()
        .trim_start_matches(['\'', '"'])
        .chars()
        .next()?;
    let field: usize = joined
        .split("-f")
        .nth(1)?
        .trim()
        .split([' ', '-', ','])
        .next()?
        .parse()
        .ok()?;
    let exact = joined
        .split("-f")
        .nth(1)?
        .trim()
        .chars()
        .all(|c| c.is_ascii_digit() || c == ' ' || c == '-');
    if !exact || joined.contains("--") {
        return None;
    }
    let range = joined.split("-f").nth(1)?.trim().ends_with('-');
    let parts = input.trim().split(|c| c == delimiter);
    // An unknown could hold the delimiter: the fields are certain only where none comes before them.
    let certain = parts
        .iter()
        .take(field)
        .all(|part| part.symbols().all(|symbol| !symbol.may_hold(delimiter)));
    if !certain || range {
        return None;
    }
    Some(
        parts
            .get(field.checked_sub(1)?)
            .cloned()
            .unwrap_or_default(),
    )
}

/// How many characters `cut -c` keeps of a line, when they are the first ones: `1-12`, `-12` or `1`.
fn leading_characters(range: &str) -> Option<usize> {
    let end = range
        .strip_prefix("1-")
        .or_else(|| range.strip_prefix('-'))
        .or(Some(range).filter(|range| *range == "1"))?;
    end.parse().ok().filter(|count| *count > 0)
}

fn shortened(symbol: &std::sync::Arc<Symbol>, length: usize) -> Text {
    Text::symbol(Symbol::new(
        format!("{}[..{length}]", symbol.name()),
        symbol.shape(),
    ))
}

/// `s/from/to/flags` with a pattern that has no special characters.
fn sed(input: &Text, script: &str) -> Option<Text> {
    let rest = script.strip_prefix('s')?;
    let separator = rest.chars().next()?;
    let mut fields = rest.get(separator.len_utf8()..)?.split(separator);
    let (from, to, flags) = (
        fields.next()?,
        fields.next()?,
        fields.next().unwrap_or_default(),
    );
    if fields.next().is_some() {
        return None;
    }
    if from == ".*" && to == "\\L&" {
        return Some(input.lower());
    }
    if to.contains(['\\', '&']) {
        return None;
    }
    if let Some(prefix) = from
        .strip_prefix('^')
        .filter(|prefix| is_plain(prefix) && to.is_empty())
    {
        return strip_known_start(input, &prefix.replace('\\', ""));
    }
    let plain = from.replace("\\/", "/").replace("\\.", ".");
    if !is_plain(&plain.replace('.', ""))
        || plain.is_empty()
        || (from.contains('.') && !from.contains("\\."))
    {
        return None;
    }
    if flags == "g" || input.as_literal().is_some() {
        let all = flags.contains('g');
        let change = |text: &str| {
            if all {
                text.replace(&plain, to)
            } else {
                text.replacen(&plain, to, 1)
            }
        };
        let tool: &'static str = if plain == "/" {
            "slashes replaced"
        } else {
            "edited"
        };
        let can_hold = input
            .symbols()
            .any(|symbol| plain.chars().all(|c| symbol.may_hold(c)));
        if can_hold && plain.chars().count() != 1 {
            return None;
        }
        return Some(input.map(change, shape_change(tool)));
    }
    None
}

fn is_plain(pattern: &str) -> bool {
    !pattern.contains([
        '*', '[', ']', '?', '+', '(', ')', '$', '^', '|', '\\', '{', '}',
    ])
}

fn strip_known_start(input: &Text, prefix: &str) -> Option<Text> {
    if let Some(rest) = input.strip_start(prefix) {
        return Some(rest);
    }
    match input.as_literal() {
        Some(_) => Some(input.clone()),
        None => input.as_symbol().map(|symbol| {
            Text::symbol(Symbol::new(
                format!("{} without {prefix}", symbol.name()),
                symbol.shape(),
            ))
        }),
    }
}

/// `${NAME#pattern}` and its three sisters.
#[must_use]
pub fn strip_pattern(text: &Text, operator: &str, pattern: &str) -> Value {
    let start = operator.starts_with('#');
    let unknown = || {
        Value::unknown(
            format!("{}{operator}{pattern}", text.describe()),
            Shape::Text,
        )
    };
    if !pattern.contains(['*', '?', '[']) {
        let stripped = if start {
            text.strip_start(pattern)
        } else {
            text.strip_end(pattern)
        };
        return match stripped {
            Some(stripped) => stripped.into(),
            None if text.as_literal().is_some() => text.clone().into(),
            None => unknown(),
        };
    }
    let Some(literal) = text.as_literal() else {
        return unknown();
    };
    let fits = |candidate: &str| matches_glob(pattern, candidate);
    let mut cuts: Vec<usize> = literal
        .char_indices()
        .map(|(at, _)| at)
        .chain([literal.len()])
        .collect();
    // `#` and `%` take the shortest match, the doubled forms the longest.
    let longest = operator.len() == 2;
    if start == longest {
        cuts.reverse();
    }
    for cut in cuts {
        let (head, tail) = literal.split_at(cut);
        if start && fits(head) {
            return Value::text(tail);
        }
        if !start && fits(tail) {
            return Value::text(head);
        }
    }
    Value::text(literal)
}

/// `${NAME/from/to}` and `${NAME//from/to}`.
#[must_use]
pub fn replace_pattern(text: &Text, all: bool, from: &str, to: &str) -> Value {
    let unknown = || Value::unknown(format!("{}/{from}/{to}", text.describe()), Shape::Text);
    if from.contains(['*', '?', '[']) || from.is_empty() {
        return unknown();
    }
    match text.as_literal() {
        Some(literal) if all => Value::text(literal.replace(from, to)),
        Some(literal) => Value::text(literal.replacen(from, to, 1)),
        None if all && from.chars().count() == 1 => {
            let tool: &'static str = if from == "/" {
                "slashes replaced"
            } else {
                "edited"
            };
            text.map(|literal| literal.replace(from, to), shape_change(tool))
                .into()
        }
        None => unknown(),
    }
}

/// `${NAME:offset:length}`.
#[must_use]
pub fn substring(text: &Text, range: &str) -> Value {
    // Nothing before the colon is zero: `${GITHUB_SHA::7}`.
    let mut numbers = range.split(':').map(|number| match number.trim() {
        "" => Some(0),
        number => number.parse::<usize>().ok(),
    });
    let (offset, length) = (numbers.next().flatten(), numbers.next().flatten());
    match (text.as_literal(), text.as_symbol(), offset) {
        (Some(literal), _, Some(offset)) => Value::text(
            literal
                .chars()
                .skip(offset)
                .take(length.unwrap_or(usize::MAX))
                .collect::<String>(),
        ),
        (None, Some(symbol), Some(0)) => match length {
            Some(length) => shortened(symbol, length).into(),
            None => text.clone().into(),
        },
        _ => Value::unknown(format!("{}:{range}", text.describe()), Shape::Text),
    }
}

/// Matches a pattern of `*` and `?` against a whole text; `[` is an ordinary character.
#[must_use]
fn matches_glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(c) if *c == '?' || Some(c) == text.get(from) => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((star_at, taken)) => {
                    at = star_at + 1;
                    from = taken + 1;
                    star = Some((star_at, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_texts() {
        let run = |program: &str, arguments: &[&str], input: &str| {
            let arguments: Vec<Text> = arguments.iter().map(|text| Text::literal(*text)).collect();
            apply(program, &arguments, &Text::literal(input)).and_then(|value| value.literal())
        };
        assert_eq!(
            run("tr", &["[:upper:]", "[:lower:]"], "AbC").as_deref(),
            Some("abc")
        );
        assert_eq!(run("tr", &["/", "-"], "a/b/c").as_deref(), Some("a-b-c"));
        assert_eq!(run("cut", &["-d:", "-f1"], "a:b").as_deref(), Some("a"));
        assert_eq!(
            run("cut", &["-d", "/", "-f", "2"], "a/b/c").as_deref(),
            Some("b")
        );
        assert_eq!(run("sed", &["s/a/b/g"], "aXa").as_deref(), Some("bXb"));
        assert_eq!(run("sed", &["s/^v//"], "v1.2").as_deref(), Some("1.2"));
        assert_eq!(run("sed", &["s|/|-|g"], "x/y").as_deref(), Some("x-y"));
        assert_eq!(run("head", &["-n", "1"], "a\nb").as_deref(), Some("a"));
        assert_eq!(run("sed", &["s/.*/\\L&/"], "aXa").as_deref(), Some("axa"));
        assert_eq!(run("sed", &["s/[a-z]*/b/"], "aXa"), None);
    }

    #[test]
    fn cut_keeps_the_first_characters_or_is_not_followed() {
        let cut = |range: &str, input: &str| {
            let arguments: Vec<Text> = range.split(' ').map(Text::literal).collect();
            apply("cut", &arguments, &Text::literal(input)).and_then(|value| value.literal())
        };
        for (range, expected) in [
            ("-c1-7", Some("abcdefg")),
            ("-c 1-7", Some("abcdefg")),
            ("-c -7", Some("abcdefg")),
            ("-c-7", Some("abcdefg")),
            ("-c1-1", Some("a")),
            ("-c1-10", Some("abcdefghij")),
            ("-c1-11", Some("abcdefghijk")),
            ("-c1-12", Some("abcdefghijkl")),
            ("-c-12", Some("abcdefghijkl")),
            ("-c1", Some("a")),
            ("-c7", None),
            ("-c11", None),
            ("-c2-7", None),
            ("-c11-12", None),
            ("-c1-", None),
            ("-c1,3", None),
            ("-c1-0", None),
        ] {
            assert_eq!(
                cut(range, "abcdefghijklmnop\n").as_deref(),
                expected,
                "cut {range}"
            );
        }
        // Each line is cut, not the text.
        assert_eq!(cut("-c1-2", "abc\ndef\n"), None);
    }

    #[test]
    fn expansions() {
        let strip = |text: &str, operator: &str, pattern: &str| {
            strip_pattern(&Text::literal(text), operator, pattern).literal()
        };
        assert_eq!(
            strip("refs/tags/v1", "#", "refs/tags/").as_deref(),
            Some("v1")
        );
        assert_eq!(strip("a/b/c", "##", "*/").as_deref(), Some("c"));
        assert_eq!(strip("a/b/c", "#", "*/").as_deref(), Some("b/c"));
        assert_eq!(strip("a.b.c", "%%", ".*").as_deref(), Some("a"));
        assert_eq!(strip("a.b.c", "%", ".*").as_deref(), Some("a.b"));
        assert_eq!(
            replace_pattern(&Text::literal("a/b/c"), true, "/", "-")
                .literal()
                .as_deref(),
            Some("a-b-c")
        );
        assert_eq!(
            substring(&Text::literal("0123456789"), "0:7")
                .literal()
                .as_deref(),
            Some("0123456")
        );
    }

    #[test]
    fn patterns_are_looked_for_in_known_texts() {
        let finds = |arguments: &[&str], text: &str| {
            let arguments: Vec<Text> = arguments.iter().map(|one| Text::literal(*one)).collect();
            grep_finds(&arguments, text)
        };
        assert_eq!(
            finds(&["-Ei", "^chore\\(deps"], "Chore(deps): x\n"),
            Some(true)
        );
        assert_eq!(finds(&["-Ei", "^chore:"], "fix: chore:\n"), Some(false));
        assert_eq!(finds(&["-q", "^v"], "\nv1"), Some(true));
        assert_eq!(finds(&["-q", "a+"], "a+"), None);
        assert_eq!(finds(&["-c", "a"], "a"), None);
        assert_eq!(finds(&["-E", "("], "a"), None);
        assert_eq!(finds(&["-E", "(a{1,900}){1,900}"], "a"), None);
    }

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("a*c", "abbc", true),
            ("*", "", true),
            ("a?c", "ac", false),
            ("*.tar", "x.tar.gz", false),
            ("**/x", "a/b/x", true),
        ] {
            assert_eq!(matches_glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
