//! What Dart and Flutter projects ask for: `pubspec.lock` (dart.dev, "Package versioning"). Programs that were compiled
//! ahead of time name none of it.

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] =
    &[Recognizer::new(&[Name::Is("pubspec.lock")], pubspec).declared()];

/// Two blanks before a name, four before its version.
fn pubspec(file: &File<'_>) -> Examined {
    let text = file.text()?;
    let mut found = Vec::new();
    let mut name = "";
    for line in text.lines() {
        let depth = line.len() - line.trim_start().len();
        match (depth, line.trim().split_once(':')) {
            (2, Some((key, ""))) => name = key,
            (4, Some(("version", version))) => {
                let version = version.trim().trim_matches('"');
                found.push(Found::new(PackageKind::Pub, name, version));
            }
            _ => {}
        }
    }
    Ok(Says::Packages(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_and_versions() {
        let content = b"packages:\n  async:\n    dependency: transitive\n    description:\n      name: async\n\
      url: \"https://pub.dev\"\n    source: hosted\n    version: \"2.11.0\"\nsdks:\n  dart: \">=3.0.0\"\n"
            .to_vec();
        let file = File {
            path: "pubspec.lock",
            content: &content,
        };
        let Ok(Says::Packages(found)) = pubspec(&file) else {
            panic!("not read");
        };
        let names: Vec<_> = found
            .iter()
            .map(|found| (&*found.name, &*found.version))
            .collect();
        assert_eq!(names, [("async", "2.11.0")]);
    }
}
