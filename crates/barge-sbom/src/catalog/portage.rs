//! Gentoo: `var/db/pkg/CATEGORY/NAME-VERSION/CONTENTS`, with `LICENSE` beside it (Gentoo PMS, section 3; portage's VDB).

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Is("CONTENTS")], contents).accepts(|file| is_entry(file.directory)),
    Recognizer::new(&[Name::Is("LICENSE")], |file| {
        let text = file.text()?;
        let words = text
            .split_whitespace()
            .filter(|word| !matches!(*word, "||" | "(" | ")"));
        Ok(Says::Licenses(words.map(str::to_owned).collect()))
    })
    .accepts(|file| is_entry(file.directory)),
];

fn is_entry(directory: &[u8]) -> bool {
    let mut parents = directory.rsplit(|byte| *byte == b'/').skip(2);
    parents.next() == Some(b"pkg") && parents.next() == Some(b"db")
}

fn contents(file: &File<'_>) -> Examined {
    let mut directories = file.directories();
    let (entry, category) = (directories.next(), directories.next());
    let parts = entry.and_then(split).zip(category);
    let Some(((name, version), category)) = parts else {
        return Ok(Says::Packages(Vec::new()));
    };
    let mut found = Found::new(PackageKind::Ebuild, format!("{category}/{name}"), version);
    let text = file.text()?;
    // `obj PATH MD5 TIME`, where the path may have blanks.
    let objects = text.lines().filter_map(|line| line.strip_prefix("obj "));
    let paths = objects.filter_map(|line| line.rsplitn(3, ' ').nth(2));
    found.files = paths
        .map(|path| path.trim_start_matches('/').to_owned())
        .collect();
    Ok(Says::Packages(vec![found]))
}

/// The version begins after the last hyphen that a digit follows; a revision `-r1` belongs to it.
fn split(entry: &str) -> Option<(&str, &str)> {
    let hyphens = entry.match_indices('-').map(|(at, _)| at);
    let mut starts = hyphens.filter(|at| entry[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    let at = starts.next_back()?;
    Some((&entry[..at], &entry[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_names_and_versions() {
        assert_eq!(
            split("gcc-13.2.1_p20240210-r1"),
            Some(("gcc", "13.2.1_p20240210-r1"))
        );
        assert_eq!(
            split("font-misc-100dpi-1.0"),
            Some(("font-misc-100dpi", "1.0"))
        );
        assert_eq!(split("noversion"), None);
    }
}
