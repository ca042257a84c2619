//! SWI-Prolog: installed packs, `pack.pl` (swi-prolog.org, "Creating packs"). Package URLs have no type for them.

use super::{Name, Recognizer};
use crate::finding::{Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[Recognizer::new(&[Name::Is("pack.pl")], |file| {
    Ok(Says::Packages(pack(&file.text()?).into_iter().collect()))
})];

/// Facts `name(list_util).` and `version('0.13.0').`, one a line.
fn pack(text: &str) -> Option<Found> {
    let fact = |name: &str| {
        text.lines().find_map(|line| {
            let value = line.trim().strip_prefix(name)?.strip_prefix('(')?;
            let value = value.split(')').next()?.trim();
            Some(value.trim_matches(['\'', '"']).to_owned())
        })
    };
    let mut found = Found::new(PackageKind::Generic, fact("name")?, fact("version")?);
    found.fact("language", "prolog");
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_facts() {
        let found = pack("name(list_util).\nversion('0.13.0').\ntitle('Predicates').\n").unwrap();
        assert_eq!((&*found.name, &*found.version), ("list_util", "0.13.0"));
        assert!(pack("name(x).\n").is_none());
    }
}
