//! The hash algorithms that both standards know, and what their digests look like: a document with any other is invalid.

/// An algorithm by its name in CycloneDX and in SPDX, and the hexadecimal digits of its digests.
const ALGORITHMS: [(&str, &str, usize); 12] = [
    ("MD5", "MD5", 32),
    ("SHA-1", "SHA1", 40),
    ("SHA-256", "SHA256", 64),
    ("SHA-384", "SHA384", 96),
    ("SHA-512", "SHA512", 128),
    ("SHA3-256", "SHA3-256", 64),
    ("SHA3-384", "SHA3-384", 96),
    ("SHA3-512", "SHA3-512", 128),
    ("BLAKE2b-256", "BLAKE2b-256", 64),
    ("BLAKE2b-384", "BLAKE2b-384", 96),
    ("BLAKE2b-512", "BLAKE2b-512", 128),
    ("BLAKE3", "BLAKE3", 64),
];

/// The algorithm's name in SPDX, if it has one and the digits are a digest by it.
pub(super) fn spdx_name(algorithm: &str, digits: &str) -> Option<&'static str> {
    let (_, name, length) = ALGORITHMS
        .into_iter()
        .find(|(name, _, _)| *name == algorithm)?;
    let is_digest = digits.len() == length && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_digest.then_some(name)
}
