//! GitHub's workflow commands and environment files (actions/toolkit, packages/core).

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;

use barge_image::Digest;
use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Error;

/// A summary that is longer is not cut by GitHub but refused whole; in bytes.
const SUMMARY_LIMIT: usize = 1 << 20;
const CUT: &str =
    "\n\n*The rest was cut: a summary holds 1 MiB. The full reports are in the artifacts.*\n";

/// The files that a runner reads after a step.
#[derive(Debug, Clone, Default)]
pub struct Actions {
    output: Option<Utf8PathBuf>,
    summary: Option<Utf8PathBuf>,
}

/// How serious an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The step fails for it.
    Error,
    /// Somebody should look.
    Warning,
    /// For the record.
    Notice,
}

/// A message that GitHub shows at a line of a file, or at the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How serious it is.
    pub level: Level,
    /// A title above the message.
    pub title: String,
    /// The message.
    pub message: String,
    /// A file of the repository and a line of it, from 1.
    pub place: Option<(Utf8PathBuf, u32)>,
}

impl Actions {
    /// The runner's files, as `GITHUB_OUTPUT` and `GITHUB_STEP_SUMMARY` name them.
    #[must_use]
    pub fn new(output: Option<&str>, summary: Option<&str>) -> Self {
        let path = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(Utf8PathBuf::from);
        Self {
            output: path(output),
            summary: path(summary),
        }
    }

    /// Sets outputs of the step.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn set_outputs(&self, outputs: &[(&str, String)]) -> Result<(), Error> {
        let Some(path) = &self.output else {
            return Ok(());
        };
        let text: String = outputs
            .iter()
            .map(|(name, value)| assignment(name, value))
            .collect();
        append(path, &text)
    }

    /// Adds to the step's summary, cut at what GitHub takes.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add_summary(&self, markdown: &str) -> Result<(), Error> {
        let Some(path) = &self.summary else {
            return Ok(());
        };
        if markdown.len() <= SUMMARY_LIMIT {
            return append(path, markdown);
        }
        let end = markdown.floor_char_boundary(SUMMARY_LIMIT - CUT.len());
        let end = markdown[..end].rfind('\n').unwrap_or(end);
        append(path, &format!("{}{CUT}", &markdown[..end]))
    }
}

impl Annotation {
    /// The workflow command that shows it.
    #[must_use]
    pub fn command(&self) -> String {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        };
        let mut properties = format!("title={}", escape_property(&self.title));
        if let Some((file, line)) = &self.place {
            // Writing to a String cannot fail.
            let _ = write!(
                properties,
                ",file={},line={line}",
                escape_property(file.as_str())
            );
        }
        format!("::{level} {properties}::{}", escape_data(&self.message))
    }
}

/// `NAME<<DELIMITER`, the value, the delimiter. The delimiter is the value's digest, which a value cannot contain by
/// accident and hardly on purpose.
fn assignment(name: &str, value: &str) -> String {
    let delimiter = format!("barge_{}", Digest::of(value.as_bytes()).hex());
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

fn append(path: &Utf8Path, text: &str) -> Result<(), Error> {
    let open = OpenOptions::new().append(true).create(true).open(path);
    let written = open.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

fn escape_data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_are_escaped() {
        let annotation = Annotation {
            level: Level::Error,
            title: "a: b, c".into(),
            message: "50 %\nnext".into(),
            place: Some(("Dockerfile".into(), 3)),
        };
        assert_eq!(
            annotation.command(),
            "::error title=a%3A b%2C c,file=Dockerfile,line=3::50 %25%0Anext"
        );
    }

    #[test]
    fn outputs_hold_any_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("output");
        let actions = Actions::new(path.to_str(), Some(""));
        actions
            .set_outputs(&[("tags", "a\nb".into()), ("empty", String::new())])
            .unwrap();
        actions.add_summary("nowhere").unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1..3], ["a", "b"]);
        assert!(
            lines[0].starts_with("tags<<barge_")
                && lines[0].ends_with(lines[3].trim_start_matches("barge_"))
        );
    }

    #[test]
    fn a_long_summary_is_cut_at_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary");
        Actions::new(None, path.to_str())
            .add_summary(&"line\n".repeat(300_000))
            .unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.len() <= SUMMARY_LIMIT && text.ends_with(CUT));
    }
}
