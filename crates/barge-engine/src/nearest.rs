//! What an engine holds that resembles what was asked for, nearest first, with what differs.
//!
//! The causes that people meet: another registry prefix, another tag, a typing slip, nothing at all.

use barge_image::Reference;

/// More candidates than this help nobody.
const SHOWN: usize = 5;

/// A name that an engine holds, and how it differs from the one asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// The name.
    pub reference: Reference,
    /// What differs.
    pub difference: Difference,
}

/// How a name differs from the one that was asked for, nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// The same repository and a tag that differs in upper and lower case only.
    Case,
    /// The same repository and tag in another registry, or with and without one.
    Registry,
    /// Another tag of the same repository.
    Tag,
    /// The same last part of the repository and the same tag, under another owner.
    Owner,
    /// Few characters.
    Spelling,
}

impl Difference {
    fn words(self) -> &'static str {
        match self {
            Self::Case => "the tag in other case",
            Self::Registry => "another registry",
            Self::Tag => "another tag",
            Self::Owner => "another owner",
            Self::Spelling => "spelled differently",
        }
    }
}

/// Sorts what an engine holds by nearness and keeps what resembles the wanted name at all.
#[must_use]
pub fn nearest(wanted: &Reference, held: impl IntoIterator<Item = Reference>) -> Vec<Near> {
    let text = wanted.familiar();
    let mut ranked: Vec<_> = held
        .into_iter()
        .filter_map(|reference| {
            let distance = edit_distance(&text, &reference.familiar());
            let difference = difference(wanted, &reference, distance)?;
            Some((difference, distance, reference))
        })
        .collect();
    ranked.sort();
    ranked.dedup();
    ranked.truncate(SHOWN);
    ranked
        .into_iter()
        .map(|(difference, _, reference)| Near {
            reference,
            difference,
        })
        .collect()
}

fn difference(wanted: &Reference, found: &Reference, distance: usize) -> Option<Difference> {
    let same_tag = wanted.tag() == found.tag();
    if wanted.name() == found.name() {
        let lower = |reference: &Reference| reference.tag().map(|tag| tag.as_str().to_lowercase());
        let same_letters = lower(wanted) == lower(found);
        Some(if same_letters {
            Difference::Case
        } else {
            Difference::Tag
        })
    } else if same_tag && path(wanted) == path(found) {
        Some(Difference::Registry)
    } else if same_tag && last(wanted) == last(found) {
        Some(Difference::Owner)
    } else {
        (distance <= wanted.familiar().len() / 4).then_some(Difference::Spelling)
    }
}

/// The repository, as it is called in any registry: only Docker Hub has a `library`.
fn path(reference: &Reference) -> &str {
    let path = reference.name().path();
    path.strip_prefix("library/").unwrap_or(path)
}

fn last(reference: &Reference) -> &str {
    path(reference).rsplit('/').next().unwrap_or_default()
}

/// What is odd about a name by itself, whatever the engine holds.
fn oddity(wanted: &Reference) -> Option<String> {
    let tag = wanted.tag().map_or("", barge_image::Tag::as_str);
    if tag.ends_with(['-', '.', '_']) {
        return Some(format!(
            "the tag `{tag}` lacks its end: what should follow was empty, such as the number of a pull request in an event \
             that has none"
        ));
    }
    let is_hex = |text: &str| text.len() >= 12 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_id = is_hex(path(wanted)) || (path(wanted) == "sha256" && is_hex(tag));
    is_id.then(|| {
        "that is an image ID, and images are handed over by name: one that is saved by its ID has no name when it is loaded"
            .to_owned()
    })
}

/// What to do about a name that is not there, where these builders keep what they build to themselves.
#[must_use]
pub fn hint(wanted: &Reference, near: &[Near], builders: &[String]) -> String {
    if let Some(oddity) = oddity(wanted) {
        return oddity;
    }
    let by_name = hint_by_name(wanted, near);
    // A name that differs in its spelling only is what was meant.
    let is_certain = near
        .first()
        .is_some_and(|near| near.difference <= Difference::Registry);
    match builders {
        [builder, ..] if !is_certain => format!(
            "{by_name}; builder `{builder}` beside it keeps what it builds in a cache of its own: its build step needs \
             `load: true` (`--load`) for this event, too, and `barge check` tells the events for which it is off"
        ),
        _ => by_name,
    }
}

fn hint_by_name(wanted: &Reference, near: &[Near]) -> String {
    if near.is_empty() {
        return format!(
            "nothing there resembles it: the step that builds `{}` was skipped, failed, left the image in a builder's \
             cache (no `load: true`), or ran on another daemon",
            wanted.familiar()
        );
    }
    let names: Vec<_> = near
        .iter()
        .map(|near| {
            format!(
                "`{}` ({})",
                near.reference.familiar(),
                near.difference.words()
            )
        })
        .collect();
    format!(
        "it holds {}; name the one that is meant, or take the reference from the build's record instead of typing it",
        names.join(", ")
    )
}

/// Levenshtein's distance, in characters.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, to) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_by_what_differs() {
        let wanted: Reference = "ghcr.io/wikid82/charon:pr-12".parse().unwrap();
        let held = [
            "debian:12",
            "ghcr.io/wikid82/charon:pr-1",
            "wikid82/charon:pr-12",
            "ghcr.io/x/charon:pr-12",
        ];
        let near = nearest(&wanted, held.iter().map(|text| text.parse().unwrap()));
        let found: Vec<_> = near.iter().map(|near| near.difference).collect();
        assert_eq!(
            found,
            [Difference::Registry, Difference::Tag, Difference::Owner]
        );
        assert!(hint(&wanted, &near, &[]).contains("`wikid82/charon:pr-12` (another registry)"));
    }

    #[test]
    fn knows_case_short_names_and_what_is_no_name() {
        for (wanted, held, difference) in [
            ("a/b:PR-1", "a/b:pr-1", Difference::Case),
            ("app:1", "localhost/app:1", Difference::Registry),
            ("ghcr.io/a/app:1", "ghcr.io/a/apps:1", Difference::Spelling),
        ] {
            let near = nearest(&wanted.parse().unwrap(), [held.parse().unwrap()]);
            assert_eq!(near[0].difference, difference, "{wanted} {held}");
        }
        for (wanted, words) in [
            ("a/b:pr-", "the number of a pull request"),
            ("3b083399b322", "an image ID"),
            ("sha256:3b083399b322", "an image ID"),
        ] {
            assert!(
                hint(&wanted.parse().unwrap(), &[], &[]).contains(words),
                "{wanted}"
            );
        }
    }

    #[test]
    fn says_when_nothing_resembles_it() {
        let wanted: Reference = "app:1".parse().unwrap();
        assert_eq!(nearest(&wanted, ["debian:12".parse().unwrap()]), []);
        assert!(hint(&wanted, &[], &[]).contains("skipped"));
    }

    #[test]
    fn names_the_builder_that_may_have_kept_it() {
        let wanted: Reference = "ghcr.io/a/app:pr-1".parse().unwrap();
        let builders = ["ci".to_owned()];
        for (held, is_told) in [
            ("debian:12", true),
            ("ghcr.io/a/app:pr-2", true),
            ("a/app:pr-1", false),
        ] {
            let near = nearest(&wanted, [held.parse().unwrap()]);
            let hint = hint(&wanted, &near, &builders);
            assert_eq!(hint.contains("builder `ci` beside it"), is_told, "{hint}");
        }
    }

    #[test]
    fn counts_edits() {
        for (left, right, distance) in [
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("same", "same", 0),
        ] {
            assert_eq!(edit_distance(left, right), distance);
        }
    }
}
