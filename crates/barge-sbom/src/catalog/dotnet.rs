//! .NET: `*.deps.json` beside applications and in shared runtimes (dotnet/sdk, "Runtime configuration files"), and for
//! what a project asks for `packages.lock.json`, `packages.config`, `*.csproj` with exact versions and central versions
//! (learn.microsoft.com, NuGet reference).
//!
//! A library counts when the target has files of it: packages that only built the application or gather others are named
//! there, too. A shared runtime is also itself: `shared/NAME/VERSION`, as `dotnet --list-runtimes` prints it. Versions of
//! files are no versions of packages.

use std::collections::BTreeSet;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value};

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Refusal, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Extension("json")], dependencies)
        .accepts(|file| file.name.ends_with(b".deps.json")),
    Recognizer::new(&[Name::Is("packages.lock.json")], lock).declared(),
    Recognizer::new(
        &[
            Name::Is("packages.config"),
            Name::Is("Directory.Packages.props"),
            Name::Extension("csproj"),
            Name::Extension("fsproj"),
            Name::Extension("vbproj"),
        ],
        project,
    )
    .declared(),
];

/// What a library of a target may ship.
const ASSETS: [&str; 4] = ["runtime", "native", "resources", "runtimeTargets"];

fn dependencies(file: &File<'_>) -> Examined {
    let json: Value = file.json()?;
    let libraries = json.get("libraries").and_then(Value::as_object);
    let libraries = libraries.ok_or_else(|| Refusal::new("no `libraries`"))?;
    let targets: Vec<_> = json
        .get("targets")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::values)
        .filter_map(Value::as_object)
        .collect();
    let mut found: Vec<Found> = libraries
        .iter()
        .filter(|(key, _)| has_assets(&targets, key))
        .filter_map(|(key, library)| package(key, library))
        .collect();
    for package in &mut found {
        package.requires = needs(&targets, &format!("{}/{}", package.name, package.version));
    }
    found.extend(shared_runtime(file));
    Ok(Says::Packages(found))
}

/// Whether a library's files are there: in any target that names it, if one does.
fn has_assets(targets: &[&Map<String, Value>], key: &str) -> bool {
    let mut entries = targets
        .iter()
        .filter_map(|target| target.get(key)?.as_object())
        .peekable();
    // `_._` holds the place of a framework that needs no file.
    let has_files = |entry: &Map<String, Value>| {
        let files = |name: &&str| entry.get(*name)?.as_object();
        let mut paths = ASSETS.iter().filter_map(files).flat_map(Map::keys);
        paths.any(|path| !path.ends_with("/_._"))
    };
    entries.peek().is_none() || entries.any(has_files)
}

fn needs(targets: &[&Map<String, Value>], key: &str) -> Vec<Vec<String>> {
    targets
        .iter()
        .filter_map(|target| target.get(key)?.get("dependencies")?.as_object())
        .flat_map(Map::keys)
        .map(|name| vec![name.clone()])
        .collect()
}

/// `Name/Version`; a runtime that is shipped along is called `runtimepack.Name`.
fn package(key: &str, library: &Value) -> Option<Found> {
    let kind = library.get("type").and_then(Value::as_str)?;
    let (name, version) = key.rsplit_once('/')?;
    let name = match kind {
        "package" => name,
        "runtimepack" => name.trim_start_matches("runtimepack."),
        _ => return None,
    };
    (!name.is_empty() && !version.is_empty()).then(|| Found::new(PackageKind::Nuget, name, version))
}

/// `shared/NAME/VERSION/NAME.deps.json`.
fn shared_runtime(file: &File<'_>) -> Option<Found> {
    let mut directories = file.directories();
    let (version, name) = (directories.next()?, directories.next()?);
    let is_shared = directories.next() == Some("shared")
        && file.name().strip_suffix(".deps.json") == Some(name)
        && version.starts_with(|c: char| c.is_ascii_digit());
    is_shared.then(|| Found::new(PackageKind::Nuget, name, version))
}

fn lock(file: &File<'_>) -> Examined {
    let json: Value = file.json()?;
    let frameworks = json.get("dependencies").and_then(Value::as_object);
    let packages = frameworks
        .into_iter()
        .flat_map(Map::values)
        .filter_map(Value::as_object)
        .flatten();
    let named = packages
        .filter(|(_, entry)| entry.get("type").and_then(Value::as_str) != Some("Project"))
        .filter_map(|(name, entry)| Some((name.clone(), entry.get("resolved")?.as_str()?.into())));
    Ok(distinct(named.collect()))
}

/// Elements with a name and an exact version: `package id= version=`, `PackageReference` and `PackageVersion` with
/// `Include=` and `Version=`.
fn project(file: &File<'_>) -> Examined {
    let text = file.text()?;
    let mut reader = Reader::from_str(&text);
    let mut named = BTreeSet::new();
    loop {
        match reader.read_event()? {
            Event::Start(element) | Event::Empty(element) => named.extend(referenced(&element)),
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(distinct(named))
}

fn referenced(element: &BytesStart<'_>) -> Option<(String, String)> {
    let (name_key, version_key) = match element.local_name().as_ref() {
        "package" => ("id", "version"),
        "PackageReference" | "PackageVersion" => ("Include", "Version"),
        _ => return None,
    };
    let value = |key: &str| {
        let attribute = element.try_get_attribute(key).ok()??;
        Some(attribute.value.trim().to_owned())
    };
    let (name, version) = (value(name_key)?, value(version_key)?);
    // `[1.0]` is exact, too; ranges, wild cards and properties are not.
    let version = version
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(&version)
        .to_owned();
    let exact = version.starts_with(|c: char| c.is_ascii_digit()) && !version.contains([',', '*']);
    (exact && !name.is_empty()).then_some((name, version))
}

fn distinct(named: BTreeSet<(String, String)>) -> Says {
    let found = |(name, version)| Found::new(PackageKind::Nuget, name, version);
    Says::Packages(named.into_iter().map(found).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_are_no_packages() {
        let content = br#"{"targets":{"net8":{
            "A/1.0":{"dependencies":{"B":"2.0"},"runtime":{"lib/A.dll":{}}},"Build.Only/1.0":{"runtime":{}}}},"libraries":{
            "App/1.0.0":{"type":"project"},"A/1.0":{"type":"package"},"Build.Only/1.0":{"type":"package"},"B/2.0":{"type":"package"},
            "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1":{"type":"runtimepack"}}}"#
            .to_vec();
        let file = File {
            path: "App.deps.json",
            content: &content,
        };
        let Ok(Says::Packages(found)) = dependencies(&file) else {
            panic!("not read");
        };
        let names: Vec<_> = found.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(names, ["A", "B", "Microsoft.NETCore.App.Runtime.linux-x64"]);
        assert_eq!(found[0].requires, [["B"]]);
    }

    #[test]
    fn a_shared_runtime_is_itself() {
        let content = br#"{"targets":{},"libraries":{}}"#.to_vec();
        let file = File {
            path: "usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.1/Microsoft.NETCore.App.deps.json",
            content: &content,
        };
        let found = shared_runtime(&file).unwrap();
        assert_eq!(
            (found.name.as_str(), found.version.as_str()),
            ("Microsoft.NETCore.App", "8.0.1")
        );
    }

    #[test]
    fn projects_ask_for_exact_versions() {
        let content = br#"<Project><ItemGroup><PackageReference Include="A" Version="[1.2.3]" />
            <PackageVersion Include="B" Version="2.0.0"/><PackageReference Include="C" Version="3.*"/>
            <PackageReference Include="D" Version="$(V)"/><package id="E" version="5.0" targetFramework="net48"/></ItemGroup></Project>"#
            .to_vec();
        let file = File {
            path: "a.csproj",
            content: &content,
        };
        let Ok(Says::Packages(found)) = project(&file) else {
            panic!("not read");
        };
        let names: Vec<_> = found.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(names, ["A", "B", "E"]);
    }
}
