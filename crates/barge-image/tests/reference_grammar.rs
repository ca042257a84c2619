//! References against the regular expressions that distribution/reference publishes (`regexp.go`, `normalize.go`).
//!
//! What barge accepts, docker accepts; what docker accepts, barge accepts, except where it is stricter on purpose: only
//! sha256 digests, no host that is a lone capitalised word (an owner that was not lower-cased).
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use barge_image::Reference;
use proptest::prelude::*;
use regress::Regex;

const COMPONENT: &str = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const DOMAIN: &str = "(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?";
const TAG: &str = "\\w[\\w.-]{0,127}";
const DIGEST: &str = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";

/// The published grammar, with docker's way of telling a registry from a repository.
struct Published {
    reference: Regex,
    identifier: Regex,
}

impl Published {
    fn new() -> Self {
        let pattern =
            format!("^((?:{DOMAIN}/)?{COMPONENT}(?:/{COMPONENT})*)(?::({TAG}))?(?:@({DIGEST}))?$");
        Self {
            reference: Regex::new(&pattern).unwrap(),
            identifier: Regex::new("^[a-f0-9]{64}$").unwrap(),
        }
    }

    fn accepts(&self, text: &str) -> bool {
        if self.identifier.find(text).is_some() {
            return false;
        }
        let (domain, rest) = split_domain(text);
        let name = rest.split([':', '@']).next().unwrap_or_default();
        name.to_lowercase() == name && self.reference.find(&format!("{domain}/{rest}")).is_some()
    }
}

fn split_domain(text: &str) -> (&str, String) {
    let (domain, rest) = match text.split_once('/') {
        Some((first, rest))
            if first.contains(['.', ':', '['])
                || first == "localhost"
                || first.to_lowercase() != first =>
        {
            (first, rest.to_owned())
        }
        _ => ("docker.io", text.to_owned()),
    };
    let domain = if domain == "index.docker.io" {
        "docker.io"
    } else {
        domain
    };
    let official = domain == "docker.io" && !rest.contains('/');
    (
        domain,
        if official {
            format!("library/{rest}")
        } else {
            rest
        },
    )
}

/// Where barge is stricter on purpose.
fn is_stricter(text: &str) -> bool {
    let (domain, rest) = split_domain(text);
    // What stands for a host and cannot be one is a path without a registry for docker, which no engine can reach.
    let no_host = domain.contains('_');
    let lone = !domain.contains(['.', ':']) && domain.bytes().any(|c| c.is_ascii_uppercase());
    let digest = rest.split_once('@').map(|(_, digest)| digest.to_owned());
    let foreign = digest.is_some_and(|digest| {
        let hex = digest.strip_prefix("sha256:");
        !hex.is_some_and(|hex| hex.len() == 64 && !hex.bytes().any(|c| c.is_ascii_uppercase()))
    });
    no_host || lone || foreign
}

fn agree(text: &str) -> Result<(), TestCaseError> {
    let ours = text.parse::<Reference>();
    let theirs = Published::new().accepts(text);
    if is_stricter(text) {
        prop_assert!(
            ours.is_err() || theirs,
            "{text:?} is accepted by barge only"
        );
    } else {
        prop_assert_eq!(ours.is_ok(), theirs, "{:?}: {:?}", text, ours);
    }
    if let Ok(reference) = ours {
        let canonical = reference.to_string();
        prop_assert_eq!(
            canonical.parse::<Reference>().ok(),
            Some(reference.clone()),
            "{}",
            canonical
        );
        prop_assert_eq!(
            reference.familiar().parse::<Reference>().ok(),
            Some(reference),
            "{}",
            canonical
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn texts_of_the_alphabet(text in "[a-cA-B01._:/@\\[\\] \n-]{0,24}") {
        agree(&text)?;
    }

    #[test]
    fn texts_that_are_nearly_references(
        domain in "(localhost/|ghcr\\.io/|a-b\\.c:50{0,2}/|[A-C]x\\.io/|Owner/|\\[::1\\]:5000/|index\\.docker\\.io/|)",
        path in "[a-c0]{1,3}((\\.|_|__|___|-|--|/|\\.\\.)[a-cA0]{0,2}){0,3}",
        tag in "(:[a-zA-Z0-9_.-]{0,6})?",
        digest in "(@(sha256|sha512|md5):[0-9a-fA]{0,2}[0-9a-f]{62,64})?",
    ) {
        agree(&format!("{domain}{path}{tag}{digest}"))?;
    }
}
