//! The text of a file with its positions: byte spans inside the program, lines and columns for people.

use std::sync::Arc;

/// A half-open range of bytes in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// The range from `start` to `end`.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        Self {
            start,
            end: end.max(start),
        }
    }

    /// Says whether `other` lies inside this range.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// A place for people: both numbers count from one, columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A stretch of a file.
#[derive(Debug, Clone)]
pub struct Place {
    /// The file.
    pub source: Source,
    /// The bytes.
    pub span: Span,
}

impl Place {
    /// The stretch `span` of a file.
    #[must_use]
    pub fn new(source: &Source, span: Span) -> Self {
        Self {
            source: source.clone(),
            span,
        }
    }

    /// Line and column of its first byte.
    #[must_use]
    pub fn position(&self) -> Position {
        self.source.position(self.span.start)
    }

    /// The line of its first byte.
    #[must_use]
    pub fn line(&self) -> usize {
        self.source.line_of(self.span.start)
    }

    /// What stands there.
    #[must_use]
    pub fn text(&self) -> &str {
        self.source.slice(self.span)
    }

    /// The part of it with these bytes, counted from its own first.
    #[must_use]
    pub fn part(&self, start: usize, end: usize) -> Self {
        Self {
            source: self.source.clone(),
            span: Span::new(self.span.start + start, self.span.start + end),
        }
    }

    /// Says whether both are in one file.
    #[must_use]
    pub fn shares_file(&self, other: &Self) -> bool {
        self.source.path() == other.source.path()
    }
}

/// A file's path and text. Every place holds one, so a copy costs next to nothing.
#[derive(Debug, Clone)]
pub struct Source(Arc<File>);

#[derive(Debug)]
struct File {
    path: Box<str>,
    text: Box<str>,
    line_starts: Box<[usize]>,
}

impl Source {
    /// A source from its repository path and text.
    #[must_use]
    pub fn new(path: &str, text: &str) -> Self {
        let mut line_starts = vec![0];
        line_starts.extend(
            text.bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n')
                .map(|(at, _)| at + 1),
        );
        Self(Arc::new(File {
            path: path.into(),
            text: text.into(),
            line_starts: line_starts.into(),
        }))
    }

    /// The path in the repository.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The number of lines, at least one.
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.0.line_starts.len()
    }

    /// The text of a span; empty when the span does not fit the text.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.text().get(span.start..span.end).unwrap_or_default()
    }

    /// The line number (from one) that holds a byte.
    #[must_use]
    pub fn line_of(&self, offset: usize) -> usize {
        self.0
            .line_starts
            .partition_point(|start| *start <= offset)
            .max(1)
    }

    /// The place of a byte.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let line = self.line_of(offset);
        let start = self.line_start(line);
        let before = self
            .text()
            .get(start..offset.min(self.text().len()))
            .unwrap_or_default();
        Position {
            line,
            column: before.chars().count() + 1,
        }
    }

    /// The byte of a place.
    #[must_use]
    pub fn offset(&self, position: Position) -> usize {
        let line = self.line(position.line);
        let column = line
            .char_indices()
            .nth(position.column - 1)
            .map_or(line.len(), |(at, _)| at);
        self.line_start(position.line) + column
    }

    /// The byte at which a line (from one) starts.
    #[must_use]
    pub fn line_start(&self, line: usize) -> usize {
        self.0
            .line_starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(self.text().len())
    }

    /// The byte after the last of a line, its line feed left out.
    #[must_use]
    pub fn line_end(&self, line: usize) -> usize {
        let next = self
            .0
            .line_starts
            .get(line)
            .copied()
            .map_or(self.text().len(), |next| next - 1);
        let text = self.text().get(..next).unwrap_or_default();
        if text.ends_with('\r') { next - 1 } else { next }
    }

    /// How a text is spelled where it first stands in the file, letters of either case being the same.
    #[must_use]
    pub fn spelling(&self, text: &str) -> Option<&str> {
        let (sought, whole) = (text.as_bytes(), self.text().as_bytes());
        let first = sought.first()?;
        let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
        let start = memchr::memchr2_iter(lower, upper, whole).find(|start| {
            let window = whole.get(*start..start + sought.len());
            window.is_some_and(|window| window.eq_ignore_ascii_case(sought))
        })?;
        self.text().get(start..start + text.len())
    }

    /// The text of a line (from one).
    #[must_use]
    pub fn line(&self, line: usize) -> &str {
        self.slice(Span::new(self.line_start(line), self.line_end(line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_characters_from_one() {
        let source = Source::new("a.yml", "a: é\r\nbü: c\n");
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(source.position(8), Position { line: 2, column: 2 });
        assert_eq!(source.line(1), "a: é");
        assert_eq!(source.line(2), "bü: c");
        assert_eq!(source.line(3), "");
        assert_eq!(source.line(9), "");
        assert_eq!(source.spelling("BÜ"), None);
        assert_eq!(source.spelling("A: "), Some("a: "));
        assert_eq!(source.spelling(""), None);
    }
}
