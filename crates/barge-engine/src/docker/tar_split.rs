//! A layer put together again as dockerd does it for an export (github.com/vbatts/tar-split, tar/storage/entry.go).
//!
//! When a layer is unpacked, everything of its tar that is no file content (headers, padding, the end) is kept as lines of
//! JSON, beside which the contents lie unpacked. Joined in order they are the tar to the byte; the reader's digest tells.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, Cursor, Read, Take};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// The longest line that is read, in bytes. Lines hold the headers of one file, and names and attributes of a PAX header
/// end at 1 MiB.
const LINE_LIMIT: u64 = 8 << 20;

/// The tar of a layer.
pub(super) struct TarSplit<L, O> {
    lines: L,
    line: Vec<u8>,
    open: O,
    part: Part,
}

/// What is read at present.
enum Part {
    Segment(Cursor<Vec<u8>>),
    Content(Take<File>),
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: u8,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    /// The name in base64, if it is no text.
    #[serde(borrow, default)]
    name_raw: Option<Cow<'a, str>>,
    #[serde(default)]
    size: u64,
    /// The bytes of a segment in base64; of a file, a checksum that the digest makes needless.
    #[serde(borrow)]
    payload: Option<Cow<'a, str>>,
}

const FILE: u8 = 1;
const SEGMENT: u8 = 2;

impl<L: BufRead, O: FnMut(&[u8]) -> io::Result<File>> TarSplit<L, O> {
    /// Reads the lines, and opens contents by the name that they have in the tar.
    pub(super) fn new(lines: L, open: O) -> Self {
        Self {
            lines,
            line: Vec::new(),
            open,
            part: Part::Segment(Cursor::default()),
        }
    }

    /// Goes on to the next part; `false` at the end.
    fn advance(&mut self) -> io::Result<bool> {
        self.line.clear();
        let mut lines = self.lines.by_ref().take(LINE_LIMIT);
        if lines.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(false);
        }
        let line: Line<'_> = serde_json::from_slice(&self.line)?;
        match line.kind {
            SEGMENT => {
                let segment = decode(&line.payload.unwrap_or_default())?;
                self.part = Part::Segment(Cursor::new(segment));
            }
            FILE if line.size > 0 => {
                let name = match &line.name_raw {
                    Some(raw) if !raw.is_empty() => decode(raw)?,
                    _ => line.name.into_owned().into_bytes(),
                };
                self.part = Part::Content((self.open)(&name)?.take(line.size));
            }
            FILE => {}
            other => return Err(broken(format!("a line of unknown type {other}"))),
        }
        Ok(true)
    }
}

impl<L: BufRead, O: FnMut(&[u8]) -> io::Result<File>> Read for TarSplit<L, O> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let read = match &mut self.part {
                Part::Segment(segment) => segment.read(buffer)?,
                Part::Content(content) => content.read(buffer)?,
            };
            if read > 0 {
                return Ok(read);
            }
            if !self.advance()? {
                return Ok(0);
            }
        }
    }
}

fn decode(text: &str) -> io::Result<Vec<u8>> {
    let decoded = STANDARD.decode(text);
    decoded.map_err(|error| broken(error.to_string()))
}

fn broken(problem: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read(lines: &str) -> io::Result<Vec<u8>> {
        let open = |name: &[u8]| {
            let mut file = tempfile::tempfile()?;
            file.write_all(name)?;
            io::Seek::rewind(&mut file)?;
            Ok(file)
        };
        let mut tar = Vec::new();
        TarSplit::new(lines.as_bytes(), open).read_to_end(&mut tar)?;
        Ok(tar)
    }

    #[test]
    fn parts_are_joined_in_order() {
        let lines = concat!(
            r#"{"type":2,"payload":"aGVhZGVy","position":0}"#,
            "\n",
            r#"{"type":1,"name":"folder/","payload":null,"position":1}"#,
            "\n",
            r#"{"type":1,"name":"\u0061file","size":3,"payload":"AAAAAAAAAAA=","position":2}"#,
            "\n",
            r#"{"type":1,"name_raw":"/2E=","size":9,"payload":null,"position":3}"#,
            "\n",
            r#"{"type":2,"payload":"ZW5k","position":4}"#,
            "\n",
        );
        // A content that is longer than noted is cut; one that is shorter shows in the digest.
        assert_eq!(read(lines).unwrap(), b"headerafi\xffaend");
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for line in [
            "{",
            r#"{"type":3,"payload":null}"#,
            r#"{"type":2,"payload":"?"}"#,
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
