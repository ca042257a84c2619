//! From a text to a name.

use std::str::FromStr;

use super::error::{ParseReferenceError, Reason};
use super::name::{Reference, RepositoryName, Tag};

/// The registry that names without one belong to.
pub const DEFAULT_REGISTRY: &str = "docker.io";
pub(super) const OFFICIAL_NAMESPACE: &str = "library/";
const NAME_LIMIT: usize = 255;
const TAG_LIMIT: usize = 128;

impl FromStr for Tag {
    type Err = Reason;

    fn from_str(text: &str) -> Result<Self, Reason> {
        let first = text
            .bytes()
            .next()
            .is_some_and(|c| c.is_ascii_alphanumeric() || c == b'_');
        let rest = text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'-'));
        if first && rest && text.len() <= TAG_LIMIT {
            Ok(Self(text.to_owned()))
        } else {
            Err(Reason::Tag(text.to_owned()))
        }
    }
}

impl FromStr for RepositoryName {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason| explain(text, reason);
        reject_shape(text).map_err(fail)?;
        parse_name(text).map_err(fail)
    }
}

impl FromStr for Reference {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_reference(text).map_err(|reason| explain(text, reason))
    }
}

fn parse_reference(text: &str) -> Result<Reference, Reason> {
    reject_shape(text)?;
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest.parse().map_err(Reason::Digest)?)),
        None => (text, None),
    };
    // A colon after the last slash starts a tag; before it, it belongs to the registry's port.
    let tag_at = rest.rfind(':').filter(|at| !rest[*at..].contains('/'));
    let (name, tag) = match tag_at {
        Some(at) => (&rest[..at], Some(rest[at + 1..].parse()?)),
        None => (rest, None),
    };
    let name = parse_name(name)?;
    let tag = if tag.is_none() && digest.is_none() {
        Some(Tag::latest())
    } else {
        tag
    };
    Ok(Reference { name, tag, digest })
}

fn reject_shape(text: &str) -> Result<(), Reason> {
    if text.trim().is_empty() {
        return Err(Reason::Empty);
    }
    if text.trim().contains(['\n', ',', ' ']) {
        return Err(Reason::List);
    }
    if text.contains(char::is_whitespace) {
        return Err(Reason::WhiteSpace);
    }
    Ok(())
}

fn parse_name(text: &str) -> Result<RepositoryName, Reason> {
    let is_hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    if text.len() == 64 && text.bytes().all(is_hex) {
        return Err(Reason::ImageId);
    }
    let (registry, path) = split_registry(text);
    check_registry(registry)?;
    let path = if registry == DEFAULT_REGISTRY && !path.contains('/') {
        format!("{OFFICIAL_NAMESPACE}{path}")
    } else {
        path.to_owned()
    };
    check_path(&path, text)?;
    // Docker counts the name as typed plus the default registry.
    if registry.len() + 1 + path.len() > NAME_LIMIT {
        return Err(Reason::TooLong);
    }
    Ok(RepositoryName {
        registry: registry.to_owned(),
        path,
    })
}

fn split_registry(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some((first, rest)) if is_registry(first) => (
            if first == "index.docker.io" {
                DEFAULT_REGISTRY
            } else {
                first
            },
            rest,
        ),
        _ => (DEFAULT_REGISTRY, text),
    }
}

/// Docker also takes a first part with capitals as a registry: no repository may have them.
pub(super) fn is_registry(first: &str) -> bool {
    first.contains(['.', ':', '['])
        || first == "localhost"
        || first.bytes().any(|c| c.is_ascii_uppercase())
}

fn check_registry(registry: &str) -> Result<(), Reason> {
    let fail = || Reason::Registry(registry.to_owned());
    let (host, port) = match registry.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or_else(fail)?;
            if address.is_empty() || !address.bytes().all(|c| c.is_ascii_hexdigit() || c == b':') {
                return Err(fail());
            }
            ("ipv6", port)
        }
        None => registry
            .find(':')
            .map_or((registry, ""), |at| registry.split_at(at)),
    };
    let label = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let port_is_right = match port.strip_prefix(':') {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit()),
        None => port.is_empty(),
    };
    if !host.split('.').all(label) || !port_is_right {
        return Err(fail());
    }
    // A lone capitalised word without dot or port is an owner that was not lower-cased, not a host.
    if !registry.contains(['.', ':']) && registry.bytes().any(|c| c.is_ascii_uppercase()) {
        return Err(Reason::UpperCase);
    }
    Ok(())
}

fn check_path(path: &str, text: &str) -> Result<(), Reason> {
    if path.bytes().any(|c| c.is_ascii_uppercase()) {
        return Err(Reason::UpperCase);
    }
    if path.split('/').all(is_component) {
        Ok(())
    } else {
        Err(Reason::Repository(text.to_owned()))
    }
}

/// `[a-z0-9]+` joined by one `.`, one or two `_`, or any number of `-`.
fn is_component(part: &str) -> bool {
    let alphanumeric = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = part.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    alphanumeric(*first)
        && alphanumeric(*last)
        && bytes.split(|c| alphanumeric(*c)).all(|separator| {
            matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|c| *c == b'-')
        })
}

fn explain(text: &str, reason: Reason) -> ParseReferenceError {
    let corrected = correct(text, &reason);
    ParseReferenceError {
        text: text.to_owned(),
        reason,
        corrected,
    }
}

/// The one form that was surely meant: trimmed, with the name (not the tag) in lower case.
fn correct(text: &str, reason: &Reason) -> Option<String> {
    if !matches!(reason, Reason::UpperCase | Reason::WhiteSpace) {
        return None;
    }
    let text = text.trim();
    let name_ends = text.find('@').unwrap_or(text.len());
    let name_ends = text[..name_ends]
        .rfind(':')
        .filter(|at| !text[*at..].contains('/'))
        .unwrap_or(name_ends);
    let candidate = format!("{}{}", text[..name_ends].to_lowercase(), &text[name_ends..]);
    parse_reference(&candidate).is_ok().then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn canonical(text: &str) -> String {
        text.parse::<Reference>().map_or_else(
            |error| format!("{error}"),
            |reference| reference.to_string(),
        )
    }

    fn refused(text: &str) -> (Reason, Option<String>) {
        let error = text.parse::<Reference>().unwrap_err();
        (error.reason, error.corrected)
    }

    #[test]
    fn normalises_as_docker_does() {
        for (typed, expected) in [
            ("debian", "docker.io/library/debian:latest"),
            ("debian:12", "docker.io/library/debian:12"),
            ("a/b", "docker.io/a/b:latest"),
            ("index.docker.io/a/b:1", "docker.io/a/b:1"),
            ("localhost/a", "localhost/a:latest"),
            ("localhost:5000/a/b:t", "localhost:5000/a/b:t"),
            (
                "ghcr.io/wikid82/charon:pr-12",
                "ghcr.io/wikid82/charon:pr-12",
            ),
            ("[::1]:5000/a:t", "[::1]:5000/a:t"),
            ("e/a--b__c.d", "docker.io/e/a--b__c.d:latest"),
            ("x:V1_.-", "docker.io/library/x:V1_.-"),
        ] {
            assert_eq!(canonical(typed), expected, "{typed}");
        }
    }

    #[test]
    fn a_digest_needs_no_tag() {
        let text = format!("ghcr.io/a/b@{}", Digest::of(b""));
        let reference: Reference = text.parse().unwrap();
        assert_eq!(reference.to_string(), text);
        assert!(reference.tag().is_none());
    }

    #[test]
    fn familiar_forms_round_trip() {
        for text in ["debian:12", "a/b:1", "ghcr.io/a/b:1", "localhost/a:x"] {
            assert_eq!(text.parse::<Reference>().unwrap().familiar(), text);
        }
    }

    #[test]
    fn refuses_with_the_corrected_form() {
        assert_eq!(
            refused("ghcr.io/Wikid82/charon:pr-1"),
            (
                Reason::UpperCase,
                Some("ghcr.io/wikid82/charon:pr-1".into())
            )
        );
        assert_eq!(
            refused("Wikid82/charon:V1"),
            (Reason::UpperCase, Some("wikid82/charon:V1".into()))
        );
        assert_eq!(
            refused("UPPERCASE"),
            (Reason::UpperCase, Some("uppercase".into()))
        );
        assert_eq!(
            refused("ghcr.io/a/b:1\r"),
            (Reason::WhiteSpace, Some("ghcr.io/a/b:1".into()))
        );
        assert_eq!(refused(""), (Reason::Empty, None));
        assert_eq!(refused("a:1\nb:2"), (Reason::List, None));
        assert_eq!(refused("a:1,b:2"), (Reason::List, None));
    }

    #[test]
    fn refuses_what_registries_refuse() {
        for text in [
            "a:",
            "a/:1",
            ":1",
            "a//b",
            "-a",
            "a-",
            "a..b",
            "a___b",
            "a:.b",
            "a:-b",
            "a@sha256:12",
            "h:x/a",
            "/a",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
        assert!(
            format!("a:{}", "t".repeat(129))
                .parse::<Reference>()
                .is_err()
        );
        assert!(
            format!("ghcr.io/{}", "a".repeat(255))
                .parse::<Reference>()
                .is_err()
        );
        assert_eq!(refused(&"0".repeat(64)).0, Reason::ImageId);
    }
}
