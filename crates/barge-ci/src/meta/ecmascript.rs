//! The few rules of ECMAScript (ECMA-262) that decide results: white space, numbers to and from text, UTF-16 lengths.

/// `WhiteSpace` and `LineTerminator`: Unicode's spaces without NEL, with the byte order mark.
pub(crate) fn is_white_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

/// `LineTerminator`, what `.` does not match in a regular expression.
pub(crate) fn is_line_terminator(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// `String.prototype.trim`.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_white_space)
}

/// `String.prototype.length`.
pub(crate) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// `Number(text)`: NaN when the text is no number.
pub(crate) fn number(text: &str) -> f64 {
    let text = trim(text);
    if text.is_empty() {
        return 0.0;
    }
    for (prefix, radix) in [
        ("0x", 16),
        ("0X", 16),
        ("0o", 8),
        ("0O", 8),
        ("0b", 2),
        ("0B", 2),
    ] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return integer(digits, radix);
        }
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let magnitude = match unsigned {
        "Infinity" => f64::INFINITY,
        _ if is_decimal(unsigned) => unsigned.parse().unwrap_or(f64::NAN),
        _ => f64::NAN,
    };
    if text.starts_with('-') {
        -magnitude
    } else {
        magnitude
    }
}

fn integer(digits: &str, radix: u32) -> f64 {
    if digits.is_empty() {
        return f64::NAN;
    }
    digits
        .chars()
        .try_fold(0.0, |sum, c| {
            Some(sum * f64::from(radix) + f64::from(c.to_digit(radix)?))
        })
        .unwrap_or(f64::NAN)
}

/// `StrUnsignedDecimalLiteral` without `Infinity`.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_is_right = exponent.is_none_or(|exponent| {
        let magnitude = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !magnitude.is_empty() && digits(magnitude)
    });
    digits(whole) && digits(fraction) && whole.len() + fraction.len() > 0 && exponent_is_right
}

/// `Number.prototype.toString`.
pub(crate) fn number_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value == 0.0 {
        return "0".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.into();
    }
    let sign = if value < 0.0 { "-" } else { "" };
    // Rust's shortest digits are ECMAScript's; only the layout differs.
    let scientific = format!("{:e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().unwrap_or_default();
    format!("{sign}{}", layout(&digits, exponent))
}

/// `Number::toString`, steps 6 to 13; `exponent` is that of the first digit.
fn layout(digits: &str, exponent: i32) -> String {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    if exponent >= count - 1 && exponent < 21 {
        format!("{digits}{}", zeros(exponent + 1 - count))
    } else if (0..21).contains(&exponent) {
        let (whole, fraction) = digits.split_at(usize::try_from(exponent + 1).unwrap_or_default());
        format!("{whole}.{fraction}")
    } else if (-6..0).contains(&exponent) {
        format!("0.{}{digits}", zeros(-exponent - 1))
    } else {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{first}{point}{rest}e{sign}{}", exponent.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_numbers_as_in_javascript() {
        for (text, expected) in [
            ("", 0.0),
            (" \u{feff}12 ", 12.0),
            ("0x10", 16.0),
            ("0b11", 3.0),
            ("0o17", 15.0),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("+5", 5.0),
            ("-0x10", f64::NAN),
            ("-Infinity", f64::NEG_INFINITY),
            ("inf", f64::NAN),
            ("nan", f64::NAN),
            ("1_0", f64::NAN),
            (".", f64::NAN),
            ("1e", f64::NAN),
            ("0x", f64::NAN),
            ("\u{85}1", f64::NAN),
        ] {
            let value = number(text);
            assert!(
                value == expected || value.is_nan() && expected.is_nan(),
                "{text:?} gives {value}"
            );
        }
    }

    #[test]
    fn numbers_become_texts_as_in_javascript() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.5, "1.5"),
            (-20.0, "-20"),
            (12_345_678_901_234_567_890.0, "12345678901234567000"),
            (1e21, "1e+21"),
            (1.25e-7, "1.25e-7"),
            (0.000_001_5, "0.0000015"),
            (123.456, "123.456"),
        ] {
            assert_eq!(number_text(value), expected);
        }
    }
}
