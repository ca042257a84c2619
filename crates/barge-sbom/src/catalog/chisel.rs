//! Chiselled Ubuntu images have no dpkg database: `var/lib/chisel/manifest.wall` lists the packages that were cut from and
//! the files that were kept (canonical/chisel, `public/manifest`): JSON lines, compressed by zstd.

use std::collections::BTreeMap;
use std::io::Read as _;

use serde::Deserialize;

use super::{Name, Place, Recognizer, directory_ends_with};
use crate::finding::{Examined, File, Found, Refusal, Says, TEXT_LIMIT};
use crate::package::PackageKind;

pub(super) const RECOGNIZERS: &[Recognizer] =
    &[Recognizer::new(&[Name::Is("manifest.wall")], manifest)
        .accepts(|file| directory_ends_with(file, "chisel"))
        .place(Place::Files(&["lib/chisel/manifest.wall"]))];

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line {
    Package {
        name: String,
        version: String,
        #[serde(default)]
        arch: Option<String>,
    },
    Path {
        path: String,
        #[serde(default)]
        slices: Vec<String>,
    },
    #[serde(other)]
    Other,
}

fn manifest(file: &File<'_>) -> Examined {
    let packed = file.content.bytes(TEXT_LIMIT)?;
    let mut text = String::new();
    let read = zstd::Decoder::new(&*packed)?
        .take(TEXT_LIMIT)
        .read_to_string(&mut text)?;
    if read as u64 == TEXT_LIMIT {
        return Err(Refusal::new("unpacks to more than 64 MiB"));
    }
    packages(&text).map(Says::Packages)
}

/// The first line names the format, each further one a package, a slice, a path or what belongs to what.
fn packages(text: &str) -> Result<Vec<Found>, Refusal> {
    let mut lines = text.lines();
    if !lines
        .next()
        .is_some_and(|head| head.contains("\"jsonwall\""))
    {
        return Err(Refusal::new("no chisel manifest"));
    }
    let mut packages: BTreeMap<String, Found> = BTreeMap::new();
    let mut files: Vec<(String, Vec<String>)> = Vec::new();
    for line in lines {
        match serde_json::from_str(line)? {
            Line::Package {
                name,
                version,
                arch,
            } => {
                let mut found = Found::new(PackageKind::Deb, &name, version);
                found.architecture = arch;
                packages.insert(name, found);
            }
            Line::Path { path, slices } if !path.ends_with('/') => files.push((path, slices)),
            Line::Path { .. } | Line::Other => {}
        }
    }
    for (path, slices) in files {
        // `libc6_libs` is a slice of `libc6`.
        let owner = slices.first().and_then(|slice| slice.split('_').next());
        if let Some(package) = owner.and_then(|name| packages.get_mut(name)) {
            package.files.push(path.trim_start_matches('/').to_owned());
        }
    }
    Ok(packages.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: &str = r#"{"jsonwall":"1.0","schema":"1.0","count":5}
{"kind":"content","slice":"libc6_libs","path":"/usr/lib/libc.so.6"}
{"kind":"package","name":"libc6","version":"2.39-0ubuntu8.3","sha256":"x","arch":"amd64"}
{"kind":"path","path":"/usr/lib/","mode":"0755"}
{"kind":"path","path":"/usr/lib/libc.so.6","mode":"0755","slices":["libc6_libs"],"sha256":"x","size":2}
{"kind":"slice","name":"libc6_libs"}
"#;

    #[test]
    fn reads_packages_and_their_files() {
        let packed = zstd::encode_all(WALL.as_bytes(), 1).unwrap();
        let file = File {
            path: "var/lib/chisel/manifest.wall",
            content: &packed,
        };
        let Ok(Says::Packages(found)) = manifest(&file) else {
            panic!("not read");
        };
        assert_eq!(found.len(), 1);
        assert_eq!(
            (&*found[0].name, &*found[0].version),
            ("libc6", "2.39-0ubuntu8.3")
        );
        assert_eq!(found[0].files, ["usr/lib/libc.so.6"]);
    }

    #[test]
    fn refuses_what_is_no_manifest() {
        assert!(packages("{}\n").is_err());
        assert!(packages("{\"jsonwall\":\"1.0\"}\n{").is_err());
    }
}
