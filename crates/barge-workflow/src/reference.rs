//! Partly known image references: canonical names, and whether two name one image.
//!
//! docker's normalisation as in barge-image, over texts with unknowns: no registry means `docker.io`, a single part there
//! lies under `library/`, no tag means `latest`.

use crate::symbolic::{Comparison, Piece, Shape, Symbol, Text};

/// A reference taken apart as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Registry and repository.
    pub repository: Text,
    /// The tag; nothing when an unknown may hold it.
    pub tag: Option<Text>,
    /// A tag or digest was written.
    pub explicit: bool,
}

impl Name {
    /// Takes a reference apart.
    #[must_use]
    pub fn of(reference: &Text) -> Self {
        let reference = reference.trim();
        let reference = match reference.split_first('@') {
            Some((name, digest)) => {
                return Self {
                    repository: canonical(&name),
                    tag: Some(digest),
                    explicit: true,
                };
            }
            None => reference,
        };
        let (head, last) = match reference.split_last('/') {
            Some((head, last)) => (Some(head), last),
            None => (None, reference.clone()),
        };
        let Some((name, tag)) = last.split_first(':') else {
            let hidden = last.symbols().any(|symbol| symbol.may_hold(':'));
            let tag = if hidden {
                None
            } else {
                Some(Text::literal("latest"))
            };
            return Self {
                repository: canonical(&reference),
                tag,
                explicit: false,
            };
        };
        let mut repository = head.map_or_else(Text::new, |mut head| {
            head.push_str("/");
            head
        });
        repository.append(&name);
        Self {
            repository: canonical(&repository),
            tag: Some(tag),
            explicit: true,
        }
    }

    fn whole(&self) -> Text {
        let mut text = self.repository.clone();
        match &self.tag {
            Some(tag) => {
                text.push_str(":");
                text.append(tag);
            }
            None => text.push(&Piece::Symbol(Symbol::new("\u{0}tag", Shape::Any))),
        }
        text
    }

    /// Whether both name one image.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Comparison {
        if self == other && self.tag.is_some() {
            return Comparison::Equal;
        }
        if self.repository == other.repository && self.tag == other.tag {
            return Comparison::Equal;
        }
        // An unknown registry can be the one that is left out elsewhere.
        let hides_registry = |name: &Self| match (
            name.repository.pieces().first(),
            name.repository.pieces().get(1),
        ) {
            (Some(Piece::Symbol(symbol)), Some(Piece::Literal(rest))) => {
                rest.starts_with('/') && !is_account(symbol)
            }
            _ => false,
        };
        if hides_registry(self) != hides_registry(other) {
            let (hidden, plain) = if hides_registry(self) {
                (self, other)
            } else {
                (other, self)
            };
            let mut pieces = hidden.whole();
            if let Some(Piece::Symbol(symbol)) = hidden.repository.pieces().first() {
                pieces = pieces.replace(symbol, &Text::new());
            }
            let rest = pieces.strip_start("/").unwrap_or(pieces);
            if rest.compare(&plain.whole()) != Comparison::Different {
                return Comparison::Maybe;
            }
        }
        self.whole().compare(&other.whole())
    }

    /// Says whether the repository is a bare name, which means Docker Hub's own images or a local one.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        !self.repository.contains("/")
            && self
                .repository
                .symbols()
                .all(|symbol| !symbol.may_hold('/'))
    }
}

/// An unknown that by its name is a user or organisation, and no registry.
fn is_account(symbol: &Symbol) -> bool {
    let name = symbol.name().to_lowercase();
    [
        "username",
        "_user",
        "owner",
        "namespace",
        "_org",
        "organization",
    ]
    .iter()
    .any(|end| name.ends_with(end))
}

/// A repository's name without the parts that may be left out.
fn canonical(repository: &Text) -> Text {
    for prefix in [
        "docker.io/library/",
        "index.docker.io/library/",
        "docker.io/",
        "index.docker.io/",
        "library/",
        // podman's prefix of names that have no registry.
        "localhost/",
    ] {
        if let Some(rest) = repository.strip_start(prefix) {
            return rest;
        }
    }
    repository.clone()
}

/// Whether two references name one image.
#[must_use]
pub fn compare(left: &Text, right: &Text) -> Comparison {
    if left == right && !left.is_empty() {
        return Comparison::Equal;
    }
    // An image ID, short or long, names whatever it names.
    let is_id = |text: &Text| {
        text.as_literal().is_some_and(|text| {
            text.starts_with("sha256:")
                || (text.len() >= 12 && text.chars().all(|c| c.is_ascii_hexdigit()))
        }) || text.as_symbol().is_some_and(|symbol| {
            symbol.name().ends_with(".imageid") || symbol.name().ends_with(".digest")
        })
    };
    if is_id(left) || is_id(right) {
        return Comparison::Maybe;
    }
    Name::of(left).compare(&Name::of(right))
}

/// The part of a reference that is empty, if one is.
#[must_use]
pub fn empty_part(reference: &Text) -> Option<&'static str> {
    let text = reference.trim();
    if text.is_empty() {
        return Some("the whole reference");
    }
    if text.literal_start().starts_with('/') {
        return Some("the registry");
    }
    if text.literal_start().starts_with(':') || text.contains("//") || text.contains("/:") {
        return Some("the repository");
    }
    if text.literal_end().ends_with(':') || text.contains(":@") {
        return Some("the tag");
    }
    if text.literal_end().ends_with('@') {
        return Some("the digest");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pattern: &str) -> Text {
        let mut out = Text::new();
        for (at, part) in pattern.split(['<', '>']).enumerate() {
            if at % 2 == 0 {
                out.push_str(part);
            } else {
                let shape = if part == "sha" {
                    Shape::Hexadecimal
                } else {
                    Shape::Text
                };
                out.push(&Piece::Symbol(Symbol::new(part, shape)));
            }
        }
        out
    }

    #[test]
    fn names_are_compared_as_docker_does() {
        use Comparison::{Different, Equal, Maybe};
        for (left, right, expected) in [
            ("app", "app:latest", Equal),
            ("docker.io/user/app:1", "user/app:1", Equal),
            ("docker.io/library/debian", "debian:latest", Equal),
            ("app:1", "app:2", Different),
            ("ghcr.io/o/app:1", "o/app:1", Different),
            ("<reg>/o/app:1", "o/app:1", Maybe),
            ("<image>", "app:1", Maybe),
            ("<image>", "<image>", Equal),
            ("<image>", "<image>:latest", Maybe),
            ("app:<sha>", "app:latest", Different),
            ("localhost:5000/app", "localhost:5000/app:latest", Equal),
            ("sha256:abc", "app:1", Maybe),
        ] {
            assert_eq!(
                compare(&text(left), &text(right)),
                expected,
                "{left} {right}"
            );
        }
    }

    #[test]
    fn empty_parts_are_named() {
        assert_eq!(empty_part(&text("app:")), Some("the tag"));
        assert_eq!(empty_part(&text("/app:1")), Some("the registry"));
        assert_eq!(empty_part(&text("ghcr.io//app:1")), Some("the repository"));
        assert_eq!(empty_part(&text("")), Some("the whole reference"));
        assert_eq!(empty_part(&text("ghcr.io/o/app@")), Some("the digest"));
        assert_eq!(empty_part(&text("localhost:5000/app:1")), None);
    }
}
