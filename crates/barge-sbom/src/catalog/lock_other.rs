//! What other projects ask for: `requirements*.txt`, `Pipfile.lock`, `go.mod`, `pom.xml`, `gradle.lockfile`,
//! `pubspec.lock`, `Package.resolved`, `Podfile.lock`, `*.opam.locked`, `vcpkg.json`.
//! Only exact versions count: a range is no version.

use serde_json::Value;

use super::{Name, Recognizer, maven};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Begins("requirements")], |file| {
        lines(file, PackageKind::Pypi, requirement)
    })
    .accepts(|file| file.name.ends_with(b".txt"))
    .declared(),
    Recognizer::new(&[Name::Is("Pipfile.lock")], pipfile).declared(),
    Recognizer::new(&[Name::Is("go.mod")], |file| {
        lines(file, PackageKind::Golang, go_requirement)
    })
    .declared(),
    Recognizer::new(&[Name::Is("pom.xml")], pom).declared(),
    Recognizer::new(&[Name::Extension("lockfile")], |file| {
        lines(file, PackageKind::Maven, gradle)
    })
    .declared(),
    Recognizer::new(&[Name::Is("pubspec.lock")], pubspec).declared(),
    Recognizer::new(&[Name::Is("Package.resolved")], swift).declared(),
    Recognizer::new(&[Name::Is("Podfile.lock")], |file| {
        lines(file, PackageKind::Generic, pod)
    })
    .declared(),
    Recognizer::new(&[Name::Is("vcpkg.json")], vcpkg).declared(),
    Recognizer::new(&[Name::Extension("locked")], |file| {
        lines(file, PackageKind::Opam, opam)
    })
    .accepts(|file| file.name.ends_with(b".opam.locked"))
    .declared(),
];

/// One package a line, at most.
fn lines(
    file: &File<'_>,
    kind: PackageKind,
    read: fn(&str) -> Option<(String, String)>,
) -> Examined {
    let text = file.text()?;
    let mut named: Vec<_> = text.lines().filter_map(|line| read(line.trim())).collect();
    named.sort();
    named.dedup();
    Ok(Says::Packages(
        named
            .into_iter()
            .map(|(name, version)| Found::new(kind, name, version))
            .collect(),
    ))
}

fn owned(name: &str, version: &str) -> (String, String) {
    (name.trim().to_owned(), version.trim().to_owned())
}

/// `name[extra]==1.0 ; marker --hash=...`.
fn requirement(line: &str) -> Option<(String, String)> {
    if line.starts_with(['#', '-']) {
        return None;
    }
    let need = line.split([';', '#']).next()?.split(" --").next()?;
    let (name, version) = need.split_once("===").or_else(|| need.split_once("=="))?;
    let name = name.split('[').next()?;
    let version = version
        .split([',', ' ', '\\'])
        .find(|part| !part.is_empty())?;
    (!version.contains('*')).then(|| owned(name, version))
}

fn pipfile(file: &File<'_>) -> Examined {
    let json: Value = file.json()?;
    let sections = ["default", "develop"]
        .into_iter()
        .filter_map(|name| json.get(name)?.as_object());
    let package = |(name, entry): (&String, &Value)| {
        let version = entry.get("version")?.as_str()?.strip_prefix("==")?;
        Some(Found::new(PackageKind::Pypi, name, version))
    };
    Ok(Says::Packages(
        sections.flatten().filter_map(package).collect(),
    ))
}

/// `require x v1` and lines of its block; what is replaced or excluded is not asked for.
fn go_requirement(line: &str) -> Option<(String, String)> {
    let line = line
        .split("//")
        .next()?
        .trim()
        .trim_start_matches("require ");
    let mut words = line.split_whitespace();
    let (path, version, rest) = (words.next()?, words.next()?, words.next());
    let exact = version.starts_with('v') && path.contains('.') && rest.is_none();
    exact.then(|| owned(path, version))
}

fn pom(file: &File<'_>) -> Examined {
    let text = file.text()?;
    let mut all = maven::dependencies(&text);
    all.extend(maven::from_pom(&text));
    all.sort();
    let package = |pom: maven::Coordinates| {
        Found::new(
            PackageKind::Maven,
            format!("{}:{}", pom.group, pom.artifact),
            pom.version,
        )
    };
    Ok(Says::Packages(all.into_iter().map(package).collect()))
}

/// `group:artifact:version=configurations`.
fn gradle(line: &str) -> Option<(String, String)> {
    if line.starts_with('#') {
        return None;
    }
    let (name, version) = line.split('=').next()?.rsplit_once(':')?;
    Some(owned(name, version))
}

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
                found.push(Found::new(
                    PackageKind::Pub,
                    name,
                    version.trim().trim_matches('"'),
                ));
            }
            _ => {}
        }
    }
    Ok(Says::Packages(found))
}

/// Versions 1 to 3 of the format: the address names the package.
fn swift(file: &File<'_>) -> Examined {
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

/// `- Name (1.0):` under `PODS:`.
fn pod(line: &str) -> Option<(String, String)> {
    let entry = line
        .strip_prefix("- ")?
        .trim_end_matches(':')
        .trim_matches('"');
    let (name, version) = entry.strip_suffix(')')?.split_once(" (")?;
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then(|| owned(name, version))
}

fn vcpkg(file: &File<'_>) -> Examined {
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
            PackageKind::Generic,
            entry.get("name")?.as_str()?,
            version,
        ))
    };
    Ok(Says::Packages(overrides.filter_map(package).collect()))
}

/// `"name" {= "1.0"}`.
fn opam(line: &str) -> Option<(String, String)> {
    let (name, rest) = line.strip_prefix('"')?.split_once('"')?;
    let version = rest.split_once("{= \"")?.1.split('"').next()?;
    Some(owned(name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_versions_count() {
        type Read = fn(&str) -> Option<(String, String)>;
        type Case<'a> = (Read, &'a str, Option<(&'a str, &'a str)>);
        let cases: &[Case<'_>] = &[
            (
                requirement,
                "certifi==2023.7.22 --hash=sha256:x",
                Some(("certifi", "2023.7.22")),
            ),
            (
                requirement,
                "requests[socks]==2.31.0 ; python_version > '3'",
                Some(("requests", "2.31.0")),
            ),
            (requirement, "docutils>=0.20", None),
            (requirement, "-e ./local", None),
            (
                go_requirement,
                "github.com/a/b v1.2.3 // indirect",
                Some(("github.com/a/b", "v1.2.3")),
            ),
            (
                go_requirement,
                "require example.com/x v0.1.0",
                Some(("example.com/x", "v0.1.0")),
            ),
            (go_requirement, "go 1.22", None),
            (
                gradle,
                "org.a:b:1.0=compileClasspath",
                Some(("org.a:b", "1.0")),
            ),
            (
                pod,
                "- AFNetworking (4.0.1):",
                Some(("AFNetworking", "4.0.1")),
            ),
            (pod, "- AFNetworking (~> 4.0)", None),
            (opam, "\"dune\" {= \"3.0\"}", Some(("dune", "3.0"))),
        ];
        for (read, line, expected) in cases {
            let found = read(line);
            let found = found
                .as_ref()
                .map(|(name, version)| (name.as_str(), version.as_str()));
            assert_eq!(found, *expected, "{line}");
        }
    }
}
