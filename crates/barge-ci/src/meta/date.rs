//! Points in time as JavaScript's `Date` reads and prints them.
//!
//! `Date.parse` is ECMA-262's format, then V8's tolerance for a space instead of `T` and offsets without colon, which
//! is how git prints dates. Texts without an offset are local time, which on runners is UTC.

use serde_json::Value;

/// Milliseconds since 1970, or `None` for JavaScript's `Invalid Date`.
pub(crate) type Instant = Option<i64>;

const DAY: i64 = 86_400_000;
/// The range of `Date`, in milliseconds on either side of 1970.
const LIMIT: i64 = 8_640_000_000_000_000;

/// `new Date(value)` for a value from JSON.
pub(crate) fn from_json(value: &Value) -> Instant {
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => within(number.as_i64().or_else(|| integral(number.as_f64()?))?),
        Value::Null | Value::Bool(false) => Some(0),
        Value::Bool(true) => Some(1),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "checked against the range of Date, which is far below i64"
)]
fn integral(value: f64) -> Option<i64> {
    (value.abs() <= LIMIT as f64).then_some(value.trunc() as i64)
}

fn within(milliseconds: i64) -> Instant {
    (-LIMIT..=LIMIT)
        .contains(&milliseconds)
        .then_some(milliseconds)
}

/// `Date.parse`.
pub(crate) fn parse(text: &str) -> Instant {
    let (year, rest) = year(text.trim())?;
    let mut fields = Fields {
        year,
        ..Fields::default()
    };
    let rest = match rest.strip_prefix('-') {
        Some(rest) => {
            let (month, rest) = two(rest)?;
            fields.month = month;
            match rest.strip_prefix('-') {
                Some(rest) => {
                    let (day, rest) = two(rest)?;
                    fields.day = day;
                    rest
                }
                None => rest,
            }
        }
        None => rest,
    };
    if !rest.is_empty() {
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let rest = time(rest, &mut fields)?;
        fields.offset = offset(rest.trim_start())?;
    }
    fields.instant()
}

struct Fields {
    year: i64,
    month: i64,
    day: i64,
    /// Within the day.
    milliseconds: i64,
    /// Minutes east of UTC.
    offset: i64,
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            year: 1970,
            month: 1,
            day: 1,
            milliseconds: 0,
            offset: 0,
        }
    }
}

impl Fields {
    /// Days beyond the end of a month run into the next, as in V8.
    fn instant(&self) -> Instant {
        if !(1..=12).contains(&self.month) || !(1..=31).contains(&self.day) {
            return None;
        }
        let days = days_from_civil(self.year, self.month, 1) + self.day - 1;
        within(days * DAY + self.milliseconds - self.offset * 60_000)
    }
}

fn digits(text: &str, count: usize) -> Option<(i64, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    let all = digits.bytes().all(|c| c.is_ascii_digit());
    all.then(|| digits.parse().ok())
        .flatten()
        .map(|number| (number, rest))
}

fn two(text: &str) -> Option<(i64, &str)> {
    digits(text, 2)
}

fn year(text: &str) -> Option<(i64, &str)> {
    match text.as_bytes().first()? {
        b'+' => digits(&text[1..], 6),
        b'-' => digits(&text[1..], 6)
            .filter(|(year, _)| *year != 0)
            .map(|(year, rest)| (-year, rest)),
        _ => digits(text, 4),
    }
}

fn time<'t>(text: &'t str, fields: &mut Fields) -> Option<&'t str> {
    let (hour, rest) = two(text)?;
    let (minute, mut rest) = two(rest.strip_prefix(':')?)?;
    let (mut second, mut millisecond) = (0, 0);
    if let Some(after) = rest.strip_prefix(':') {
        (second, rest) = two(after)?;
        if let Some(after) = rest.strip_prefix(['.', ',']) {
            let end = after
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(after.len());
            let (fraction, after) = after.split_at(end);
            let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
            millisecond = if end == 0 {
                return None;
            } else {
                fraction.parse().ok()?
            };
            rest = after;
        }
    }
    let midnight = hour == 24 && minute == 0 && second == 0 && millisecond == 0;
    if (hour > 23 && !midnight) || minute > 59 || second > 59 {
        return None;
    }
    fields.milliseconds = ((hour * 60 + minute) * 60 + second) * 1000 + millisecond;
    Some(rest)
}

fn offset(text: &str) -> Option<i64> {
    if text.is_empty() || matches!(text, "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, rest) = two(rest)?;
    let minutes = match rest.strip_prefix(':').unwrap_or(rest) {
        "" => 0,
        rest => two(rest).filter(|(_, after)| after.is_empty())?.0,
    };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

/// The day of the proleptic Gregorian calendar, counted from 1970.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a day counted from 1970.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// `Date.prototype.toISOString`.
pub(crate) fn iso_text(milliseconds: i64) -> String {
    let (year, month, day) = civil_from_days(milliseconds.div_euclid(DAY));
    let time = milliseconds.rem_euclid(DAY);
    let year = match year {
        0..=9999 => format!("{year:04}"),
        _ => format!("{}{:06}", if year < 0 { '-' } else { '+' }, year.abs()),
    };
    let (hour, minute, second) = (time / 3_600_000, time / 60_000 % 60, time / 1000 % 60);
    format!(
        "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
        time % 1000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_in_javascript() {
        for (text, expected) in [
            ("2026-03-04T05:06:07Z", Some("2026-03-04T05:06:07.000Z")),
            (
                "2026-01-05T10:11:12+02:00",
                Some("2026-01-05T08:11:12.000Z"),
            ),
            (
                "2026-01-05 10:11:12 +0200",
                Some("2026-01-05T08:11:12.000Z"),
            ),
            (
                "2026-01-05T10:11:12.1239-0530",
                Some("2026-01-05T15:41:12.123Z"),
            ),
            ("2026-01-05T10:11", Some("2026-01-05T10:11:00.000Z")),
            ("2026-01-05", Some("2026-01-05T00:00:00.000Z")),
            ("2026", Some("2026-01-01T00:00:00.000Z")),
            ("2026-02-31", Some("2026-03-03T00:00:00.000Z")),
            ("2026-01-05T24:00:00Z", Some("2026-01-06T00:00:00.000Z")),
            ("+002026-01-05T00:00:00Z", Some("2026-01-05T00:00:00.000Z")),
            (
                "-000001-01-01T00:00:00Z",
                Some("-000001-01-01T00:00:00.000Z"),
            ),
            ("1969-12-31T23:59:59.999Z", Some("1969-12-31T23:59:59.999Z")),
            ("2026-13-01", None),
            ("2026-01-05T25:00:00Z", None),
            ("2026-01-05T10:11:12 nonsense", None),
            ("not a date", None),
            ("", None),
        ] {
            assert_eq!(parse(text).map(iso_text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn days_and_dates_are_each_others_inverse() {
        for days in (-800_000..800_000).step_by(37) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }
}
