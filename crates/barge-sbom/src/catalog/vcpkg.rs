//! vcpkg (C and C++): what is installed, `vcpkg_installed/vcpkg/status`, in the format of dpkg's database
//! (microsoft/vcpkg-tool, `StatusParagraph`), and exact versions that `vcpkg.json` asks for.

use serde_json::Value;

use super::deb822::Stanza;
use super::{Name, Recognizer, directory_ends_with};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Is("status")], |file| {
        Ok(Says::Packages(installed(&file.text()?)))
    })
    .accepts(|file| directory_ends_with(file, "vcpkg")),
    Recognizer::new(&[Name::Is("vcpkg.json")], manifest).declared(),
];

/// Features of a package have stanzas of their own, without a version.
fn installed(text: &str) -> Vec<Found> {
    let package = |stanza: &Stanza<'_>| {
        if stanza.get("Status")? != "install ok installed" {
            return None;
        }
        let version = stanza.get("Version")?;
        let mut found = Found::new(PackageKind::Vcpkg, stanza.get("Package")?, version);
        let port = stanza.get("Port-Version").filter(|port| *port != "0");
        found.fact("port_version", port.unwrap_or_default());
        found.architecture = stanza.get("Architecture").map(str::to_owned);
        Some(found)
    };
    Stanza::all(text).iter().filter_map(package).collect()
}

fn manifest(file: &File<'_>) -> Examined {
    let json: Value = file.json()?;
    let overrides = json
        .get("overrides")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let package = |entry: &Value| {
        let version = ["version", "version-string", "version-semver"]
            .into_iter()
            .find_map(|key| entry.get(key)?.as_str())?;
        Some(Found::new(
            PackageKind::Vcpkg,
            entry.get("name")?.as_str()?,
            version,
        ))
    };
    Ok(Says::Packages(overrides.filter_map(package).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_installed() {
        let text = "Package: zlib\nVersion: 1.3.1\nPort-Version: 2\nArchitecture: x64-linux\nStatus: install ok installed\n\n\
Package: curl\nFeature: ssl\nArchitecture: x64-linux\nStatus: install ok installed\n\n\
Package: fmt\nVersion: 11.0.2\nArchitecture: x64-linux\nStatus: purge ok not-installed\n";
        let found = installed(text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].facts["port_version"], "2");
    }
}
