//! R: `DESCRIPTION` of installed packages (R, "Writing R Extensions", 1.1.1), which have `Meta/package.rds` beside it as
//! `installed.packages()` asks.

use super::deb822::{Stanza, relations};
use super::{Name, Recognizer};
use crate::finding::{Found, Says};
use crate::license;
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] =
    &[Recognizer::new(&[Name::Is("DESCRIPTION")], |file| {
        let text = file.text()?;
        Ok(Says::Packages(
            Stanza::all(&text)
                .first()
                .and_then(package)
                .into_iter()
                .collect(),
        ))
    })
    .beside("Meta/package.rds")];

fn package(stanza: &Stanza<'_>) -> Option<Found> {
    let _built = stanza.get("Built")?;
    let mut found = Found::new(
        PackageKind::Cran,
        stanza.get("Package")?,
        stanza.get("Version")?,
    );
    found.licenses = stanza.get("License").map(license).into_iter().collect();
    for field in ["Depends", "Imports", "LinkingTo"] {
        found.requires.extend(relations(
            &stanza.get(field).unwrap_or_default().replace('\n', " "),
        ));
    }
    for (fact, field) in [("maintainer", "Maintainer"), ("repository", "Repository")] {
        found.fact(fact, stanza.get(field).unwrap_or_default());
    }
    Some(found)
}

/// `GPL (>= 2) | file LICENSE` names a further text, `MIT + file LICENSE` an addition to the text (R, "Licensing").
fn license(text: &str) -> String {
    let text = text
        .replace(" + file LICENSE", "")
        .replace(" + file LICENCE", "");
    license::normalize(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_licences() {
        for (written, expected) in [
            ("MIT + file LICENSE", "MIT"),
            (
                "GPL-2.0-only | GPL-3.0-only",
                "GPL-2.0-only OR GPL-3.0-only",
            ),
            ("GPL (>= 2)", "GPL-2.0-or-later"),
            ("Part of R 4.5.0", "Part of R 4.5.0"),
        ] {
            assert_eq!(license(written), expected, "{written}");
        }
    }
}
