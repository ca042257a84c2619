//! Homebrew on Linux: kegs `Cellar/NAME/VERSION`, each with `INSTALL_RECEIPT.json` (docs.brew.sh, "Formula cookbook").

use serde_json::Value;

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] =
    &[
        Recognizer::new(&[Name::Is("INSTALL_RECEIPT.json")], receipt)
            .accepts(|file| file.directory.rsplit(|byte| *byte == b'/').nth(2) == Some(b"Cellar")),
    ];

fn receipt(file: &File<'_>) -> Examined {
    let mut directories = file.directories();
    let (Some(version), Some(name)) = (directories.next(), directories.next()) else {
        return Ok(Says::Packages(Vec::new()));
    };
    let json: Value = file.json()?;
    let mut found = Found::new(PackageKind::Brew, name, version);
    let tap = json.pointer("/source/tap").and_then(Value::as_str);
    found.fact("tap", tap.unwrap_or_default());
    let needs = json.get("runtime_dependencies").and_then(Value::as_array);
    let names = needs
        .into_iter()
        .flatten()
        .filter_map(|need| need.get("full_name")?.as_str());
    found.requires = names.map(|name| vec![name.to_owned()]).collect();
    Ok(Says::Packages(vec![found]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_keg() {
        let content = br#"{"source":{"tap":"homebrew/core"},"runtime_dependencies":[{"full_name":"openssl@3","version":"3.4.0"}]}"#.to_vec();
        let file = File {
            path: "home/linuxbrew/.linuxbrew/Cellar/curl/8.11.0_1/INSTALL_RECEIPT.json",
            content: &content,
        };
        let Ok(Says::Packages(found)) = receipt(&file) else {
            panic!("not read");
        };
        assert_eq!((&*found[0].name, &*found[0].version), ("curl", "8.11.0_1"));
        assert_eq!(found[0].requires, [["openssl@3"]]);
    }
}
