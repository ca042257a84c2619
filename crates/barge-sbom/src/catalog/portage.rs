//! Gentoo: `var/db/pkg/CATEGORY/NAME-VERSION/CONTENTS`, with `LICENSE` beside it (Gentoo PMS, section 3; portage's VDB).

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::license;
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    // A virtual package installs nothing.
    Recognizer::new(&[Name::Is("CONTENTS")], contents)
        .accepts(|file| is_entry(file.directory))
        .even_empty(),
    Recognizer::new(&[Name::Is("LICENSE")], |file| {
        let text = file.text()?;
        // `BSD` is the one with three clauses here (Gentoo repository, `licenses/BSD`).
        let words = text.split_whitespace();
        let mut words = words.map(|word| if word == "BSD" { "BSD-3-Clause" } else { word });
        let licenses = expression(&mut words, " and ");
        Ok(Says::Licenses(vec![license::from_debian(&licenses)]))
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

/// `MIT || ( GPL-2 LGPL-2.1+ )` as `MIT and (GPL-2 or LGPL-2.1+)` (PMS, 8.2): what stands side by side holds together.
fn expression<'a>(words: &mut impl Iterator<Item = &'a str>, operator: &str) -> String {
    let mut parts = Vec::new();
    let mut inner = " and ";
    while let Some(word) = words.next() {
        match word {
            "||" => inner = " or ",
            "(" => {
                parts.push(format!("({})", expression(words, inner)));
                inner = " and ";
            }
            ")" => break,
            _ => parts.push(word.to_owned()),
        }
    }
    match parts.as_slice() {
        [only] => only
            .trim_start_matches('(')
            .trim_end_matches(')')
            .to_owned(),
        _ => parts.join(operator),
    }
}

/// The version begins after the last hyphen that a digit follows; a revision `-r1` belongs to it.
fn split(entry: &str) -> Option<(&str, &str)> {
    // `-MERGING-NAME` is an installation that did not end.
    if entry.starts_with('-') {
        return None;
    }
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
        assert_eq!(split("-MERGING-half-1.0"), None);
    }

    #[test]
    fn reads_licences() {
        let read = |text: &str| expression(&mut text.split_whitespace(), " and ");
        assert_eq!(
            read("MIT || ( GPL-2 LGPL-2.1+ )"),
            "MIT and (GPL-2 or LGPL-2.1+)"
        );
        assert_eq!(read("BSD"), "BSD");
        assert_eq!(read("|| ( Artistic GPL-1+ )"), "Artistic or GPL-1+");
        assert_eq!(read("( ( ("), "");
    }
}
