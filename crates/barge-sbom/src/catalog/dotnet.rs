//! .NET: `*.deps.json` beside applications and in shared runtimes (dotnet/sdk, "Runtime configuration files"), and
//! `packages.lock.json`. Only what is a NuGet package counts; versions of files are no versions of packages.

use serde_json::{Map, Value};

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Refusal, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Extension("json")], dependencies)
        .accepts(|file| file.name.ends_with(b".deps.json")),
    Recognizer::new(&[Name::Is("packages.lock.json")], lock).declared(),
];

fn dependencies(file: &File<'_>) -> Examined {
    let json: Value = file.json()?;
    let libraries = json.get("libraries").and_then(Value::as_object);
    let libraries = libraries.ok_or_else(|| Refusal::new("no `libraries`"))?;
    let targets = json.get("targets").and_then(Value::as_object);
    let mut found: Vec<Found> = libraries
        .iter()
        .filter_map(|(key, library)| package(key, library))
        .collect();
    for package in &mut found {
        let key = format!("{}/{}", package.name, package.version);
        let needs = targets
            .into_iter()
            .flat_map(Map::values)
            .filter_map(|target| target.get(&key)?.get("dependencies")?.as_object());
        package.requires = needs
            .flat_map(Map::keys)
            .map(|name| vec![name.clone()])
            .collect();
    }
    Ok(Says::Packages(found))
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

fn lock(file: &File<'_>) -> Examined {
    let json: Value = file.json()?;
    let frameworks = json.get("dependencies").and_then(Value::as_object);
    let packages = frameworks
        .into_iter()
        .flat_map(Map::values)
        .filter_map(Value::as_object)
        .flatten();
    let mut found: Vec<_> = packages
        .filter_map(|(name, entry)| {
            let version = entry.get("resolved")?.as_str()?;
            Some(Found::new(PackageKind::Nuget, name, version))
        })
        .collect();
    found.dedup_by(|a, b| a.name == b.name && a.version == b.version);
    Ok(Says::Packages(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_are_no_packages() {
        let content = br#"{"targets":{"net8":{"A/1.0":{"dependencies":{"B":"2.0"}}}},"libraries":{
            "App/1.0.0":{"type":"project"},"A/1.0":{"type":"package"},"B/2.0":{"type":"package"},
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
}
