//! Tables for terminals: columns as wide as they must be, no wider than the terminal lets them.

use std::borrow::Cow;
use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::model::{is_plain, one_line};

/// Between two columns.
const GAP: &str = "  ";
/// What a cut cell ends with.
const CUT: char = '…';
/// Columns are filled up with as many of these at a time.
const SPACES: &str = "                                                                ";

/// How many bytes of a table are gathered before they are written.
const BLOCK: usize = 32 * 1024;

/// A table.
#[derive(Debug, Clone, Default)]
pub struct Table<'a> {
    columns: Vec<Column>,
    /// Row by row, as many in each as there are columns.
    cells: Vec<Cell<'a>>,
}

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    title: String,
    /// The least width it may be cut to; `None` is never cut.
    shrink_to: Option<usize>,
}

/// A text with a style.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell<'a> {
    text: Cow<'a, str>,
    /// How many columns of a terminal the text takes.
    columns: usize,
    style: Style,
}

/// How a cell looks on a terminal with colours. Nothing is told by style alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    #[default]
    Plain,
    /// Bold.
    Bold,
    /// Less bright.
    Dim,
    /// Red.
    Red,
    /// Bold red.
    Alarm,
    /// Yellow.
    Yellow,
    /// Green.
    Green,
    /// Cyan.
    Cyan,
}

impl Style {
    /// The text with escape codes around it, if colours are wanted.
    #[must_use]
    pub fn paint(self, text: &str, colour: bool) -> String {
        let mut painted = String::with_capacity(text.len());
        self.push(&mut painted, text, colour);
        painted
    }

    fn push(self, out: &mut String, text: &str, colour: bool) {
        let code = match self {
            _ if !colour || text.is_empty() => return out.push_str(text),
            Self::Plain => return out.push_str(text),
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Alarm => "1;31",
            Self::Yellow => "33",
            Self::Green => "32",
            Self::Cyan => "36",
        };
        for part in ["\u{1b}[", code, "m", text, "\u{1b}[0m"] {
            out.push_str(part);
        }
    }
}

impl Column {
    /// A column that is never cut.
    pub fn whole(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            shrink_to: None,
        }
    }

    /// A column that may be cut to a width.
    pub fn cut_to(title: impl Into<String>, width: usize) -> Self {
        Self {
            title: title.into(),
            shrink_to: Some(width.max(2)),
        }
    }
}

impl<'a> Cell<'a> {
    /// A cell with a style.
    pub fn styled(text: impl Into<Cow<'a, str>>, style: Style) -> Self {
        let text = text.into();
        if is_plain(&text) {
            let columns = text.len();
            return Self {
                text,
                columns,
                style,
            };
        }
        let text = one_line(&text);
        Self {
            columns: text.width(),
            text: text.into(),
            style,
        }
    }
}

impl<'a, T: Into<Cow<'a, str>>> From<T> for Cell<'a> {
    fn from(text: T) -> Self {
        Self::styled(text, Style::Plain)
    }
}

impl<'a> Table<'a> {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            cells: Vec::new(),
        }
    }

    /// Adds a row; missing cells are empty, cells beyond the last column are left out.
    pub fn push(&mut self, row: impl IntoIterator<Item = Cell<'a>>) {
        let row = row.into_iter().chain(std::iter::repeat_with(Cell::default));
        self.cells.extend(row.take(self.columns.len()));
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The table as text, each line ended by a line feed. Without a width nothing is cut.
    #[must_use]
    pub fn render(&self, width: Option<usize>, colour: bool) -> String {
        let mut text = Vec::new();
        // Writing into memory cannot fail.
        drop(self.write(&mut text, width, colour));
        String::from_utf8(text).unwrap_or_default()
    }

    /// Writes what [`Table::render`] gives, piece by piece.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn write(
        &self,
        out: &mut (impl Write + ?Sized),
        width: Option<usize>,
        colour: bool,
    ) -> io::Result<()> {
        let widths = self.widths(width);
        let titles = self.columns.iter();
        let titles: Vec<Cell<'_>> = titles
            .map(|column| Cell::styled(column.title.as_str(), Style::Bold))
            .collect();
        let mut text = String::with_capacity(2 * BLOCK);
        for row in std::iter::once(titles.as_slice()).chain(self.rows()) {
            push_row(&mut text, row, &widths, colour);
            if text.len() >= BLOCK {
                out.write_all(text.as_bytes())?;
                text.clear();
            }
        }
        out.write_all(text.as_bytes())
    }

    fn rows(&self) -> impl Iterator<Item = &[Cell<'a>]> {
        self.cells.chunks_exact(self.columns.len().max(1))
    }

    fn widths(&self, limit: Option<usize>) -> Vec<usize> {
        let titles = self.columns.iter().map(|column| column.title.width());
        let mut widths: Vec<usize> = titles.collect();
        for row in self.rows() {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.columns.max(*width);
            }
        }
        let Some(limit) = limit else { return widths };
        let mut excess = (widths.iter().sum::<usize>()
            + GAP.len() * widths.len().saturating_sub(1))
        .saturating_sub(limit);
        // The widest column that may still shrink gives way first, so that narrow ones stay whole.
        while excess > 0 {
            let shrinkable = self
                .columns
                .iter()
                .enumerate()
                .filter_map(|(index, column)| {
                    let least = column.shrink_to?.max(column.title.width());
                    (widths[index] > least).then_some(index)
                });
            let Some(widest) = shrinkable.max_by_key(|index| widths[*index]) else {
                break;
            };
            widths[widest] -= 1;
            excess -= 1;
        }
        widths
    }
}

fn push_row(text: &mut String, row: &[Cell<'_>], widths: &[usize], colour: bool) {
    let start = text.len();
    for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
        let shown = fitted(cell, *width);
        if index > 0 {
            text.push_str(GAP);
        }
        cell.style.push(text, &shown, colour);
        if index + 1 < widths.len() {
            push_spaces(text, width.saturating_sub(cell.columns));
        }
    }
    let end = text.trim_end_matches(' ').len().max(start);
    text.truncate(end);
    text.push('\n');
}

fn push_spaces(text: &mut String, mut count: usize) {
    while count > 0 {
        let spaces = &SPACES[..count.min(SPACES.len())];
        text.push_str(spaces);
        count -= spaces.len();
    }
}

/// The text cut to a width, with a mark where it was cut.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    fitted(&Cell::from(text), width).into_owned()
}

fn fitted<'c>(cell: &'c Cell<'_>, width: usize) -> Cow<'c, str> {
    if cell.columns <= width {
        return Cow::Borrowed(&cell.text);
    }
    let mut shown = String::new();
    let mut used = 1;
    for next in cell.text.chars() {
        used += next.width().unwrap_or(0);
        if used > width {
            break;
        }
        shown.push(next);
    }
    shown.push(CUT);
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table<'static> {
        let mut table = Table::new(vec![
            Column::whole("ID"),
            Column::cut_to("TITLE", 6),
            Column::whole("N"),
        ]);
        table.push([
            "CVE-1".into(),
            "a long title that goes on".into(),
            "1".into(),
        ]);
        table.push([Cell::styled("é", Style::Red), "漢字\u{1b}[2J\nx".into()]);
        table
    }

    #[test]
    fn columns_are_as_wide_as_needed() {
        let wanted = "ID     TITLE                      N\nCVE-1  a long title that goes on  1\né      漢字[2J x\n";
        assert_eq!(table().render(None, false), wanted);
    }

    #[test]
    fn cells_are_cut_to_the_terminal() {
        let text = table().render(Some(20), false);
        assert_eq!(
            text,
            "ID     TITLE       N\nCVE-1  a long ti…  1\né      漢字[2J x\n"
        );
        assert!(
            table()
                .render(Some(3), false)
                .starts_with("ID     TITLE   N\n"),
            "what may not be cut stays whole"
        );
    }

    #[test]
    fn colours_do_not_change_the_text() {
        let plain = table().render(Some(24), false);
        let coloured = table().render(Some(24), true);
        let mut stripped = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            stripped.push_str(before);
            rest = after.split_once('m').map_or("", |(_, rest)| rest);
        }
        stripped.push_str(rest);
        assert_eq!(stripped, plain);
        assert_ne!(coloured, plain);
    }
}
