//! JSON values of the type that is expected, or nothing: what published data gets wrong is passed over, not refused.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A text; anything else is empty.
#[derive(Debug, Default)]
pub(crate) struct Text(pub(crate) String);

/// The texts of a list; anything else in it is left out.
#[derive(Debug, Default)]
pub(crate) struct Texts(Vec<Text>);

/// A number; anything else is nothing.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Number(pub(crate) Option<f64>);

/// Whether there is anything but `null`.
#[derive(Debug, Default)]
pub(crate) struct Present(pub(crate) bool);

/// An object; anything else is nothing.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) Option<T>);

/// The objects of a list; one that stands where a list should is taken for its only item.
#[derive(Debug)]
pub(crate) struct Objects<T>(pub(crate) Vec<T>);

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Default for Objects<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl Text {
    pub(crate) fn trimmed(self) -> String {
        let trimmed = self.0.trim();
        if trimmed.len() == self.0.len() {
            self.0
        } else {
            trimmed.to_owned()
        }
    }
}

impl Texts {
    /// The texts that are not empty.
    pub(crate) fn texts(self) -> Vec<String> {
        self.0
            .into_iter()
            .map(Text::trimmed)
            .filter(|text| !text.is_empty())
            .collect()
    }
}

/// What a JSON value is, as far as one of the types above wants to know.
trait Wanted<'de>: Default {
    fn text(_text: &str) -> Self {
        Self::default()
    }
    fn number(_number: f64) -> Self {
        Self::default()
    }
    fn scalar() -> Self {
        Self::default()
    }
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

impl Wanted<'_> for Text {
    fn text(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl<'de> Wanted<'de> for Texts {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element()? {
            texts.push(text);
        }
        Ok(Self(texts))
    }
}

impl Wanted<'_> for Number {
    fn number(number: f64) -> Self {
        Self(Some(number))
    }
}

impl<'de> Wanted<'de> for Present {
    fn text(_text: &str) -> Self {
        Self(true)
    }
    fn number(_number: f64) -> Self {
        Self(true)
    }
    fn scalar() -> Self {
        Self(true)
    }
    fn list<A: SeqAccess<'de>>(list: A) -> Result<Self, A::Error> {
        Texts::list(list).map(|_| Self(true))
    }
    fn object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        Text::object(object).map(|_| Self(true))
    }
}

impl<'de, T: Deserialize<'de>> Wanted<'de> for Object<T> {
    fn object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(|object| Self(Some(object)))
    }
}

impl<'de, T: Deserialize<'de>> Wanted<'de> for Objects<T> {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut objects = Vec::new();
        while let Some(Object(object)) = list.next_element()? {
            objects.extend(object);
        }
        Ok(Self(objects))
    }
    fn object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(|object| Self(vec![object]))
    }
}

struct WantedVisitor<T>(PhantomData<T>);

impl<'de, T: Wanted<'de>> Visitor<'de> for WantedVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }
    fn visit_bool<E>(self, _value: bool) -> Result<T, E> {
        Ok(T::scalar())
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "scores are small, and nothing else is read as a number"
    )]
    fn visit_i64<E>(self, value: i64) -> Result<T, E> {
        Ok(T::number(value as f64))
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "scores are small, and nothing else is read as a number"
    )]
    fn visit_u64<E>(self, value: u64) -> Result<T, E> {
        Ok(T::number(value as f64))
    }
    fn visit_f64<E>(self, value: f64) -> Result<T, E> {
        Ok(T::number(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<T, E> {
        Ok(T::text(value))
    }
    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::list(list)
    }
    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::object(object)
    }
}

macro_rules! deserialize_wanted {
    ($($name:ident $(<$item:ident>)?),*) => {
        $(impl<'de $(, $item: Deserialize<'de>)?> Deserialize<'de> for $name $(<$item>)? {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(WantedVisitor(PhantomData))
            }
        })*
    };
}

deserialize_wanted!(Text, Texts, Number, Present, Object<T>, Objects<T>);
