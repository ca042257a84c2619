//! Date formats of moment 2.30 with moment-timezone, English locale.

use super::date::{Instant, civil_from_days, days_from_civil};
use super::ecmascript::is_line_terminator;
use super::zone;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const LONG_FORMATS: [(&str, &str); 10] = [
    ("LTS", "h:mm:ss A"),
    ("LT", "h:mm A"),
    ("LLLL", "dddd, MMMM D, YYYY h:mm A"),
    ("LLL", "MMMM D, YYYY h:mm A"),
    ("LL", "MMMM D, YYYY"),
    ("L", "MM/DD/YYYY"),
    ("llll", "ddd, MMM D, YYYY h:mm A"),
    ("lll", "MMM D, YYYY h:mm A"),
    ("ll", "MMM D, YYYY"),
    ("l", "M/D/YYYY"),
];
/// Tokens of more than one form, in the order in which the library's expression tries them; others are one character.
const TOKENS: [&str; 73] = [
    "Hmmss",
    "hmmss",
    "Hmm",
    "hmm",
    "Mo",
    "MMMM",
    "MMM",
    "MM",
    "M",
    "Do",
    "DDDo",
    "DDDD",
    "DDD",
    "DD",
    "D",
    "dddd",
    "ddd",
    "dd",
    "do",
    "d",
    "wo",
    "ww",
    "w|",
    "w",
    "Wo",
    "WW",
    "W|",
    "W",
    "Qo",
    "Q",
    "NNNNN",
    "NNNN",
    "NNN",
    "NN",
    "N",
    "YYYYYY",
    "YYYYY",
    "YYYY",
    "YY",
    "yyyy",
    "yyy",
    "yy",
    "yo",
    "y",
    "ggggg",
    "gggg",
    "gg",
    "GGGGG",
    "GGGG",
    "GG",
    "hh",
    "h",
    "HH",
    "H",
    "kk",
    "k",
    "mm",
    "m",
    "ss",
    "s",
    "SSSSSSSSS",
    "SSSSSSSS",
    "SSSSSSS",
    "SSSSSS",
    "SSSSS",
    "SSSS",
    "SSS",
    "SS",
    "S",
    "zz",
    "z",
    "ZZ",
    "Z",
];

/// Why a date could not be formatted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Cannot read properties of null (reading 'length')")]
pub(crate) struct EmptyFormat;

/// Formats an instant in a zone; `local` is the zone of the process, which unknown names fall back to.
pub(crate) fn format(
    instant: Instant,
    zone: &str,
    format: &str,
    local: &str,
) -> Result<String, EmptyFormat> {
    let Some(milliseconds) = instant else {
        return Ok("Invalid date".into());
    };
    Moment::new(milliseconds, zone, local).format(format)
}

/// An instant with the wall clock of a zone.
struct Moment {
    milliseconds: i64,
    /// Seconds east of UTC.
    offset: i64,
    abbreviation: String,
    /// Whether it is UTC by choice and not by the machine's setting.
    utc: bool,
    year: i64,
    month: i64,
    day: i64,
    /// Days since 1970, local.
    days: i64,
    /// Milliseconds since local midnight.
    time: i64,
}

impl Moment {
    fn new(milliseconds: i64, zone: &str, local: &str) -> Self {
        let known = zone::offset(zone, milliseconds);
        let (offset, abbreviation, utc) = match known {
            Some(found) => (
                i64::from(found.seconds),
                found.abbreviation,
                found.seconds == 0,
            ),
            None => {
                let found = zone::offset(local, milliseconds);
                (
                    found.map_or(0, |found| i64::from(found.seconds)),
                    String::new(),
                    false,
                )
            }
        };
        let wall = milliseconds + offset * 1000;
        let days = wall.div_euclid(86_400_000);
        let (year, month, day) = civil_from_days(days);
        Self {
            milliseconds,
            offset,
            abbreviation,
            utc,
            year,
            month,
            day,
            days,
            time: wall.rem_euclid(86_400_000),
        }
    }

    fn format(&self, format: &str) -> Result<String, EmptyFormat> {
        let default = if self.utc {
            "YYYY-MM-DDTHH:mm:ss[Z]"
        } else {
            "YYYY-MM-DDTHH:mm:ssZ"
        };
        let format = expand(if format.is_empty() { default } else { format });
        let mut text = String::new();
        let mut rest = format.as_str();
        let mut found = false;
        while let Some(c) = rest.chars().next() {
            let length = token_length(rest);
            if length == 0 {
                // The library's expression steps over line ends.
                rest = &rest[c.len_utf8()..];
                continue;
            }
            found = true;
            let (token, after) = rest.split_at(length);
            match self.field(token) {
                Some(field) => text.push_str(&field),
                None => text.push_str(&literal(token)),
            }
            rest = after;
        }
        if found { Ok(text) } else { Err(EmptyFormat) }
    }

    fn field(&self, token: &str) -> Option<String> {
        self.date_field(token)
            .or_else(|| self.week_field(token))
            .or_else(|| self.time_field(token))
    }

    fn date_field(&self, token: &str) -> Option<String> {
        let month = MONTHS.get(usize::try_from(self.month - 1).ok()?)?;
        let era_year = if self.year > 0 {
            self.year
        } else {
            1 - self.year
        };
        let day_of_year = self.days - days_from_civil(self.year, 1, 1) + 1;
        let quarter = (self.month + 2) / 3;
        Some(match token {
            "M" => self.month.to_string(),
            "MM" => fill(self.month, 2),
            "Mo" => ordinal(self.month),
            "MMM" => month.get(..3)?.to_owned(),
            "MMMM" => (*month).to_owned(),
            "Q" => quarter.to_string(),
            "Qo" => ordinal(quarter),
            "D" => self.day.to_string(),
            "DD" => fill(self.day, 2),
            "Do" => ordinal(self.day),
            "DDD" => day_of_year.to_string(),
            "DDDD" => fill(day_of_year, 3),
            "DDDo" => ordinal(day_of_year),
            "Y" if self.year > 9999 => format!("+{}", self.year),
            "Y" | "YYYY" => fill(self.year, 4),
            "YY" => fill(self.year % 100, 2),
            "YYYYY" => fill(self.year, 5),
            "YYYYYY" => format!(
                "{}{:06}",
                if self.year < 0 { '-' } else { '+' },
                self.year.abs()
            ),
            "y" => fill(era_year, 1),
            "yy" => fill(era_year, 2),
            "yyy" => fill(era_year, 3),
            "yyyy" => fill(era_year, 4),
            "yo" => ordinal(era_year),
            "NNNN" if self.year > 0 => "Anno Domini".to_owned(),
            "NNNN" => "Before Christ".to_owned(),
            "N" | "NN" | "NNN" | "NNNNN" => if self.year > 0 { "AD" } else { "BC" }.to_owned(),
            _ => return None,
        })
    }

    fn week_field(&self, token: &str) -> Option<String> {
        let weekday = (self.days + 4).rem_euclid(7);
        let name = DAYS.get(usize::try_from(weekday).ok()?)?;
        let (year, week) = self.week(0, 6);
        let (iso_year, iso_week) = self.week(1, 4);
        Some(match token {
            "d" | "e" => weekday.to_string(),
            "do" => ordinal(weekday),
            "dd" => name.get(..2)?.to_owned(),
            "ddd" => name.get(..3)?.to_owned(),
            "dddd" => (*name).to_owned(),
            "E" => if weekday == 0 { 7 } else { weekday }.to_string(),
            "w" => week.to_string(),
            "ww" => fill(week, 2),
            "wo" => ordinal(week),
            "W" => iso_week.to_string(),
            "WW" => fill(iso_week, 2),
            "Wo" => ordinal(iso_week),
            "gg" => fill(year % 100, 2),
            "gggg" => fill(year, 4),
            "ggggg" => fill(year, 5),
            "GG" => fill(iso_year % 100, 2),
            "GGGG" => fill(iso_year, 4),
            "GGGGG" => fill(iso_year, 5),
            _ => return None,
        })
    }

    fn time_field(&self, token: &str) -> Option<String> {
        let hour = self.time / 3_600_000;
        let minute = self.time / 60_000 % 60;
        let second = self.time / 1000 % 60;
        let millisecond = self.time % 1000;
        let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
        let twenty_four = if hour == 0 { 24 } else { hour };
        Some(match token {
            "H" => hour.to_string(),
            "HH" => fill(hour, 2),
            "h" => twelve.to_string(),
            "hh" => fill(twelve, 2),
            "k" => twenty_four.to_string(),
            "kk" => fill(twenty_four, 2),
            "hmm" => format!("{twelve}{minute:02}"),
            "hmmss" => format!("{twelve}{minute:02}{second:02}"),
            "Hmm" => format!("{hour}{minute:02}"),
            "Hmmss" => format!("{hour}{minute:02}{second:02}"),
            "a" => if hour > 11 { "pm" } else { "am" }.to_owned(),
            "A" => if hour > 11 { "PM" } else { "AM" }.to_owned(),
            "m" => minute.to_string(),
            "mm" => fill(minute, 2),
            "s" => second.to_string(),
            "ss" => fill(second, 2),
            "X" => self.milliseconds.div_euclid(1000).to_string(),
            "x" => self.milliseconds.to_string(),
            "z" | "zz" => self.abbreviation.clone(),
            "Z" => self.offset_text(":"),
            "ZZ" => self.offset_text(""),
            _ if token.bytes().all(|c| c == b'S') && token.len() <= 9 => {
                format!("{millisecond:03}000000")
                    .get(..token.len())?
                    .to_owned()
            }
            _ => return None,
        })
    }

    fn offset_text(&self, separator: &str) -> String {
        let minutes = self.offset.abs() / 60;
        let sign = if self.offset < 0 { '-' } else { '+' };
        format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
    }

    /// Year and number of the week, for weeks that start on `first` and whose first one holds 7 + `first` − `rule` January.
    fn week(&self, first: i64, rule: i64) -> (i64, i64) {
        let day_of_year = self.days - days_from_civil(self.year, 1, 1) + 1;
        let offset = week_offset(self.year, first, rule);
        let week = (day_of_year - offset - 1).div_euclid(7) + 1;
        let weeks = |year: i64| {
            let length = days_from_civil(year + 1, 1, 1) - days_from_civil(year, 1, 1);
            (length - week_offset(year, first, rule) + week_offset(year + 1, first, rule)) / 7
        };
        if week < 1 {
            (self.year - 1, week + weeks(self.year - 1))
        } else if week > weeks(self.year) {
            (self.year + 1, week - weeks(self.year))
        } else {
            (self.year, week)
        }
    }
}

/// How many days before the first week of the year the year begins, negated.
fn week_offset(year: i64, first: i64, rule: i64) -> i64 {
    let day = 7 + first - rule;
    let weekday = (days_from_civil(year, 1, 1) + day - 1 + 4).rem_euclid(7);
    day - 1 - (7 + weekday - first) % 7
}

fn fill(number: i64, width: usize) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{:0width$}", number.abs())
}

fn ordinal(number: i64) -> String {
    let suffix = match (number % 100 / 10, number % 10) {
        (1, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

/// Replaces the long formats, leaving `[…]` and what a backslash escapes.
fn expand(format: &str) -> String {
    let mut text = String::with_capacity(format.len());
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        let long = |rest: &str| {
            LONG_FORMATS
                .iter()
                .find(|(token, _)| rest.starts_with(token))
                .copied()
        };
        if let Some(length) = bracket_length(rest) {
            text.push_str(&rest[..length]);
            rest = &rest[length..];
        } else if let Some((token, _)) = rest.strip_prefix('\\').and_then(long) {
            text.push_str(&rest[..=token.len()]);
            rest = &rest[1 + token.len()..];
        } else if let Some((token, replacement)) = long(rest) {
            text.push_str(replacement);
            rest = &rest[token.len()..];
        } else {
            text.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    text
}

/// `[`, anything but another `[`, up to the last `]` of that stretch.
fn bracket_length(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('[')?;
    let stretch = &inner[..inner.find('[').unwrap_or(inner.len())];
    stretch.rfind(']').map(|at| at + 2)
}

/// The length of the token at the start; 0 at the end of a line.
fn token_length(rest: &str) -> usize {
    if let Some(length) = bracket_length(rest) {
        return length;
    }
    let token = |rest: &str| {
        TOKENS
            .iter()
            .find(|token| rest.starts_with(**token))
            .map(|token| token.len())
    };
    let character = |rest: &str| {
        rest.chars()
            .next()
            .filter(|c| !is_line_terminator(*c))
            .map(char::len_utf8)
    };
    let plain = |rest: &str| token(rest).or_else(|| character(rest));
    if let Some(after) = rest.strip_prefix('\\')
        && let Some(length) = plain(after)
    {
        return 1 + length;
    }
    plain(rest).unwrap_or_default()
}

fn literal(token: &str) -> String {
    let bracketed = token.len() > 1 && token.starts_with('[');
    if bracketed {
        let inner = token.strip_prefix('[').unwrap_or(token);
        inner.strip_suffix(']').unwrap_or(inner).to_owned()
    } else {
        token.replace('\\', "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: &str, pattern: &str) -> String {
        format(super::super::date::parse(text), zone, pattern, "UTC").unwrap()
    }

    #[test]
    fn formats_follow_the_library() {
        let date = "2026-03-04T05:06:07.089Z";
        for (pattern, expected) in [
            ("YYYYMMDD-HHmmss", "20260304-050607"),
            ("YYYYYY YYYYY YYYY YY Y", "+002026 02026 2026 26 2026"),
            ("hmm Hmmss k a A", "506 50607 5 am AM"),
            ("Do DDDo wo Wo Qo Mo do", "4th 63rd 10th 10th 1st 3rd 3rd"),
            ("[a] YYYY] b", "a] YYYY b"),
            ("\\YYYY [YYYY]", "YYYY YYYY"),
            ("L LT LTS", "03/04/2026 5:06 AM 5:06:07 AM"),
            ("LLLL", "Wednesday, March 4, 2026 5:06 AM"),
            ("l ll lll", "3/4/2026 Mar 4, 2026 Mar 4, 2026 5:06 AM"),
            ("S SS SSS SSSSSSSSS", "0 08 089 089000000"),
            ("X x", "1772600767 1772600767089"),
            ("N NNNN y yo", "AD Anno Domini 2026 2026th"),
            ("gg gggg GG GGGG w W e E", "26 2026 26 2026 10 10 3 3"),
            ("w| j", "w| j"),
            ("", "2026-03-04T05:06:07Z"),
        ] {
            assert_eq!(at(date, "UTC", pattern), expected, "{pattern}");
        }
        assert_eq!(at(date, "Asia/Kolkata", ""), "2026-03-04T10:36:07+05:30");
        assert_eq!(at(date, "Nowhere", "HH Z z"), "05 +00:00 ");
        assert_eq!(at("soon", "UTC", "YYYY"), "Invalid date");
        assert_eq!(format(Some(0), "UTC", "\n", "UTC"), Err(EmptyFormat));
    }

    #[test]
    fn weeks_at_the_turn_of_the_year() {
        assert_eq!(
            at("2027-01-01T00:00:00Z", "UTC", "gggg-ww GGGG-WW"),
            "2027-01 2026-53"
        );
        assert_eq!(
            at("2023-01-01T00:00:00Z", "UTC", "gggg-ww GGGG-WW"),
            "2023-01 2022-52"
        );
        assert_eq!(
            at("2022-12-31T00:00:00Z", "UTC", "gggg-ww GGGG-WW"),
            "2022-53 2022-52"
        );
    }
}
