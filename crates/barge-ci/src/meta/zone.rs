//! Time zones by name, from the tz database in the program, looked up as moment-timezone does.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// moment-timezone's data end in 2037: what holds then holds for ever.
const LAST_KNOWN: i64 = 2_145_916_799;

/// What a zone says about an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offset {
    /// Seconds east of UTC.
    pub(crate) seconds: i32,
    /// The abbreviation, such as `CET` or `-03`.
    pub(crate) abbreviation: String,
}

/// The offset of a zone; nothing when no zone has the name. Case is ignored, and `_` stands for `/`.
pub(crate) fn offset(name: &str, milliseconds: i64) -> Option<Offset> {
    let zone = zone(name)?;
    let second = milliseconds.div_euclid(1000).min(LAST_KNOWN);
    let info_at = Timestamp::from_second(second).ok()?;
    let info = zone.to_offset_info(info_at);
    Some(Offset {
        seconds: info.offset().seconds(),
        abbreviation: info.abbreviation().to_owned(),
    })
}

fn zone(name: &str) -> Option<TimeZone> {
    // Pseudo-zones that the library does not carry.
    if ["factory", "localtime", "posixrules"].contains(&name.to_ascii_lowercase().as_str()) {
        return None;
    }
    let database = TimeZoneDatabase::bundled();
    if let Ok(zone) = database.get(name) {
        return Some(zone);
    }
    let wanted = normalize(name);
    let found = database
        .available()
        .find(|known| normalize(known.as_str()) == wanted)?;
    database.get(found.as_str()).ok()
}

fn normalize(name: &str) -> String {
    name.to_lowercase().replace('/', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_found_by_any_spelling() {
        let winter = 1_767_225_600_000;
        for name in ["Europe/Berlin", "europe/berlin", "EUROPE_BERLIN"] {
            let found = offset(name, winter).unwrap();
            assert_eq!(
                (found.seconds, found.abbreviation.as_str()),
                (3600, "CET"),
                "{name}"
            );
        }
        assert_eq!(
            offset("America/Sao_Paulo", winter).unwrap().abbreviation,
            "-03"
        );
        assert_eq!(offset("Mars/Olympus", winter), None);
        assert_eq!(offset("Factory", winter), None);
    }
}
