//! Bills of materials out.
//!
//! Equal bills give equal bytes: nothing here asks for the time or for random numbers, and identifiers are made from the
//! content.

pub mod cyclonedx;
pub mod github;
mod hash;
pub mod spdx;
pub mod text;
mod xml;

use std::sync::LazyLock;

use barge_image::digest::hex;
use jiff::Timestamp;
use regex::Regex;
use sha1::{Digest as _, Sha1};

/// What a document says about its making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// When; `SOURCE_DATE_EPOCH` where it is set.
    pub created: Timestamp,
    /// The version of the program.
    pub tool_version: String,
    /// Who answers for the data (NTIA, "author of SBOM data").
    pub author: Option<String>,
}

/// The name of the program.
const TOOL: &str = "barge";

/// A UUID of version 5 (RFC 9562) from content: equal content, equal identifier.
fn content_uuid(content: &[u8]) -> String {
    // The URL namespace, as the documents' own identifiers are URIs.
    let namespace = [
        0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30,
        0xc8,
    ];
    let hash = Sha1::new()
        .chain_update(namespace)
        .chain_update(content)
        .finalize();
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&hash[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex(&bytes);
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

/// Whether a text is a CPE 2.3 name, by the pattern of both standards (NIST IR 7695, section 6.2).
fn is_cpe(text: &str) -> bool {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let part = r##"((\?*|\*?)([a-zA-Z0-9\-._]|(\\[\\*?!"#$%&'()+,/:;<=>@\[\]^`{|}~]))+(\?*|\*?))|[*\-]"##;
        let language = r"([a-zA-Z]{2,3}(-([a-zA-Z]{2}|[0-9]{3}))?)|[*\-]";
        let pattern =
            format!(r"^cpe:2\.3:[aho*\-](:({part})){{5}}(:({language}))(:({part})){{4}}$");
        Regex::new(&pattern).ok()
    });
    PATTERN
        .as_ref()
        .is_some_and(|pattern| pattern.is_match(text))
}

/// Whether a text is an absolute web address that schemas accept as one.
fn is_web_address(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`[]".contains(&byte))
            && !rest.starts_with(['/', ':', '?', '#'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_of_version_5() {
        // RFC 9562's rule with Python's `uuid.uuid5(NAMESPACE_URL, "x")`.
        assert_eq!(
            content_uuid(b"http://example.com/"),
            "0a300ee9-f9e4-5697-a51a-efc7fafaba67"
        );
    }

    #[test]
    fn cpe_names_have_eleven_parts() {
        assert!(is_cpe("cpe:2.3:a:redis:redis:7.2.4:*:*:*:*:*:*:*"));
        assert!(is_cpe(r"cpe:2.3:a:a\/b:c_d:1\:2:-:*:en-us:*:*:*:*"));
        for text in [
            "",
            "cpe:2.3:a:b",
            "no cpe",
            "cpe:2.3:a:b b:c:1:*:*:*:*:*:*:*",
        ] {
            assert!(!is_cpe(text), "{text}");
        }
    }

    #[test]
    fn web_addresses_are_absolute() {
        assert!(is_web_address("https://a.example/b?c=d"));
        for text in [
            "",
            "a.example",
            "https://",
            "https:// x",
            "git://x",
            "https://a b",
            "http:///x",
        ] {
            assert!(!is_web_address(text), "{text}");
        }
    }
}
