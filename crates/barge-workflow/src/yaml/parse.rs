//! Reads a document, and what GitHub takes of broken ones.

use std::sync::Arc;

use crate::source::{Position, Source};

use super::loader::Loader;
use super::node::Node;

const FOLD_LIMIT: usize = 64;

/// Stands for bytes that are no content; one byte long, and nothing people write.
pub(super) const FILLER: char = '\u{7f}';

/// Why a document could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {reason}", .position.line, .position.column)]
pub struct ParseYamlError {
    /// The place.
    pub position: Position,
    /// The parser's words.
    pub reason: String,
}

/// Reads the first document of a source.
pub fn parse(source: &Source) -> Result<Arc<Node>, ParseYamlError> {
    let mut text = source.text().to_owned();
    let mut result = Loader::new(source, &text).run();
    for _ in 0..FOLD_LIMIT {
        let Some(mended) = result
            .as_ref()
            .err()
            .and_then(|error| tolerated(&text, source, error))
        else {
            break;
        };
        text = mended;
        result = Loader::new(source, &text).run();
    }
    result
}

/// The text in a form the parser takes, where GitHub takes it as it is: further lines of a quoted scalar or of a flow
/// collection that are not indented below their key. No byte changes its place.
fn tolerated(text: &str, source: &Source, error: &ParseYamlError) -> Option<String> {
    let at = source.offset(error.position);
    match error.reason.as_str() {
        reason if reason.contains("indentation in quoted scalar") => join_scalar(text, at),
        reason if reason.starts_with("invalid indentation") => join_flow_line(text, at),
        _ => None,
    }
}

/// Joins a line of a flow collection to the one before it: line end and comments become spaces.
fn join_flow_line(text: &str, at: usize) -> Option<String> {
    let line_start = text.get(..at)?.rfind('\n')? + 1;
    if !text.get(line_start..at)?.trim().is_empty() || line_start == 0 {
        return None;
    }
    let mut kept = line_start;
    loop {
        let start = text.get(..kept - 1)?.rfind('\n').map_or(0, |end| end + 1);
        let line = text.get(start..kept - 1)?;
        let content = without_comment(line).trim_end();
        if !content.trim().is_empty() || start == 0 {
            kept = start + content.len();
            break;
        }
        kept = start;
    }
    let blank = " ".repeat(line_start - kept);
    Some([text.get(..kept)?, &blank, text.get(line_start..)?].concat())
}

/// A line up to its comment; a `#` in quotes or in a word is none.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '#') if before.is_whitespace() => return line.get(..at).unwrap_or(line),
            _ => {}
        }
        before = character;
    }
    line
}

/// Fills the line ends and indentation in the quoted scalar at a byte with [`FILLER`], so that spans stay true.
fn join_scalar(text: &str, start: usize) -> Option<String> {
    let quote = text
        .get(start..)?
        .chars()
        .next()
        .filter(|quote| matches!(quote, '"' | '\''))?;
    let mut joined = text.get(..=start)?.to_owned();
    let mut rest = text.get(start + 1..)?.char_indices().peekable();
    let mut changed = false;
    while let Some((at, character)) = rest.next() {
        match character {
            '\\' if quote == '"' => {
                let line_end = rest.peek().is_some_and(|(_, next)| *next == '\n');
                if line_end {
                    joined.push(FILLER);
                } else {
                    joined.push(character);
                    joined.extend(rest.next().map(|(_, escaped)| escaped));
                }
            }
            '\n' => {
                // A line end that is not escaped folds into one space.
                joined.push(if joined.ends_with(FILLER) {
                    FILLER
                } else {
                    ' '
                });
                changed = true;
                while rest
                    .next_if(|(_, blank)| matches!(blank, ' ' | '\t'))
                    .is_some()
                {
                    joined.push(FILLER);
                }
            }
            _ if character == quote => {
                joined.push_str(text.get(start + 1 + at..)?);
                return changed.then_some(joined);
            }
            _ => joined.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Arc<Node>, ParseYamlError> {
        parse(&Source::new("t.yml", text))
    }

    #[test]
    fn nodes_know_their_bytes() {
        let text = "é: x\nrun: |\n  a\n  b\nlist: [1, 'q']\nmap:\n  k: v\n\nlast: z\n";
        let source = Source::new("t.yml", text);
        let root = parse(&source).unwrap();
        assert_eq!(source.slice(root.get("é").unwrap().span), "x");
        assert_eq!(root.get("run").unwrap().text(), Some("a\nb\n"));
        assert_eq!(source.slice(root.get("run").unwrap().span), "a\n  b\n");
        assert_eq!(source.slice(root.get("list").unwrap().span), "[1, 'q']");
        assert_eq!(source.slice(root.get("map").unwrap().span), "k: v");
        assert_eq!(source.slice(root.get("last").unwrap().span), "z");
    }

    #[test]
    fn quoted_scalars_may_go_on_without_indentation() {
        let text = "env:\n  A: \"x,\\\n  y\"\n  B: 'p\n  q'\nlast: z\n";
        let source = Source::new("t.yml", text);
        let root = parse(&source).unwrap();
        let env = root.get("env").unwrap();
        assert_eq!(env.get("A").unwrap().text(), Some("x,y"));
        assert_eq!(env.get("B").unwrap().text(), Some("p q"));
        assert_eq!(source.slice(root.get("last").unwrap().span), "z");
    }

    #[test]
    fn flow_collections_may_end_at_the_column_of_their_key() {
        let text = "m:\n  a: [\n    \"x # y\", # é\n    # \"z\",\n  ]\n  b: [\n    1,\n  2\n  ]\nlast: z\n";
        let source = Source::new("t.yml", text);
        let root = parse(&source).unwrap();
        let of = |key: &str| {
            let items = root.get("m").and_then(|map| map.get(key)).unwrap().items();
            items
                .iter()
                .filter_map(|item| item.text())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(of("a"), ["x # y"]);
        assert_eq!(of("b"), ["1", "2"]);
        assert_eq!(source.slice(root.get("last").unwrap().span), "z");
    }

    #[test]
    fn anchors_are_followed() {
        let root = read("a: &x\n  k: v\nb: *x\n").unwrap();
        assert_eq!(
            root.get("b")
                .and_then(|b| b.get("k"))
                .and_then(|k| k.text()),
            Some("v")
        );
    }

    #[test]
    fn aliases_count_for_what_they_name() {
        let entries: String = (0..5_000).map(|n| format!(", k{n}: v")).collect();
        let aliases = |count| "  - {with: *w}\n".repeat(count);
        let wide = |count| format!("a: &w {{x: y{entries}}}\nb:\n{}", aliases(count));
        assert!(read(&wide(10)).is_ok());
        let error = read(&wide(1_000)).unwrap_err();
        assert_eq!(error.reason, "the document has too many nodes");
        let long = |count| format!("a: &w {}\nb:\n{}", "x".repeat(1 << 20), aliases(count));
        assert!(read(&long(10)).is_ok());
        let error = read(&long(1_000)).unwrap_err();
        assert_eq!(error.reason, "the document's aliases repeat too much text");
        // Each names the one before it twice.
        let doubled: String = (1..64)
            .map(|n| format!("k{n}: &a{n} [*a{0}, *a{0}]\n", n - 1))
            .collect();
        assert!(read(&format!("k0: &a0 x\n{doubled}")).is_err());
    }

    #[test]
    fn broken_documents_have_a_place_and_a_reason() {
        let error = read("a: b\n  c: d\n").unwrap_err();
        assert_eq!(error.position.line, 2);
        assert!(!error.reason.is_empty());
        assert_eq!(read("").unwrap_err().reason, "the file is empty");
        assert!(read("a: *nowhere\n").is_err());
        let deep = "[".repeat(100);
        assert!(read(&deep).is_err());
    }
}
