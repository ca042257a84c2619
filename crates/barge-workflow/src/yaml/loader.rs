//! Builds the tree from the events of the parser, within bounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::source::{Source, Span};

use super::node::{Kind, Node, Scalar, Style};
use super::parse::{FILLER, ParseYamlError};

const DEPTH_LIMIT: usize = 64;

const NODE_LIMIT: usize = 200_000;

/// How many bytes of scalars aliases may repeat.
const REPEAT_LIMIT: usize = 16 << 20;

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

pub(super) struct Loader<'a> {
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
    pub(super) fn new(source: &'a Source, text: &'a str) -> Self {
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

    pub(super) fn run(mut self) -> Result<Arc<Node>, ParseYamlError> {
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
