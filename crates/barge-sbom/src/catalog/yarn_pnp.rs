//! Yarn's Plug'n'Play: `.pnp.cjs` (`.pnp.js` before Yarn 3), the table from which Node resolves packages that stay zipped, or
//! the same as `.pnp.data.json` (yarnpkg.com, "Plug'n'Play specification").

use serde_json::Value;

use super::{Name, Recognizer};
use crate::finding::{Examined, File, Found, Refusal, Says};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Is(".pnp.cjs"), Name::Is(".pnp.js")], |file| {
        let text = file.text()?;
        let none = || Refusal::new("holds no table of packages in a form that is known");
        packages(&table(&text).ok_or_else(none)?)
    }),
    Recognizer::new(&[Name::Is(".pnp.data.json")], |file: &File<'_>| {
        packages(&file.json()?)
    }),
];

/// The table stands as JSON in a text of JavaScript, or as an argument.
fn table(program: &str) -> Option<Value> {
    let (_, rest) = program.split_once("RAW_RUNTIME_STATE =")?;
    let literal = rest.trim_start().strip_prefix('\'')?;
    let mut json = String::with_capacity(literal.len());
    let mut characters = literal.chars();
    loop {
        match characters.next()? {
            '\'' => return serde_json::from_str(&json).ok(),
            // A line goes on; anything else that is escaped stands for itself.
            '\\' => json.extend(characters.next().filter(|next| *next != '\n')),
            other => json.push(other),
        }
    }
}

/// `packageRegistryData`: a name, then a reference for each copy of it, with what the copy needs.
fn packages(table: &Value) -> Examined {
    let registry = table.get("packageRegistryData").and_then(Value::as_array);
    let registry = registry.ok_or_else(|| Refusal::new("has no `packageRegistryData`"))?;
    let mut found: Vec<Found> = Vec::new();
    for entry in registry {
        let Some((name, copies)) = entry.get(0).and_then(Value::as_str).zip(entry.get(1)) else {
            continue;
        };
        for copy in copies.as_array().into_iter().flatten() {
            let version = copy.get(0).and_then(Value::as_str).and_then(version);
            found.extend(version.map(|version| package(name, version, copy.get(1))));
        }
    }
    found.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    found.dedup_by(|a, b| (&a.name, &a.version) == (&b.name, &b.version));
    Ok(Says::Packages(found))
}

fn package(name: &str, version: &str, facts: Option<&Value>) -> Found {
    let mut found = Found::new(PackageKind::Npm, name, version);
    let needs = facts.and_then(|facts| facts.get("packageDependencies")?.as_array());
    for need in needs.into_iter().flatten() {
        // Under another name it is the name and the reference of what is meant.
        let alias = need.get(1).and_then(|target| target.get(0)?.as_str());
        let need = alias.or_else(|| need.get(0)?.as_str());
        let need = need.filter(|need| *need != name);
        found
            .requires
            .extend(need.map(|need| vec![need.to_owned()]));
    }
    found
}

/// `npm:4.17.21`, perhaps behind `virtual:HASH#`, and `patch:NAME@npm%3A1.22.8#...::version=1.22.8&...`. References to folders
/// have none.
fn version(reference: &str) -> Option<&str> {
    let reference = match reference.strip_prefix("virtual:") {
        Some(rest) => rest.split_once('#')?.1,
        None => reference,
    };
    if let Some(version) = reference.strip_prefix("npm:") {
        return version
            .split("::")
            .next()
            .filter(|version| !version.is_empty());
    }
    let (_, bindings) = reference.rsplit_once("::")?;
    let mut bindings = bindings.split('&');
    bindings.find_map(|binding| binding.strip_prefix("version="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_yarn_writes() {
        let program = r##"#!/usr/bin/env node
const RAW_RUNTIME_STATE =
'{\
  "packageRegistryData": [\
    [null, [[null, {"packageLocation": "./"}]]],\
    ["@b/frame", [["npm:7.24.2", {"packageDependencies": [["@b/frame", "npm:7.24.2"], ["chalk", "npm:2.4.2"], ["width-cjs", ["width", "npm:4.2.3"]]]}]]],\
    ["react-redux", [\
      ["npm:9.1.0", {}],\
      ["virtual:6a03#npm:9.1.0", {"packageLocation": "./it\'s"}]\
    ]],\
    ["resolve", [["patch:resolve@npm%3A1.22.8#optional!builtin<compat/resolve>::version=1.22.8&hash=9bd1a5", {}]]],\
    ["shop", [["workspace:.", {}]]]\
  ]\
}';
function"##;
        let Ok(Says::Packages(found)) = packages(&table(program).unwrap()) else {
            panic!("not read");
        };
        let named: Vec<_> = found
            .iter()
            .map(|f| format!("{} {}", f.name, f.version))
            .collect();
        assert_eq!(
            named,
            ["@b/frame 7.24.2", "react-redux 9.1.0", "resolve 1.22.8"]
        );
        assert_eq!(found[0].requires, [["chalk"], ["width"]]);
        for end in 0..program.len() - 20 {
            assert_eq!(program.get(..end).and_then(table), None);
        }
        assert!(packages(&Value::Null).is_err());
    }
}
