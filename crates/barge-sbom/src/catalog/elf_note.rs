//! ELF package notes: section `.note.package`, JSON that a distribution's linker writes (systemd.io,
//! ELF_PACKAGE_METADATA).

use serde_json::Value;

use crate::binary::Program;
use crate::finding::{Found, Refusal};
use crate::package::PackageKind;

const LIMIT: u64 = 64 << 10;
const NOTE_TYPE: u32 = 0xcafe_1a7e;

pub(super) fn packages(program: &Program<'_>) -> Result<Vec<Found>, Refusal> {
    let Some(section) = program.section(".note.package") else {
        return Ok(Vec::new());
    };
    let note = program.bytes(section, LIMIT)?;
    let Some(description) = description(&note, program.little_endian) else {
        return Ok(Vec::new());
    };
    let text = description
        .split(|byte| *byte == 0)
        .next()
        .unwrap_or_default();
    let json: Value = serde_json::from_slice(text)
        .map_err(|error| Refusal::new(format!("`.note.package` is no JSON: {error}")))?;
    Ok(package(&json).into_iter().collect())
}

/// Sizes of name and description, type, name padded to four bytes, description.
fn description(note: &[u8], little_endian: bool) -> Option<&[u8]> {
    let number = |at: usize| {
        let bytes = note.get(at..)?.first_chunk()?;
        Some(if little_endian {
            u32::from_le_bytes(*bytes)
        } else {
            u32::from_be_bytes(*bytes)
        })
    };
    if number(8)? != NOTE_TYPE {
        return None;
    }
    let name = usize::try_from(number(0)?)
        .ok()?
        .checked_next_multiple_of(4)?;
    let start = name.checked_add(12)?;
    note.get(start..start.checked_add(usize::try_from(number(4)?).ok()?)?)
}

fn package(json: &Value) -> Option<Found> {
    let text = |key: &str| {
        json.get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    // Debian's notes name the source, which is no package that anyone could have installed.
    let kind = match text("type")? {
        "rpm" => PackageKind::Rpm,
        "deb" => return None,
        "apk" => PackageKind::Apk,
        "alpm" | "pacman" => PackageKind::Alpm,
        _ => PackageKind::Generic,
    };
    let mut found = Found::new(kind, text("name")?, text("version")?);
    found.architecture = text("architecture").map(str::to_owned);
    found.fact(
        "cpe",
        text("osCpe")
            .filter(|cpe| cpe.starts_with("cpe:2.3:"))
            .unwrap_or_default(),
    );
    found.fact("note", "elf");
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_note() {
        let json = br#"{"type":"rpm","name":"hello","version":"0-1.fc35","architecture":"x86_64"}"#;
        let length = u32::try_from(json.len()).unwrap();
        let note = [
            &4u32.to_le_bytes()[..],
            &length.to_le_bytes(),
            &NOTE_TYPE.to_le_bytes(),
            b"FDO\0",
            json,
        ]
        .concat();
        let found =
            package(&serde_json::from_slice(description(&note, true).unwrap()).unwrap()).unwrap();
        assert_eq!(
            (found.kind, found.version.as_str()),
            (PackageKind::Rpm, "0-1.fc35")
        );
        for end in 0..note.len() {
            assert!(description(&note[..end], true).is_none());
        }
    }
}
