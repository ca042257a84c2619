//! A YAML document as a tree in which every node knows its bytes.
//!
//! Built on the events of saphyr-parser. Anchors are followed by sharing the node they name. Merge keys are ordinary
//! keys, as GitHub treats them. Only the first document of a stream is read. A broken document yields the position and
//! the reason; it never panics, and depth and size are bounded: what an alias names counts each time it is named.

use std::collections::BTreeMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::source::{Position, Source, Span};

const DEPTH_LIMIT: usize = 64;
const NODE_LIMIT: usize = 200_000;
/// How many bytes of scalars aliases may repeat.
const REPEAT_LIMIT: usize = 16 << 20;
const FOLD_LIMIT: usize = 64;
/// Stands for bytes that are no content; one byte long, and nothing people write.
const FILLER: char = '\u{7f}';

/// A value in the document.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it stands; for a block scalar, from its first character on.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// The three kinds of node.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A text, number, boolean or null; YAML's types are decided by the reader.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Arc<Node>>),
    /// Keys and values in the order of the file.
    Mapping(Vec<(Arc<Node>, Arc<Node>)>),
}

/// A scalar's value and how it was written.
#[derive(Debug, Clone)]
pub struct Scalar {
    /// The text after unquoting and unfolding.
    pub text: String,
    /// How it was written.
    pub style: Style,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: `null`, `true` and numbers keep their types.
    Plain,
    /// Between quotes.
    Quoted,
    /// A `|` block: its lines are the source's lines, less the indentation.
    Literal,
    /// A `>` block.
    Folded,
}

/// Why a document could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {reason}", .position.line, .position.column)]
pub struct ParseYamlError {
    /// The place.
    pub position: Position,
    /// The parser's words.
    pub reason: String,
}

impl Node {
    /// The scalar's text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The entries of a mapping; empty for other kinds.
    #[must_use]
    pub fn entries(&self) -> &[(Arc<Self>, Arc<Self>)] {
        match &self.kind {
            Kind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; empty for other kinds.
    #[must_use]
    pub fn items(&self) -> &[Arc<Self>] {
        match &self.kind {
            Kind::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Arc<Self>> {
        self.entry(key).map(|(_, value)| value)
    }

    /// The key and value nodes of a key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<(&Arc<Self>, &Arc<Self>)> {
        self.entries()
            .iter()
            .find(|(name, _)| name.text() == Some(key))
            .map(|(name, value)| (name, value))
    }

    /// Says whether this is an absent value: `key:` or `key: null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Scalar(Scalar {
                text,
                style: Style::Plain,
            }) => matches!(text.as_str(), "" | "~" | "null"),
            _ => false,
        }
    }
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

struct Open {
    start: usize,
    anchor: usize,
    mapping: bool,
    children: Vec<Arc<Node>>,
    /// What had been read before it.
    before: Size,
}

/// How large a part of the document is for those who walk it.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
}

struct Loader<'a> {
    source: &'a Source,
    text: &'a str,
    /// Byte offset of each character; absent when every character is one byte.
    offsets: Option<Vec<usize>>,
    stack: Vec<Open>,
    anchors: BTreeMap<usize, (Arc<Node>, Size)>,
    root: Option<Arc<Node>>,
    read: Size,
    /// Bytes of scalars that aliases repeat.
    repeated: usize,
}

impl<'a> Loader<'a> {
    fn new(source: &'a Source, text: &'a str) -> Self {
        let offsets = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self {
            source,
            text,
            offsets,
            stack: Vec::new(),
            anchors: BTreeMap::new(),
            root: None,
            read: Size::default(),
            repeated: 0,
        }
    }

    fn byte(&self, index: usize) -> usize {
        match &self.offsets {
            Some(offsets) => offsets
                .get(index)
                .copied()
                .unwrap_or(self.source.text().len()),
            None => index.min(self.source.text().len()),
        }
    }

    fn run(mut self) -> Result<Arc<Node>, ParseYamlError> {
        // A byte order mark is no content for the scanner of this crate.
        let mut parser = Parser::new_from_str(self.text);
        while let Some(next) = parser.next_event() {
            let (event, span) =
                next.map_err(|error| self.error(self.byte(error.marker().index()), error.info()))?;
            let span = Span::new(self.byte(span.start.index()), self.byte(span.end.index()));
            if matches!(event, Event::DocumentEnd) {
                break;
            }
            self.take(event, span)?;
        }
        self.root
            .take()
            .ok_or_else(|| self.error(0, "the file is empty"))
    }

    fn error(&self, offset: usize, reason: &str) -> ParseYamlError {
        ParseYamlError {
            position: self.source.position(offset),
            reason: reason.to_owned(),
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), ParseYamlError> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                };
                let text = if text.contains(FILLER) {
                    text.replace(FILLER, "")
                } else {
                    text.into_owned()
                };
                let before = self.read;
                self.read.bytes += text.len();
                let kind = Kind::Scalar(Scalar { text, style });
                self.add(Node { span, kind }, anchor, before)
            }
            Event::SequenceStart(anchor, _) => self.open(span, anchor, false),
            Event::MappingStart(anchor, _) => self.open(span, anchor, true),
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some((node, size)) => self.repeat(node, size, span.start),
                None => Err(self.error(
                    span.start,
                    "an alias names an anchor that is not defined before it",
                )),
            },
            _ => Ok(()),
        }
    }

    fn open(&mut self, span: Span, anchor: usize, mapping: bool) -> Result<(), ParseYamlError> {
        if self.stack.len() >= DEPTH_LIMIT {
            return Err(self.error(span.start, "the document is nested too deeply"));
        }
        self.stack.push(Open {
            start: span.start,
            anchor,
            mapping,
            children: Vec::new(),
            before: self.read,
        });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Result<(), ParseYamlError> {
        let Some(open) = self.stack.pop() else {
            return Ok(());
        };
        // The end of a block collection is reported at the next token: the last child's end is what belongs to it.
        let inside = open
            .children
            .last()
            .map_or(open.start, |last| last.span.end);
        let flow = self
            .source
            .text()
            .get(open.start..)
            .is_some_and(|text| text.starts_with(['{', '[']));
        let end = if flow { span.end.max(inside) } else { inside };
        let kind = if open.mapping {
            let mut entries = Vec::with_capacity(open.children.len() / 2);
            let mut children = open.children.into_iter();
            while let (Some(key), Some(value)) = (children.next(), children.next()) {
                entries.push((key, value));
            }
            Kind::Mapping(entries)
        } else {
            Kind::Sequence(open.children)
        };
        self.add(
            Node {
                span: Span::new(open.start, end),
                kind,
            },
            open.anchor,
            open.before,
        )
    }

    /// Adds a node of which everything since `before` is a part.
    fn add(&mut self, node: Node, anchor: usize, before: Size) -> Result<(), ParseYamlError> {
        let start = node.span.start;
        let node = Arc::new(node);
        if anchor > 0 {
            let size = Size {
                nodes: self.read.nodes - before.nodes,
                bytes: self.read.bytes - before.bytes,
            };
            self.anchors.insert(anchor, (Arc::clone(&node), size));
        }
        self.push(node, start)
    }

    /// Adds what an alias names.
    fn repeat(&mut self, node: Arc<Node>, size: Size, at: usize) -> Result<(), ParseYamlError> {
        self.read.nodes += size.nodes;
        self.read.bytes += size.bytes;
        self.repeated += size.bytes;
        if self.repeated > REPEAT_LIMIT {
            return Err(self.error(at, "the document's aliases repeat too much text"));
        }
        self.push(node, at)
    }

    fn push(&mut self, node: Arc<Node>, at: usize) -> Result<(), ParseYamlError> {
        self.read.nodes += 1;
        if self.read.nodes > NODE_LIMIT {
            return Err(self.error(at, "the document has too many nodes"));
        }
        match self.stack.last_mut() {
            Some(open) => open.children.push(node),
            None => self.root = Some(node),
        }
        Ok(())
    }
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
