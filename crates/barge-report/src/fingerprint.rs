//! Fingerprints: what makes a finding of today the same as one of yesterday.

use sha2::{Digest as _, Sha256};

/// A fingerprint of parts that stay the same between runs. Parts are kept apart, so no two lists of parts are confused.
#[must_use]
pub fn fingerprint(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    // 128 bits are enough to tell findings apart and short enough to read.
    digest
        .finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn parts_are_kept_apart() {
        assert_eq!(fingerprint(&["a", "b"]).len(), 32);
        assert_ne!(fingerprint(&["a", "b"]), fingerprint(&["ab", ""]));
        assert_eq!(fingerprint(&["a", "b"]), fingerprint(&["a", "b"]));
    }
}
