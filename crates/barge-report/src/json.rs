//! Indented JSON, as `serde_json` has it, written in fewer pieces: a scan has tens of thousands of lines.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// A comma, a line feed and the deepest indentation that is written in one piece.
const COMMA_AND_BREAK: &[u8; 66] =
    b",\n                                                                ";
const INDENT: usize = 2;

/// Writes a value as indented JSON with a line feed behind it.
///
/// # Errors
/// When the output cannot be written.
pub fn write(out: impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, Indented::default());
    value.serialize(&mut serializer)?;
    serializer.into_inner().write_all(b"\n")
}

/// A value as indented JSON with a line feed behind it.
#[must_use]
pub fn render(value: &impl Serialize) -> String {
    let mut bytes = Vec::with_capacity(4096);
    // Writing into memory cannot fail, and what cannot be JSON is none of ours.
    drop(write(&mut bytes, value));
    String::from_utf8(bytes).unwrap_or_default()
}

#[derive(Default)]
struct Indented {
    depth: usize,
    has_value: bool,
}

impl Indented {
    fn break_line(&self, out: &mut (impl Write + ?Sized), comma: bool) -> io::Result<()> {
        let mut spaces = self.depth * INDENT;
        let first = spaces.min(COMMA_AND_BREAK.len() - 2);
        out.write_all(&COMMA_AND_BREAK[usize::from(!comma)..2 + first])?;
        spaces -= first;
        (0..spaces).try_for_each(|_| out.write_all(b" "))
    }

    fn open(&mut self, out: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_value = false;
        out.write_all(bracket)
    }

    fn close(&mut self, out: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.has_value {
            self.break_line(out, false)?;
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
        self.break_line(out, !first)
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
        self.break_line(out, !first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
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
        let mut deep = json!([{ "a": {}, "b": [], "c": [[]], "d": { "e": [1, "x\ny", null] } }]);
        for _ in 0..40 {
            deep = Value::Array(vec![deep, json!({ "k": true })]);
        }
        let wanted = serde_json::to_string_pretty(&deep).unwrap_or_default() + "\n";
        assert_eq!(super::render(&deep), wanted);
    }
}
