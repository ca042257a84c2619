//! What JavaScript projects ask for: `package-lock.json` (all versions), `yarn.lock` (classic and berry), `pnpm-lock.yaml`,
//! `bun.lock`, `deno.lock`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(
        &[
            Name::Is("package-lock.json"),
            Name::Is("npm-shrinkwrap.json"),
        ],
        npm,
    )
    .declared(),
    Recognizer::new(&[Name::Is("yarn.lock")], |file| {
        Ok(packages(yarn(&file.text()?)))
    })
    .declared(),
    Recognizer::new(&[Name::Is("pnpm-lock.yaml")], |file| {
        Ok(packages(pnpm(&file.text()?)))
    })
    .declared(),
    Recognizer::new(&[Name::Is("bun.lock")], |file| {
        Ok(packages(bun(&file.text()?)))
    })
    .declared(),
    Recognizer::new(&[Name::Is("deno.lock")], deno).declared(),
];

type Named = BTreeSet<(String, String)>;

fn packages(named: Named) -> Says {
    let exact = named.into_iter().filter(|(name, version)| {
        !name.is_empty() && version.starts_with(|c: char| c.is_ascii_digit())
    });
    Says::Packages(
        exact
            .map(|(name, version)| Found::new(PackageKind::Npm, name, version))
            .collect(),
    )
}

/// `name@version`, where the name may have a scope.
fn split(entry: &str) -> Option<(String, String)> {
    let at = entry.get(1..)?.find('@')? + 1;
    let version = entry[at + 1..].trim_start_matches("npm:");
    let version = version.split('(').next().unwrap_or_default();
    Some((entry[..at].to_owned(), version.to_owned()))
}

fn npm(file: &File<'_>) -> Examined {
    let json: Value = file.json()?;
    let mut named = Named::new();
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    for (path, entry) in json
        .get("packages")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let Some((_, name)) = path.rsplit_once("node_modules/") else {
            continue;
        };
        let is_link = entry.get("link").and_then(Value::as_bool) == Some(true);
        let name = text(entry, "name").unwrap_or_else(|| name.to_owned());
        named.extend(
            text(entry, "version")
                .filter(|_| !is_link)
                .map(|version| (name, version)),
        );
    }
    if named.is_empty() {
        // The first version of the format: nested `dependencies`.
        let mut pending: Vec<&Value> = json.get("dependencies").into_iter().collect();
        while let Some(level) = pending.pop() {
            for (name, entry) in level.as_object().into_iter().flatten() {
                named.extend(text(entry, "version").map(|version| (name.clone(), version)));
                pending.extend(entry.get("dependencies"));
            }
        }
    }
    Ok(packages(named))
}

/// An unindented line names the ranges, an indented one the version; berry's version may be in `resolution`.
fn yarn(text: &str) -> Named {
    let mut named = Named::new();
    let mut name = None;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if !line.starts_with(' ') {
            let first = line
                .trim_matches(['"', ':'])
                .split([',', '"'])
                .next()
                .unwrap_or_default();
            let is_local = line.contains("@workspace:") || line.contains("@link:");
            name = split(first).map(|(name, _)| name).filter(|_| !is_local);
        } else if let (Some(known), Some(version)) = (&name, line.trim().strip_prefix("version")) {
            let version = version.trim_matches([' ', ':', '"']);
            named.insert((known.clone(), version.to_owned()));
            name = None;
        }
    }
    named
}

/// Keys of section `packages`: `/name@1.0.0:`, `name@1.0.0:` or `/name/1.0.0:`, by version of the format.
fn pnpm(text: &str) -> Named {
    let section = text.lines().skip_while(|line| *line != "packages:").skip(1);
    let keys = section
        .take_while(|line| line.is_empty() || line.starts_with(' '))
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        .filter(|key| !key.starts_with(' '));
    let entry = |key: &str| {
        let key = key.trim_matches('\'').trim_start_matches('/');
        let key = key.split('(').next().unwrap_or_default();
        split(key).or_else(|| {
            let (name, version) = key.rsplit_once('/')?;
            Some((name.to_owned(), version.split('_').next()?.to_owned()))
        })
    };
    keys.filter_map(entry).collect()
}

/// Section `packages` of JSON with trailing commas: `"name": ["name@1.0.0", ...]`, a line each.
fn bun(text: &str) -> Named {
    let entries = text.lines().filter_map(|line| {
        let (_, rest) = line.split_once(": [\"")?;
        split(rest.split('"').next()?)
    });
    entries.collect()
}

fn deno(file: &File<'_>) -> Examined {
    let json: Value = file.json()?;
    let sections = [
        json.pointer("/npm"),
        json.pointer("/packages/npm"),
        json.pointer("/npm/packages"),
    ];
    let keys = sections
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(serde_json::Map::keys);
    let entry = |key: &String| {
        let (name, version) = split(key)?;
        // Peers are noted behind an underscore.
        Some((name, version.split('_').next()?.to_owned()))
    };
    Ok(packages(keys.filter_map(entry).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(named: Named) -> Vec<String> {
        named
            .into_iter()
            .map(|(name, version)| format!("{name}@{version}"))
            .collect()
    }

    #[test]
    fn reads_yarn_pnpm_and_bun() {
        let classic = "# c\n\"@babel/core@^7.0.0\", \"@babel/core@^7.1\":\n  version \"7.24.0\"\n  resolved \"x\"\n\nms@2.1.2:\n  version \"2.1.2\"\n";
        assert_eq!(names(yarn(classic)), ["@babel/core@7.24.0", "ms@2.1.2"]);
        let berry =
            "\"app@workspace:.\":\n  version: 0.0.0\n\n\"ms@npm:^2.1.1\":\n  version: 2.1.3\n";
        assert_eq!(names(yarn(berry)), ["ms@2.1.3"]);
        let text = "lockfileVersion: '9.0'\n\npackages:\n\n  '@a/b@1.0.0':\n    resolution: {}\n\n  /c/2.0.0_x:\n    dev: true\n\nsnapshots:\n  d@1:\n";
        assert_eq!(names(pnpm(text)), ["@a/b@1.0.0", "c@2.0.0"]);
        assert_eq!(
            names(bun("    \"ms\": [\"ms@2.1.3\", \"\", {}, \"sha\"],\n")),
            ["ms@2.1.3"]
        );
    }

    #[test]
    fn reads_both_shapes_of_package_lock() {
        let new = r#"{"packages":{"":{"version":"1"},"node_modules/a":{"version":"1.0.0"},"node_modules/a/node_modules/@s/b":{"version":"2.0.0"},"node_modules/l":{"link":true,"version":"1.0.0"}}}"#;
        let old = r#"{"dependencies":{"a":{"version":"1.0.0","dependencies":{"@s/b":{"version":"2.0.0"}}}}}"#;
        for text in [new, old] {
            let file = File {
                path: "package-lock.json",
                content: &text.as_bytes().to_vec(),
            };
            let Ok(Says::Packages(found)) = npm(&file) else {
                panic!("not read");
            };
            assert_eq!(found.len(), 2, "{text}");
        }
    }
}
