//! Labels and annotations: the standard OCI keys, the user's lines, their order.

use icu_collator::options::CollatorOptions;
use icu_collator::{Collator, CollatorBorrowed};

use super::context::Context;
use super::date::iso_text;
use super::error::MetaError;
use super::version::Engine;

/// A key with its value.
pub(crate) type Label = (String, String);

impl Engine<'_> {
    /// The standard labels with the user's lines over them, in ICU's root order of the keys.
    pub(crate) fn labels(
        &self,
        version: Option<&str>,
        lines: &[String],
    ) -> Result<Vec<Label>, MetaError> {
        let mut labels = standard(self.context, version);
        for line in lines {
            let line = self.render(line)?;
            // A line without `=` says nothing.
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            match labels.iter_mut().find(|(known, _)| known == key) {
                Some(label) => value.clone_into(&mut label.1),
                None => labels.push((key.to_owned(), value.to_owned())),
            }
        }
        sort(&mut labels);
        Ok(labels)
    }
}

fn standard(context: &Context, version: Option<&str>) -> Vec<Label> {
    let facts = &context.repository;
    let label =
        |key: &str, value: &str| (format!("org.opencontainers.image.{key}"), value.to_owned());
    vec![
        label("title", &facts.name),
        label("description", &facts.description),
        label("url", &facts.url),
        label("source", &facts.url),
        label("version", version.unwrap_or_default()),
        label("created", &iso_text(context.now)),
        label("revision", context.sha.as_deref().unwrap_or_default()),
        label("licenses", &facts.license),
    ]
}

pub(super) fn sort(labels: &mut [Label]) {
    // The data are compiled in; without them the order of bytes is the best that is left.
    match Collator::try_new(Default::default(), CollatorOptions::default()) {
        Ok(collator) => sort_with(labels, &collator),
        Err(_) => labels.sort(),
    }
}

fn sort_with(labels: &mut [Label], collator: &CollatorBorrowed<'_>) {
    labels.sort_by(|(left, _), (right, _)| collator.compare(left, right));
}

/// Labels as `key=value`.
pub(crate) fn lines(labels: &[Label]) -> Vec<String> {
    labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect()
}

/// Annotations as `level:key=value`, level after level.
pub(crate) fn annotations<'l>(
    labels: &[Label],
    levels: impl Iterator<Item = &'l str>,
) -> Vec<String> {
    levels
        .flat_map(|level| {
            labels
                .iter()
                .map(move |(key, value)| format!("{level}:{key}={value}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_icu() {
        let expected = [
            "", "a b", "a_b", "a-b", "a,b", "a:b", "a!b", "a?b", "a.b", "a'b", "a(b", "a[b", "a{b",
            "a@b", "a*b", "a/b", "a\\b", "a&b", "a#b", "a%b", "a`b", "a^b", "a+b", "a<b", "a=b",
            "a>b", "a|b", "a~b", "a$b", "a1", "a10", "a2", "ab", "aB", "Ab", "b", "e", "é", "f",
        ];
        let mut labels: Vec<Label> = expected
            .iter()
            .rev()
            .map(|key| ((*key).to_owned(), String::new()))
            .collect();
        sort(&mut labels);
        assert_eq!(
            labels
                .iter()
                .map(|(key, _)| key.as_str())
                .collect::<Vec<_>>(),
            expected
        );
    }
}
