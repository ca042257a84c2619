use crate::symbolic::Text;

use super::pattern::matches_glob;
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
