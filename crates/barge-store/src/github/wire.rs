//! JSON as the artifact service writes it: names in two spellings, numbers as texts, texts wrapped or bare (protobuf,
//! "ProtoJSON"). GitHub sends `snake_case`; other servers of the protocol send `camelCase`.

use std::fmt;

use barge_image::Digest;
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A 64-bit number, as a text or as a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number(pub(super) u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, as such or as text")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                let number = text.parse();
                number
                    .map(Number)
                    .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A text that may be null or wrapped in `{"value": ...}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text(pub(super) Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Form {
            Bare(Option<String>),
            Wrapped { value: Option<String> },
        }
        Form::deserialize(deserializer).map(|form| match form {
            Form::Bare(text) | Form::Wrapped { value: text } => Self(text),
        })
    }
}

impl Text {
    /// The text as a digest, if it is one.
    pub(super) fn digest(&self) -> Option<Digest> {
        self.0.as_ref()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_every_form() {
        let number = |json: &str| serde_json::from_str::<Number>(json).ok();
        assert_eq!(number("12"), Some(Number(12)));
        assert_eq!(number("\"12\""), Some(Number(12)));
        assert_eq!(number("\"x\"").or(number("-1")).or(number("null")), None);
        let text = |json: &str| serde_json::from_str::<Text>(json).unwrap().0;
        assert_eq!(text("\"a\"").as_deref(), Some("a"));
        assert_eq!(text("{\"value\":\"a\"}").as_deref(), Some("a"));
        assert_eq!(text("null"), None);
    }
}
