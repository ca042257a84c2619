//! Haskell: `package.conf.d/*.conf` of registered libraries (ghc-pkg's `InstalledPackageInfo`); `stack.yaml.lock` and
//! `cabal.project.freeze` for what a project asks for.

use super::{Name, Recognizer, directory_ends_with};
use crate::finding::{Examined, File, Found, Says};
use crate::license;
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Extension("conf")], |file| {
        let text = file.text()?;
        Ok(Says::Packages(registered(&text).into_iter().collect()))
    })
    .accepts(|file| directory_ends_with(file, "package.conf.d")),
    Recognizer::new(
        &[
            Name::Is("cabal.project.freeze"),
            Name::Is("stack.yaml.lock"),
            Name::Is("stack.yaml"),
        ],
        declared,
    )
    .declared(),
];

fn registered(text: &str) -> Option<Found> {
    let field = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(line.trim()).filter(|value| !value.is_empty())
    };
    let mut found = Found::new(PackageKind::Hackage, field("name")?, field("version")?);
    found.licenses = field("license")
        .map(license::normalize)
        .into_iter()
        .collect();
    found.fact("homepage", field("homepage").unwrap_or_default());
    Some(found)
}

/// `any.NAME ==VERSION` of cabal; `hackage: NAME-VERSION@...` of stack.
fn declared(file: &File<'_>) -> Examined {
    let text = file.text()?;
    let split = |entry: &str| {
        let (name, version) = entry.rsplit_once('-')?;
        Some((name.to_owned(), version.to_owned()))
    };
    let entry = |line: &str| {
        let line = line.trim();
        if let Some((name, version)) = line.split_once(" ==") {
            let name = name
                .trim_start_matches("constraints:")
                .trim()
                .trim_start_matches("any.");
            return Some((name.to_owned(), version.trim_end_matches(',').to_owned()));
        }
        let entry = line
            .trim_start_matches("- ")
            .trim_start_matches("hackage: ");
        split(entry.split('@').next().unwrap_or_default())
    };
    let is_version = |version: &str| {
        version.starts_with(|c: char| c.is_ascii_digit())
            && version.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    let found = text
        .lines()
        .filter_map(entry)
        .filter(|(_, version)| is_version(version));
    Ok(Says::Packages(
        found
            .map(|(name, version)| Found::new(PackageKind::Hackage, name, version))
            .collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_declared() {
        for text in [
            "constraints: any.aeson ==2.1.0,\n",
            "- hackage: aeson-2.1.0@sha256:x,1\n",
        ] {
            let content = text.as_bytes().to_vec();
            let file = File {
                path: "x",
                content: &content,
            };
            let Ok(Says::Packages(found)) = declared(&file) else {
                panic!("not read");
            };
            assert_eq!(
                (found[0].name.as_str(), found[0].version.as_str()),
                ("aeson", "2.1.0")
            );
        }
    }
}
