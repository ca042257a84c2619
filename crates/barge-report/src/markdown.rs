//! Markdown for comments and job summaries, within a budget of bytes: forges cut or refuse what is longer.

use crate::model::one_line;

/// The most that GitHub takes as the body of a comment.
pub const COMMENT_BUDGET: usize = 65_536;
/// The most that GitHub takes as the summary of a step.
pub const SUMMARY_BUDGET: usize = 1024 * 1024;

/// A document made of blocks; when the budget is short, rows of tables go first, then whole blocks from the end.
#[derive(Debug, Clone, Default)]
pub struct Document {
    blocks: Vec<Block>,
}

/// A part of a document.
#[derive(Debug, Clone)]
pub enum Block {
    /// Markdown as it is.
    Text(String),
    /// A table.
    Table(MarkdownTable),
    /// A heading that opens and closes a table.
    Details {
        /// The heading, plain text.
        summary: String,
        /// The table.
        table: MarkdownTable,
    },
}

/// A table; cells are Markdown already.
#[derive(Debug, Clone, Default)]
pub struct MarkdownTable {
    /// The titles of the columns.
    pub titles: Vec<String>,
    /// The rows, the most important first.
    pub rows: Vec<Vec<String>>,
}

impl Document {
    /// An empty document.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a heading.
    pub fn heading(&mut self, level: usize, text: &str) {
        self.blocks.push(Block::Text(format!(
            "{} {}",
            "#".repeat(level.clamp(1, 6)),
            escape(text)
        )));
    }

    /// Adds Markdown as it is.
    pub fn text(&mut self, markdown: impl Into<String>) {
        self.blocks.push(Block::Text(markdown.into()));
    }

    /// Adds a table.
    pub fn table(&mut self, table: MarkdownTable) {
        self.blocks.push(Block::Table(table));
    }

    /// Adds a table behind a heading that opens it.
    pub fn details(&mut self, summary: impl Into<String>, table: MarkdownTable) {
        self.blocks.push(Block::Details {
            summary: summary.into(),
            table,
        });
    }

    /// The document in at most `budget` bytes. What had to go is said where it was.
    #[must_use]
    pub fn render(&self, budget: usize) -> String {
        const NOTICE: &str = "_The rest did not fit; see the full report._\n";
        let full: Vec<String> = self
            .blocks
            .iter()
            .map(|block| block.render(usize::MAX))
            .collect();
        let mut document = String::new();
        for (index, block) in self.blocks.iter().enumerate() {
            // Blocks behind this one keep half of what is left, or all they need if that is less.
            let behind: usize = full[index + 1..].iter().map(|text| text.len() + 1).sum();
            let left = budget.saturating_sub(document.len() + NOTICE.len());
            let text = block.render(left.saturating_sub(behind.min(left / 2)));
            if text.is_empty() || text.len() + 1 > left {
                document.push_str(if budget - document.len() >= NOTICE.len() {
                    NOTICE
                } else {
                    ""
                });
                break;
            }
            document.push_str(&text);
            document.push('\n');
        }
        document
    }
}

impl Block {
    /// The block in at most `budget` bytes, or nothing if not even a part of it fits.
    fn render(&self, budget: usize) -> String {
        match self {
            Self::Text(text) => {
                let text = format!("{}\n", text.trim_end_matches('\n'));
                if text.len() <= budget {
                    text
                } else {
                    String::new()
                }
            }
            Self::Table(table) => table.render(budget),
            Self::Details { summary, table } => {
                let (open, close) = (
                    format!("<details><summary>{}</summary>\n\n", escape(summary)),
                    "\n</details>\n",
                );
                let inner = table.render(budget.saturating_sub(open.len() + close.len()));
                if inner.is_empty() {
                    inner
                } else {
                    format!("{open}{inner}{close}")
                }
            }
        }
    }
}

impl MarkdownTable {
    fn render(&self, budget: usize) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut text = line(&self.titles);
        text.push_str(&line(&vec!["---".to_owned(); self.titles.len()]));
        let reserve = format!("\n_and {} more_\n", self.rows.len()).len();
        for (shown, row) in self.rows.iter().enumerate() {
            let next = line(row);
            let is_last = shown + 1 == self.rows.len();
            if text.len() + next.len() + if is_last { 0 } else { reserve } > budget {
                if shown == 0 {
                    return String::new();
                }
                text.push_str(&format!("\n_and {} more_\n", self.rows.len() - shown));
                return text;
            }
            text.push_str(&next);
        }
        if text.len() > budget {
            String::new()
        } else {
            text
        }
    }
}

/// Makes text from elsewhere inert in Markdown: no markup, no HTML, no mentions, no links, one line.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for next in one_line(text).chars() {
        match next {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // A zero-width space keeps the forge from notifying a user or linking an issue.
            '@' => escaped.push_str("@\u{200b}"),
            '#' => escaped.push_str("#\u{200b}"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '|' | '!' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(next);
            }
            other => escaped.push(other),
        }
    }
    // A bare address would become a link.
    escaped
        .replace("://", ":\u{200b}//")
        .replace("www.", "www\u{200b}.")
}

/// Text from elsewhere as code: only back-ticks can end it, and a pipe would end a table cell.
#[must_use]
pub fn code(text: &str) -> String {
    let line = one_line(text).replace('|', "\\|");
    if line.is_empty() {
        return String::new();
    }
    if !line.contains('`') {
        return format!("`{line}`");
    }
    let fence = "`".repeat(
        line.split(|next| next != '`')
            .map(str::len)
            .max()
            .unwrap_or(0)
            + 1,
    );
    format!("{fence} {line} {fence}")
}

/// A link with a text from elsewhere; other schemes than http are shown as text.
#[must_use]
pub fn link(text: &str, url: &str) -> String {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let is_plain = url
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"()<>|`\"\\[]".contains(&byte));
    if is_web && is_plain {
        format!("[{}]({url})", escape(text))
    } else {
        escape(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(rows: usize) -> Document {
        let mut document = Document::new();
        document.heading(2, "Scan of <x>");
        document.text("**failed**");
        let row = |number: usize| vec![format!("CVE-{number}"), "x".repeat(20)];
        document.details(
            "critical",
            MarkdownTable {
                titles: vec!["id".to_owned(), "title".to_owned()],
                rows: (0..rows).map(row).collect(),
            },
        );
        document.text("the end");
        document
    }

    #[test]
    fn a_short_document_is_whole() {
        let text = document(1).render(COMMENT_BUDGET);
        assert!(
            text.contains("| CVE-0 | xxxxxxxxxxxxxxxxxxxx |\n"),
            "{text}"
        );
        assert!(text.ends_with("the end\n\n"), "{text}");
    }

    #[test]
    fn every_budget_is_kept_and_cuts_are_told() {
        let document = document(100);
        for budget in 0..4200 {
            let text = document.render(budget);
            assert!(text.len() <= budget, "{budget}: {}", text.len());
        }
        let text = document.render(1500);
        assert!(text.contains("more_"), "{text}");
        assert!(
            text.contains("the end"),
            "blocks behind a cut table stay: {text}"
        );
    }

    #[test]
    fn text_from_elsewhere_is_inert() {
        assert_eq!(
            escape("<img> @me #1 [a](b)"),
            "&lt;img&gt; @\u{200b}me #\u{200b}1 \\[a\\]\\(b\\)"
        );
        assert_eq!(code("a`b|c"), "`` a`b\\|c ``");
        assert_eq!(link("x", "javascript:alert(1)"), "x");
        assert_eq!(link("x]", "https://e.org/a"), "[x\\]](https://e.org/a)");
    }
}
