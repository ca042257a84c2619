//! `HEALTHCHECK`: its command, and durations as Go writes them.

use super::arguments::json;
use super::flags::Flags;
use super::instruction::Healthcheck;

/// Docker refuses shorter times than a millisecond.
const SHORTEST: i64 = 1_000_000;

pub(super) fn parse(flags: &mut Flags, text: &str) -> Result<Healthcheck, String> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    let test = match word.to_ascii_uppercase().as_str() {
        "NONE" if rest.is_empty() => vec!["NONE".to_owned()],
        "NONE" => return Err("`NONE` takes no arguments".into()),
        "CMD" if rest.is_empty() => return Err("a command is missing after `CMD`".into()),
        "CMD" => match json(rest) {
            Some(words) if words.is_empty() => {
                return Err("a command is missing after `CMD`".into());
            }
            Some(words) => std::iter::once("CMD".to_owned()).chain(words).collect(),
            None => vec!["CMD-SHELL".to_owned(), rest.to_owned()],
        },
        other => return Err(format!("expected `CMD` or `NONE`, found `{other}`")),
    };
    Ok(Healthcheck {
        test,
        interval: time(flags, "interval")?,
        timeout: time(flags, "timeout")?,
        start_period: time(flags, "start-period")?,
        start_interval: time(flags, "start-interval")?,
        retries: retries(flags)?,
    })
}

fn time(flags: &mut Flags, name: &str) -> Result<i64, String> {
    let Some(text) = flags.value(name)? else {
        return Ok(0);
    };
    let time = duration(&text)
        .ok_or_else(|| format!("`--{name}={text}` is not a duration such as `30s`"))?;
    if time != 0 && time < SHORTEST {
        return Err(format!("`--{name}={text}` is shorter than 1ms"));
    }
    Ok(time)
}

fn retries(flags: &mut Flags) -> Result<i64, String> {
    let Some(text) = flags.value("retries")? else {
        return Ok(0);
    };
    match text.parse::<i32>() {
        Ok(count) if count >= 0 => Ok(count.into()),
        _ => Err(format!("`--retries={text}` is not a count")),
    }
}

/// Reads `1h2m3.5s` as nanoseconds, exactly.
fn duration(text: &str) -> Option<i64> {
    if text == "0" {
        return Some(0);
    }
    let (mut rest, mut total) = (text.strip_prefix('+').unwrap_or(text), 0i64);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let units = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(units);
        total = total.checked_add(scaled(number, nanoseconds(unit)?)?)?;
        rest = next;
    }
    Some(total)
}

fn nanoseconds(unit: &str) -> Option<i64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

fn scaled(number: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole = if whole.is_empty() {
        0
    } else {
        whole.parse::<i64>().ok()?
    };
    let mut total = whole.checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.chars() {
        place /= 10;
        total = total.checked_add(i64::from(digit.to_digit(10)?) * place)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_go_durations() {
        let table = [
            ("30s", Some(30_000_000_000)),
            ("1m30s", Some(90_000_000_000)),
            ("1.5h", Some(5_400_000_000_000)),
            (".5s", Some(500_000_000)),
            ("100ms", Some(100_000_000)),
            ("0", Some(0)),
            ("", None),
            ("5", None),
            ("5x", None),
            (".s", None),
            ("1.2.3s", None),
            ("99999999999h", None),
        ];
        for (text, expected) in table {
            assert_eq!(duration(text), expected, "{text}");
        }
    }
}
