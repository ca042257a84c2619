//! Indented JSON, as `serde_json` has it, written in fewer pieces: a scan has tens of thousands of lines.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

const INDENT: &str = "  ";
/// How many bytes are gathered before they are written.
const BLOCK: usize = 64 * 1024;

/// Writes a value as indented JSON with a line feed behind it.
///
/// # Errors
/// When the output cannot be written.
pub fn write(out: impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut blocks = Blocks {
        out,
        gathered: Vec::with_capacity(2 * BLOCK),
    };
    let mut serializer = Serializer::with_formatter(&mut blocks, Indented::default());
    value.serialize(&mut serializer)?;
    blocks.write_all(b"\n")?;
    blocks.flush()
}

/// A value as indented JSON with a line feed behind it.
///
/// # Errors
/// When the value cannot be JSON.
pub fn render(value: &impl Serialize) -> io::Result<String> {
    let mut bytes = Vec::with_capacity(4096);
    write(&mut bytes, value)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

/// Gathers the many small pieces of JSON, each with as little ado as can be.
struct Blocks<Out> {
    out: Out,
    gathered: Vec<u8>,
}

impl<Out: Write> Write for Blocks<Out> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= BLOCK {
            self.flush()?;
        }
        Ok(())
    }

    #[cold]
    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.gathered)?;
        self.gathered.clear();
        self.out.flush()
    }
}

struct Indented {
    /// For each depth a comma, a line feed, its spaces and a quotation mark: what a field begins with, in one piece.
    lines: Vec<Vec<u8>>,
    depth: usize,
    has_value: bool,
    /// Whether the next string is a key, whose quotation marks are written with what stands beside them.
    is_key: bool,
}

impl Default for Indented {
    fn default() -> Self {
        Self {
            lines: vec![b",\n\"".to_vec()],
            depth: 0,
            has_value: false,
            is_key: false,
        }
    }
}

impl Indented {
    /// Breaks the line before a field, a value or the end of a list.
    fn break_line(
        &self,
        out: &mut (impl Write + ?Sized),
        comma: bool,
        quote: bool,
    ) -> io::Result<()> {
        let line = &self.lines[self.depth];
        out.write_all(&line[usize::from(!comma)..line.len() - usize::from(!quote)])
    }

    fn open(&mut self, out: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        if self.depth == self.lines.len() {
            let indent = INDENT.repeat(self.depth);
            self.lines.push(format!(",\n{indent}\"").into_bytes());
        }
        self.has_value = false;
        out.write_all(bracket)
    }

    fn close(&mut self, out: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.has_value {
            self.break_line(out, false, false)?;
        }
        out.write_all(bracket)
    }
}

impl Formatter for Indented {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.break_line(out, !first, false)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _out: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.is_key = true;
        self.break_line(out, !first, true)
    }

    fn begin_string<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.is_key {
            return Ok(());
        }
        out.write_all(b"\"")
    }

    fn end_string<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(if self.is_key { b"\": " } else { b"\"" })
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, _out: &mut W) -> io::Result<()> {
        self.is_key = false;
        Ok(())
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _out: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    #[test]
    fn it_is_what_serde_json_writes() {
        let mut deep =
            json!([{ "a": {}, "b": [], "c": [[]], "d": { "e\"": [1, "x\ny", null], "1": "" } }]);
        for _ in 0..40 {
            deep = Value::Array(vec![deep, json!({ "k": true })]);
        }
        let wanted = serde_json::to_string_pretty(&deep).unwrap_or_default() + "\n";
        assert_eq!(super::render(&deep).unwrap(), wanted);
    }
}
