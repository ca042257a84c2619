//! Lists and structures of JSON in the making.

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use serde_json::Error;

use super::{Writer, has_escapes};

/// A list or structure that is open.
pub(super) struct Items<'w, 'out> {
    writer: &'w mut Writer<'out>,
    closing: u8,
    is_empty: bool,
    /// Whether it is the value of a variant, whose own structure ends with it.
    is_of_variant: bool,
}

impl<'w, 'out> Items<'w, 'out> {
    pub(super) fn list(writer: &'w mut Writer<'out>) -> Self {
        Self::open(writer, [b'[', b']'])
    }

    pub(super) fn fields(writer: &'w mut Writer<'out>) -> Self {
        Self::open(writer, [b'{', b'}'])
    }

    fn open(writer: &'w mut Writer<'out>, [opening, closing]: [u8; 2]) -> Self {
        writer.open(opening);
        Self {
            writer,
            closing,
            is_empty: true,
            is_of_variant: false,
        }
    }

    pub(super) fn of_variant(self) -> Self {
        Self {
            is_of_variant: true,
            ..self
        }
    }

    fn item<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        self.begin(false);
        value.serialize(&mut *self.writer)?;
        self.writer.pass_on()
    }

    /// A field whose key is the name of a Rust field, or a name that `serde` gave it: neither needs escapes.
    fn field<T: ?Sized + Serialize>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
        debug_assert!(!has_escapes(key.as_bytes()), "{key}");
        self.begin(true);
        self.writer.gathered.extend_from_slice(key.as_bytes());
        self.writer.gathered.extend_from_slice(b"\": ");
        value.serialize(&mut *self.writer)?;
        self.writer.pass_on()
    }

    fn begin(&mut self, quote: bool) {
        self.writer.break_line(!self.is_empty, quote);
        self.is_empty = false;
    }

    fn close(self) {
        self.writer.close(self.closing, self.is_empty);
        if self.is_of_variant {
            self.writer.close(b'}', false);
        }
    }
}

impl SerializeMap for Items<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Error> {
        self.begin(false);
        let start = self.writer.gathered.len();
        key.serialize(&mut *self.writer)?;
        // Keys are texts in JSON; numbers become some.
        if self.writer.gathered.get(start) != Some(&b'"') {
            self.writer.gathered.insert(start, b'"');
            self.writer.gathered.push(b'"');
        }
        self.writer.gathered.extend_from_slice(b": ");
        Ok(())
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(&mut *self.writer)?;
        self.writer.pass_on()
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

macro_rules! items {
    ($($kind:ident $method:ident),+) => {
        $(impl $kind for Items<'_, '_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
                self.item(value)
            }

            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        })+
    };
}

items! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
}

macro_rules! fields {
    ($($kind:ident),+) => {
        $(impl $kind for Items<'_, '_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: ?Sized + Serialize>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.field(key, value)
            }

            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        })+
    };
}

fields! { SerializeStruct, SerializeStructVariant }
