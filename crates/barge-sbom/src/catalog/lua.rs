//! Lua: `*.rockspec` of rocks that LuaRocks installed (luarocks.org, "Rockspec format"), as `NAME/VERSION/NAME-VERSION.rockspec`
//! in its tree; those that lie elsewhere are sources.

use barge_image::layer::FileHead;

use super::{Name, Recognizer};
use crate::finding::{Found, Says};
use crate::license;
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] =
    &[Recognizer::new(&[Name::Extension("rockspec")], |file| {
        let text = file.text()?;
        Ok(Says::Packages(rock(&text).into_iter().collect()))
    })
    .accepts(is_installed)];

fn is_installed(file: &FileHead<'_>) -> bool {
    let mut above = file.directory.rsplit(|byte| *byte == b'/');
    let (Some(version), Some(name)) = (above.next(), above.next()) else {
        return false;
    };
    file.name == [name, b"-", version, b".rockspec"].concat()
}

/// Top-level assignments of string literals; a rockspec is Lua, but these three are literals in practice.
fn rock(text: &str) -> Option<Found> {
    let assigned = |name: &str| {
        text.lines().find_map(|line| {
            let (target, value) = line.split_once('=')?;
            let value = value.trim().trim_end_matches([';', ',']);
            let quoted = ['"', '\'']
                .into_iter()
                .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
            quoted.filter(|_| target.trim() == name)
        })
    };
    let mut found = Found::new(
        PackageKind::Luarocks,
        assigned("package")?,
        assigned("version")?,
    );
    found.licenses = assigned("license")
        .map(license::normalize)
        .into_iter()
        .collect();
    found.fact("homepage", assigned("homepage").unwrap_or_default());
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_assignments() {
        let found = rock(
            "package = \"lpeg\"\nversion = '1.1.0-2'\ndescription = {\n  license = \"MIT\",\n}\n",
        )
        .unwrap();
        assert_eq!(
            (found.version.as_str(), found.licenses[0].as_str()),
            ("1.1.0-2", "MIT")
        );
        assert!(rock("version = \"1\"").is_none());
    }
}
