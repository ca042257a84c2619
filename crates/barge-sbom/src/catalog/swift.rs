//! What Swift projects ask for: `Package.resolved` (swiftlang/swift-package-manager, `PinsStore`). Programs name none of
//! it.

use serde_json::Value;

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] =
    &[Recognizer::new(&[Name::Is("Package.resolved")], resolved).declared()];

/// Versions 1 to 3 of the format: the address names the package.
fn resolved(file: &File<'_>) -> Examined {
    let json: Value = file.json()?;
    let pins = json
        .get("pins")
        .or_else(|| json.pointer("/object/pins"))
        .and_then(Value::as_array);
    let pin = |pin: &Value| {
        let address = pin
            .get("location")
            .or_else(|| pin.get("repositoryURL"))?
            .as_str()?;
        let version = pin.pointer("/state/version")?.as_str()?;
        let name = address
            .trim_start_matches("https://")
            .trim_start_matches("git@")
            .trim_end_matches(".git");
        Some(Found::new(
            PackageKind::Swift,
            name.replacen(':', "/", 1),
            version,
        ))
    };
    Ok(Says::Packages(
        pins.into_iter().flatten().filter_map(pin).collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_all_versions_of_the_format() {
        let first = r#"{"object":{"pins":[{"package":"NIO","repositoryURL":"https://github.com/apple/swift-nio.git","state":{"version":"2.1.0"}}]},"version":1}"#;
        let third = r#"{"pins":[{"identity":"swift-nio","location":"git@github.com:apple/swift-nio.git","state":{"version":"2.1.0"}},{"location":"https://x/y/z","state":{"branch":"main"}}],"version":3}"#;
        for text in [first, third] {
            let file = File {
                path: "Package.resolved",
                content: &text.as_bytes().to_vec(),
            };
            let Ok(Says::Packages(found)) = resolved(&file) else {
                panic!("not read");
            };
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].name, "github.com/apple/swift-nio");
        }
    }
}
