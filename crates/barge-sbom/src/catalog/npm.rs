//! JavaScript: `package.json` of installed packages.
//!
//! A package is installed when its directory is a child of `node_modules` (or of Debian's `usr/share/nodejs`), with its
//! scope between, and it has a name and a version; other `package.json` files are stubs, fixtures and sources
//! (docs.npmjs.com, folders). Global installs, pnpm and yarn trees follow the same rule.

use serde_json_borrow::{ObjectAsVec, Value};

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Refusal, Says, TEXT_LIMIT};
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
    let bytes = file.content.bytes(TEXT_LIMIT)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    // Texts stay where they are: large images have ten thousand of these files.
    let json: Value<'_> = serde_json::from_slice(bytes)?;
    let object = json.as_object();
    let manifest = Manifest(object.ok_or_else(|| Refusal::new("not a JSON object"))?);
    let (Some(name), Some(version)) = (manifest.text("name"), manifest.text("version")) else {
        return Ok(Says::Packages(Vec::new()));
    };
    let mut found = Found::new(PackageKind::Npm, name, version);
    found.licenses = manifest.licenses();
    for key in ["dependencies", "optionalDependencies", "peerDependencies"] {
        let needs = manifest.field(key).and_then(Value::iter_object);
        let needs = needs.into_iter().flatten();
        found
            .requires
            .extend(needs.map(|(name, _)| vec![name.to_owned()]));
    }
    found.fact("homepage", manifest.text("homepage").unwrap_or_default());
    found.fact("author", manifest.author().unwrap_or_default());
    if manifest.field("private").and_then(Value::as_bool) == Some(true) {
        found.fact("private", "true");
    }
    Ok(Says::Packages(vec![found]))
}

struct Manifest<'a>(&'a ObjectAsVec<'a>);

impl<'a> Manifest<'a> {
    /// Of equal names the last counts, as in JavaScript.
    fn field(&self, key: &str) -> Option<&'a Value<'a>> {
        let mut latest_first = self.0.as_vec().iter().rev();
        latest_first
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        let text = self.field(key)?.as_str()?.trim();
        Some(text).filter(|text| !text.is_empty())
    }

    /// `"license": "MIT"`, `{"type": "MIT"}`, or the old `"licenses": [{"type": "MIT"}]`.
    fn licenses(&self) -> Vec<String> {
        let stated = self.field("license").or_else(|| self.field("licenses"));
        let entries = match stated {
            Some(Value::Array(entries)) => entries.as_slice(),
            Some(entry) => std::slice::from_ref(entry),
            None => &[],
        };
        let name = |entry: &'a Value<'a>| match entry {
            Value::Str(name) => Some(&**name),
            entry => entry.get("type").as_str(),
        };
        let names = entries.iter().filter_map(name);
        names
            .map(license::normalize)
            .filter(|name| !name.is_empty())
            .collect()
    }

    fn author(&self) -> Option<&'a str> {
        match self.field("author")? {
            Value::Str(name) => Some(name),
            person => person.get("name").as_str(),
        }
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
        let twice = read(
            r#"{"name":"a","version":"1","version":"2","licenses":[{"type":"MIT"},"ISC"],"author":{"name":"b"}}"#,
        );
        let found = twice.unwrap();
        assert_eq!(
            (&*found[0].version, &found[0].licenses[..]),
            ("2", &["MIT".to_owned(), "ISC".to_owned()][..])
        );
        assert_eq!(found[0].facts["author"], "b");
        assert!(read("[]").is_err());
        assert!(read(&"[".repeat(100_000)).is_err());
    }
}
