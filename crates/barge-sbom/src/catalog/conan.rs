//! Conan: `conaninfo.txt` of packages in a cache or deployed folder; `conan.lock`, `conanfile.txt` for what is asked for
//! (docs.conan.io, "conaninfo.txt", "Lockfiles").

use serde_json::Value;

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Is("conaninfo.txt")], |file| {
        sections(file, &["full_requires", "requires"])
    }),
    Recognizer::new(&[Name::Is("conanfile.txt")], |file| {
        sections(file, &["requires"])
    })
    .declared(),
    Recognizer::new(&[Name::Is("conan.lock")], lock).declared(),
];

/// `[section]` lines; the first section that is there counts.
fn sections(file: &File<'_>, names: &[&str]) -> Examined {
    let text = file.text()?;
    for name in names {
        let heading = format!("[{name}]");
        let lines = text
            .lines()
            .map(str::trim)
            .skip_while(|line| *line != heading)
            .skip(1);
        let found: Vec<_> = lines
            .take_while(|line| !line.starts_with('['))
            .filter_map(reference)
            .collect();
        if !found.is_empty() {
            return Ok(Says::Packages(found));
        }
    }
    Ok(Says::Packages(Vec::new()))
}

/// `name/version@user/channel#revision:id`.
fn reference(text: &str) -> Option<Found> {
    let text = text.split(['#', ':']).next()?;
    let (name, version) = text.split('@').next()?.split_once('/')?;
    let exact = version.starts_with(|c: char| c.is_ascii_alphanumeric());
    exact.then(|| Found::new(PackageKind::Conan, name.trim(), version.trim()))
}

fn lock(file: &File<'_>) -> Examined {
    let json: Value = file.json()?;
    let lists = ["requires", "build_requires", "python_requires"];
    let second = lists
        .iter()
        .filter_map(|list| json.get(*list)?.as_array())
        .flatten()
        .filter_map(Value::as_str);
    let nodes = json.pointer("/graph_lock/nodes").and_then(Value::as_object);
    let first = nodes
        .into_iter()
        .flat_map(|nodes| nodes.values())
        .filter_map(|node| node.get("ref")?.as_str());
    Ok(Says::Packages(
        second.chain(first).filter_map(reference).collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_references() {
        let found = reference("zlib/1.2.13@user/stable#abc:123").unwrap();
        assert_eq!(
            (found.name.as_str(), found.version.as_str()),
            ("zlib", "1.2.13")
        );
        assert!(reference("zlib/[>1.2]").is_none());
        assert!(reference("nothing").is_none());
    }
}
