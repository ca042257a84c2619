//! Patterns in which `*` stands for any text, also across `/`.

/// Whether a text fits a pattern. Takes time proportional to the product of the lengths at most.
pub(crate) fn matches_glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut next) = (0, 0);
    // Where the last star was, and how much of the text it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    while next < text.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at, next));
            at += 1;
        } else if pattern.get(at) == text.get(next) {
            at += 1;
            next += 1;
        } else if let Some((place, taken)) = star {
            star = Some((place, taken + 1));
            at = place + 1;
            next = taken + 1;
        } else {
            return false;
        }
    }
    pattern
        .get(at..)
        .unwrap_or_default()
        .iter()
        .all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches_glob;

    #[test]
    fn stars_stand_for_any_text() {
        let cases = [
            ("openssl", "openssl", true),
            ("openssl", "libopenssl", false),
            ("lib*", "libssl3", true),
            ("*ssl*", "libssl3", true),
            ("usr/*/x.jar", "usr/lib/y/x.jar", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZd", false),
            ("*", "", true),
            ("", "x", false),
        ];
        for (pattern, text, wanted) in cases {
            assert_eq!(matches_glob(pattern, text), wanted, "{pattern} {text}");
        }
    }
}
