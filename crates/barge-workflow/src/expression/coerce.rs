//! GitHub's loose typing: how a text becomes a number and a number a text.

/// The number that a text is compared as: trimmed, empty is 0, decimal, `0x`, `0o` and exponent forms, else NaN.
#[must_use]
pub fn number_of_text(text: &str) -> f64 {
    let text = text.trim();
    if text.is_empty() {
        return 0.0;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return u32::from_str_radix(digits, radix).map_or(f64::NAN, f64::from);
        }
    }
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    match text {
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ if plain => text.parse().unwrap_or(f64::NAN),
        _ => f64::NAN,
    }
}

/// The text that a number is printed as: fifteen significant digits, whole numbers without a point.
#[must_use]
pub fn text_of_number(number: f64) -> String {
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            "Infinity".into()
        } else {
            "-Infinity".into()
        };
    }
    if number == 0.0 {
        return "0".into();
    }
    format!("{number}")
}

/// Equality of texts, which ignores case.
#[must_use]
pub fn same_text(left: &str, right: &str) -> bool {
    left == right || left.to_lowercase() == right.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_coercions() {
        for (text, number) in [
            ("", 0.0),
            ("  ", 0.0),
            (" 12 ", 12.0),
            ("0xff", 255.0),
            ("0o17", 15.0),
            ("-1.5e2", -150.0),
        ] {
            assert_eq!(number_of_text(text), number, "{text}");
        }
        for text in ["abc", "1x", "nan", "0xzz", "true", "inf"] {
            assert!(number_of_text(text).is_nan(), "{text}");
        }
        assert_eq!(text_of_number(3.0), "3");
        assert_eq!(text_of_number(-0.0), "0");
        assert_eq!(text_of_number(1.5), "1.5");
        assert!(same_text("DSpace", "dspace"));
    }
}
