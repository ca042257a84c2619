//! Indented JSON, byte for byte as `serde_json` has it, in a fraction of the steps: a scan has tens of thousands of lines.
//! What a line begins with is written in one piece, keys of structures are known to need no escapes, and other texts are
//! looked through many bytes at a time. Numbers, and texts with escapes, are left to `serde_json`.

mod items;

use std::fmt::{self, Display, Write as _};
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::Error;

use self::items::Items;

const INDENT: &str = "  ";
/// How many bytes are gathered before they are written.
const BLOCK: usize = 32 * 1024;

/// Writes a value as indented JSON with a line feed behind it.
///
/// # Errors
/// When the output cannot be written.
pub fn write(mut out: impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut writer = Writer::new(&mut out);
    value.serialize(&mut writer)?;
    writer.gathered.push(b'\n');
    Ok(writer.flush()?)
}

/// A value as indented JSON with a line feed behind it.
#[must_use]
pub fn render(value: &impl Serialize) -> String {
    let mut bytes = Vec::with_capacity(4096);
    // Writing into memory cannot fail, and what cannot be JSON is none of ours.
    drop(write(&mut bytes, value));
    String::from_utf8(bytes).unwrap_or_default()
}

/// Whether a text of JSON holds something that must be escaped.
fn has_escapes(text: &[u8]) -> bool {
    // Many at a time, without an early end and without a branch, so that they are looked at with few instructions.
    let of = |bytes: &[u8]| {
        let escaped = bytes
            .iter()
            .map(|byte| (*byte < b' ') | (*byte == b'"') | (*byte == b'\\'));
        escaped.fold(false, |any, escaped| any | escaped)
    };
    let (blocks, rest) = text.as_chunks::<16>();
    blocks.iter().fold(of(rest), |any, block| any | of(block))
}

struct Writer<'out> {
    out: &'out mut dyn Write,
    gathered: Vec<u8>,
    /// For each depth a comma, a line feed, its spaces and a quotation mark: what a field begins with.
    lines: Vec<Vec<u8>>,
    depth: usize,
}

impl<'out> Writer<'out> {
    fn new(out: &'out mut dyn Write) -> Self {
        Self {
            out,
            gathered: Vec::with_capacity(2 * BLOCK),
            lines: vec![b",\n\"".to_vec()],
            depth: 0,
        }
    }

    fn open(&mut self, bracket: u8) {
        self.gathered.push(bracket);
        self.depth += 1;
        if self.depth == self.lines.len() {
            let indent = INDENT.repeat(self.depth);
            self.lines.push(format!(",\n{indent}\"").into_bytes());
        }
    }

    fn close(&mut self, bracket: u8, is_empty: bool) {
        self.depth -= 1;
        if !is_empty {
            self.break_line(false, false);
        }
        self.gathered.push(bracket);
    }

    /// Breaks the line before a field, a value or the end of a list.
    fn break_line(&mut self, comma: bool, quote: bool) {
        let line = &self.lines[self.depth];
        let line = &line[usize::from(!comma)..line.len() - usize::from(!quote)];
        self.gathered.extend_from_slice(line);
    }

    /// Writes what was gathered, once it is worth it.
    fn pass_on(&mut self) -> Result<(), Error> {
        if self.gathered.len() < BLOCK {
            return Ok(());
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.out.write_all(&self.gathered).map_err(Error::io)?;
        self.gathered.clear();
        self.out.flush().map_err(Error::io)
    }

    /// Leaves a value that is no list to `serde_json`.
    fn plain(&mut self, value: impl Serialize) -> Result<(), Error> {
        value.serialize(&mut serde_json::Serializer::new(&mut self.gathered))
    }

    /// Opens the structure that stands for a variant with a value.
    fn variant(&mut self, name: &'static str) -> Result<(), Error> {
        self.open(b'{');
        self.break_line(false, false);
        self.plain(name)?;
        self.gathered.extend_from_slice(b": ");
        Ok(())
    }
}

impl fmt::Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.gathered.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

macro_rules! plain {
    ($($method:ident: $kind:ty),+) => {
        $(fn $method(self, value: $kind) -> Result<(), Error> {
            self.plain(value)
        })+
    };
}

impl<'w, 'out> Serializer for &'w mut Writer<'out> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'w, 'out>;
    type SerializeTuple = Items<'w, 'out>;
    type SerializeTupleStruct = Items<'w, 'out>;
    type SerializeTupleVariant = Items<'w, 'out>;
    type SerializeMap = Items<'w, 'out>;
    type SerializeStruct = Items<'w, 'out>;
    type SerializeStructVariant = Items<'w, 'out>;

    plain! {
        serialize_bool: bool, serialize_char: char, serialize_f32: f32, serialize_f64: f64,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128
    }

    fn serialize_str(self, text: &str) -> Result<(), Error> {
        if has_escapes(text.as_bytes()) {
            return self.plain(text);
        }
        self.gathered.push(b'"');
        self.gathered.extend_from_slice(text.as_bytes());
        self.gathered.push(b'"');
        Ok(())
    }

    fn collect_str<T: ?Sized + Display>(self, value: &T) -> Result<(), Error> {
        let start = self.gathered.len();
        self.gathered.push(b'"');
        write!(self, "{value}").map_err(|_| serde::ser::Error::custom("a text cannot be shown"))?;
        if !has_escapes(&self.gathered[start + 1..]) {
            self.gathered.push(b'"');
            return Ok(());
        }
        self.gathered.truncate(start);
        serde_json::Serializer::new(&mut self.gathered).collect_str(value)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Error> {
        self.collect_seq(bytes)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.gathered.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.variant(variant)?;
        value.serialize(&mut *self)?;
        self.close(b'}', false);
        Ok(())
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Self::SerializeSeq, Error> {
        Ok(Items::list(self))
    }

    fn serialize_tuple(self, _length: usize) -> Result<Self::SerializeTuple, Error> {
        Ok(Items::list(self))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleStruct, Error> {
        Ok(Items::list(self))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        self.variant(variant)?;
        Ok(Items::list(self).of_variant())
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Self::SerializeMap, Error> {
        Ok(Items::fields(self))
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeStruct, Error> {
        Ok(Items::fields(self))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        self.variant(variant)?;
        Ok(Items::fields(self).of_variant())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;
    use serde_json::{Value, json};

    fn as_serde_json(value: &impl Serialize) {
        let wanted = serde_json::to_string_pretty(value).unwrap() + "\n";
        assert_eq!(super::render(value), wanted);
    }

    #[test]
    fn it_is_what_serde_json_writes() {
        let mut deep =
            json!([{ "a": {}, "b": [], "c": [[]], "d": { "e\"": [1, "x\ny", null], "1": "" } }]);
        for _ in 0..40 {
            deep = Value::Array(vec![deep, json!({ "k": true })]);
        }
        as_serde_json(&deep);
    }

    #[test]
    fn every_kind_of_value_is_what_serde_json_writes() {
        #[derive(Serialize)]
        enum Kind {
            Unit,
            Newtype(u8),
            Tuple(i64, f64),
            Struct { field: Option<()>, text: char },
        }
        #[derive(Serialize)]
        struct Pair(f32, [u8; 2]);
        #[derive(Serialize)]
        struct Empty {}
        as_serde_json(&[
            Kind::Unit,
            Kind::Newtype(1),
            Kind::Tuple(-1, 1e300),
            Kind::Struct {
                field: None,
                text: '"',
            },
        ]);
        as_serde_json(&(Pair(0.1, [1, 2]), Empty {}, (), u128::MAX));
        as_serde_json(&BTreeMap::from([
            (1, format_args!("a{}", '\\')),
            (2, format_args!("b")),
        ]));
        as_serde_json(&BTreeMap::from([('"', 1.5), ('é', f64::NAN)]));
    }

    #[test]
    fn every_character_is_escaped_as_serde_json_does() {
        for byte in 0..=255_u8 {
            for place in [0, 3, 15, 16, 20] {
                let mut text = "e".repeat(place);
                text.push(char::from(byte));
                text.push_str("the end");
                as_serde_json(&text);
            }
        }
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let full = crate::json::write(Full, &["a"]);
        assert_eq!(full.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    }

    struct Full;

    impl std::io::Write for Full {
        fn write(&mut self, _bytes: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
