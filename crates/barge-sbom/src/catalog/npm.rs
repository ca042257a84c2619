//! JavaScript: `package.json` of installed packages.
//!
//! A package is installed when its directory is a child of `node_modules` (or of Debian's `usr/share/nodejs`), with its
//! scope between, and it has a name and a version; other `package.json` files are stubs, fixtures and sources
//! (docs.npmjs.com, folders). Global installs, pnpm and yarn trees follow the same rule.

use serde_json::{Map, Value};

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Refusal, Says};
use crate::license;
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] =
    &[Recognizer::new(&[Name::Is("package.json")], manifest)
        .accepts(|file| is_installed(file.directory))];

fn is_installed(directory: &[u8]) -> bool {
    let mut parents = directory.rsplit(|byte| *byte == b'/');
    let is_scope = parents.next().is_some_and(|name| name.starts_with(b"@"));
    let mut parent = parents.next();
    if parent.is_some_and(|name| name.starts_with(b"@")) {
        parent = parents.next();
    }
    if is_scope {
        return false;
    }
    match parent {
        Some(b"node_modules") => true,
        Some(b"nodejs") => parents.next() == Some(b"share") && parents.next() == Some(b"usr"),
        _ => false,
    }
}

fn manifest(file: &File<'_>) -> Examined {
    let Value::Object(json) = file.json()? else {
        return Err(Refusal::new("not a JSON object"));
    };
    let text = |key: &str| json.get(key).and_then(Value::as_str).map(str::trim);
    let name = text("name").filter(|name| !name.is_empty());
    let version = text("version").filter(|version| !version.is_empty());
    let (Some(name), Some(version)) = (name, version) else {
        return Ok(Says::Packages(Vec::new()));
    };
    let mut found = Found::new(PackageKind::Npm, name, version);
    found.licenses = licenses(&json);
    for key in ["dependencies", "optionalDependencies", "peerDependencies"] {
        let names = json
            .get(key)
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(Map::keys);
        found.requires.extend(names.map(|name| vec![name.clone()]));
    }
    found.fact("homepage", text("homepage").unwrap_or_default());
    found.fact("author", author(&json));
    if let Some(private) = json.get("private").and_then(Value::as_bool)
        && private
    {
        found.fact("private", "true");
    }
    Ok(Says::Packages(vec![found]))
}

/// `"license": "MIT"`, `{"type": "MIT"}`, or the old `"licenses": [{"type": "MIT"}]`.
fn licenses(json: &Map<String, Value>) -> Vec<String> {
    let entries = match (json.get("license"), json.get("licenses")) {
        (Some(Value::Array(entries)), _) | (None, Some(Value::Array(entries))) => entries.clone(),
        (Some(entry), _) | (None, Some(entry)) => vec![entry.clone()],
        (None, None) => Vec::new(),
    };
    let name = |entry: &Value| match entry {
        Value::String(name) => Some(name.clone()),
        Value::Object(entry) => Some(entry.get("type")?.as_str()?.to_owned()),
        _ => None,
    };
    let names = entries.iter().filter_map(name);
    names
        .map(|name| license::normalize(&name))
        .filter(|name| !name.is_empty())
        .collect()
}

fn author(json: &Map<String, Value>) -> &str {
    match json.get("author") {
        Some(Value::String(name)) => name,
        Some(Value::Object(person)) => person.get("name").and_then(Value::as_str).unwrap_or(""),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_children_of_node_modules_are_installed() {
        let cases = [
            ("app/node_modules/a", true),
            ("app/node_modules/@s/a", true),
            ("node_modules/a", true),
            ("usr/share/nodejs/a", true),
            ("usr/share/nodejs/@s/a", true),
            ("app/node_modules/.pnpm/a@1/node_modules/a", true),
            ("app/node_modules/a/dist", false),
            ("app/node_modules/@s", false),
            ("app", false),
            ("opt/nodejs/a", false),
        ];
        for (directory, expected) in cases {
            assert_eq!(is_installed(directory.as_bytes()), expected, "{directory}");
        }
    }

    #[test]
    fn a_package_has_a_name_and_a_version() {
        let read = |json: &str| {
            let file = File {
                path: "node_modules/a/package.json",
                content: &json.as_bytes().to_vec(),
            };
            match manifest(&file) {
                Ok(Says::Packages(found)) => Ok(found),
                other => Err(format!("{:?}", other.is_ok())),
            }
        };
        let found =
            read("\u{feff}{\"name\":\"a\",\"version\":\"1.0.0\",\"license\":{\"type\":\"MIT\"}}")
                .unwrap();
        assert_eq!(
            (found[0].name.as_str(), found[0].licenses[0].as_str()),
            ("a", "MIT")
        );
        assert!(read("{\"name\":\"a\"}").unwrap().is_empty());
        assert!(read("{\"name\":3,\"version\":\"1\"}").unwrap().is_empty());
        assert!(read("[]").is_err());
        assert!(read(&"[".repeat(100_000)).is_err());
    }
}
