//! Conan: the database of version 2's cache, `p/cache.sqlite3`; of version 1's cache and of deployed folders the path of
//! `conaninfo.txt`, and what it says that the package was built with; `conan.lock`, `conanfile.txt` for what is asked for
//! (docs.conan.io, "The Conan cache", "full_deploy", "conaninfo.txt", "Lockfiles").

use serde_json::Value;

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;
use crate::sqlite;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Is("cache.sqlite3")], cache)
        .accepts(|file| file.head.starts_with(b"SQLite format 3\0")),
    Recognizer::new(&[Name::Is("conaninfo.txt")], information),
    Recognizer::new(&[Name::Is("conanfile.txt")], |file| {
        Ok(Says::Packages(section(&file.text()?, "requires")))
    })
    .declared(),
    Recognizer::new(&[Name::Is("conan.lock")], lock).declared(),
];

/// Table `packages`: a reference, then what else is known of the binary.
fn cache(file: &File<'_>) -> Examined {
    let mut found = Vec::new();
    sqlite::rows(file.content, "packages", &mut |columns| {
        let text = columns
            .first()
            .and_then(|text| std::str::from_utf8(text).ok());
        found.extend(text.and_then(reference));
    })?;
    Ok(Says::Packages(found))
}

/// The requirements that version 2 notes are ranges (`1.Y.Z`), and no packages.
fn information(file: &File<'_>) -> Examined {
    let mut found = section(&file.text()?, "full_requires");
    found.extend(of_path(file.path));
    Ok(Says::Packages(found))
}

/// `data/NAME/VERSION/USER/CHANNEL/package/ID/`, or `full_deploy/host/NAME/VERSION/...`.
fn of_path(path: &str) -> Option<Found> {
    let parts: Vec<&str> = path.split('/').collect();
    let deployed = parts.windows(4).find_map(|part| match part {
        ["full_deploy", "host" | "build", name, version] => Some((*name, *version)),
        _ => None,
    });
    let cached = parts.windows(7).find_map(|part| match part {
        ["data", name, version, _, _, "package", _] => Some((*name, *version)),
        _ => None,
    });
    let (name, version) = deployed.or(cached)?;
    Some(Found::new(PackageKind::Conan, name, version))
}

/// The references in a `[section]`.
fn section(text: &str, name: &str) -> Vec<Found> {
    let heading = format!("[{name}]");
    let lines = text.lines().map(str::trim);
    lines
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(reference)
        .collect()
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
        let of = |path| of_path(path).map(|found| format!("{}@{}", found.name, found.version));
        let cached = "root/.conan/data/zlib/1.3/_/_/package/5ab8/conaninfo.txt";
        assert_eq!(of(cached).as_deref(), Some("zlib@1.3"));
        let deployed = "app/full_deploy/host/fmt/10.2.1/Release/x86_64/conaninfo.txt";
        assert_eq!(of(deployed).as_deref(), Some("fmt@10.2.1"));
        assert_eq!(of("root/.conan2/p/b/alpha/p/conaninfo.txt"), None);
    }
}
