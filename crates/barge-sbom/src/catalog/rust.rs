//! Rust: the dependency list that cargo-auditable puts into section `.dep-v0`, zlib-compressed JSON (cargo-auditable,
//! `PARSING.md`). Crates of kind `build` ran on the build machine and are not in the program: they are left out.

use std::io::Read as _;

use serde::Deserialize;

use crate::binary::Program;
use crate::finding::{Found, Refusal};
use crate::package::PackageKind;

/// The largest list that is unpacked, in bytes: cargo-auditable's own limit is 8 MiB.
const LIMIT: u64 = 16 << 20;

#[derive(Deserialize)]
struct Audit {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    source: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    dependencies: Vec<usize>,
    #[serde(default)]
    root: bool,
}

pub(super) fn packages(program: &Program<'_>) -> Result<Vec<Found>, Refusal> {
    let Some(section) = program.section(".dep-v0") else {
        return Ok(Vec::new());
    };
    let packed = program.bytes(section, LIMIT)?;
    let mut json = Vec::new();
    flate2::read::ZlibDecoder::new(packed.as_slice())
        .take(LIMIT)
        .read_to_end(&mut json)
        .map_err(|error| Refusal::new(format!("`.dep-v0` cannot be unpacked: {error}")))?;
    read(&json)
}

fn read(json: &[u8]) -> Result<Vec<Found>, Refusal> {
    let audit: Audit = serde_json::from_slice(json)
        .map_err(|error| Refusal::new(format!("`.dep-v0` is not as described: {error}")))?;
    let is_shipped = |package: &&Crate| package.kind.as_deref() != Some("build");
    Ok(audit
        .packages
        .iter()
        .filter(is_shipped)
        .filter(|package| !package.version.is_empty() && !package.name.is_empty())
        .map(|package| {
            let mut found = Found::new(PackageKind::Cargo, &package.name, &package.version);
            let needs = package
                .dependencies
                .iter()
                .filter_map(|at| audit.packages.get(*at));
            found.requires = needs
                .map(|need| vec![key(&need.name, &need.version)])
                .collect();
            found.provides = vec![key(&package.name, &package.version)];
            if package.source != "crates.io" {
                found.fact("source", &package.source);
            }
            if package.root {
                found.fact("root", "true");
            }
            found
        })
        .collect())
}

/// Two versions of a crate may be in one program, so dependencies are by name and version.
fn key(name: &str, version: &str) -> String {
    format!("{name} {version}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_build_crates_out() {
        let json = br#"{"packages":[
            {"name":"a","version":"1.0.0","source":"crates.io","dependencies":[2]},
            {"name":"cc","version":"1.1.0","source":"crates.io","kind":"build"},
            {"name":"b","version":"0.1.0","source":"local","root":true}]}"#;
        let found = read(json).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].requires, [["b 0.1.0"]]);
        assert_eq!(found[1].facts["source"], "local");
        assert!(read(b"{}").is_err());
    }
}
