//! Bills of materials inside images: `*.cdx.json`, `*.cdx.xml`, `*.cdx`, `*.spdx.json` and `*.spdx` in JSON, of which Bitnami
//! puts one beside each component (`opt/bitnami/NAME/.spdx-NAME.spdx`). What they
//! list is taken at their word, and says whose word it was. Those of Python wheels (PEP 770) are passed over: they list
//! the build machine's distribution packages as if they were installed.

use super::{Name, Recognizer};
use crate::bom;
use crate::finding::{Examined, File, Found, Refusal, Says, TEXT_LIMIT};
use crate::package::Package;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(&[Name::Extension("json")], read)
        .accepts(|file| file.name.ends_with(b".cdx.json") || file.name.ends_with(b".spdx.json")),
    Recognizer::new(&[Name::Extension("xml")], read)
        .accepts(|file| file.name.ends_with(b".cdx.xml")),
    Recognizer::new(&[Name::Extension("spdx"), Name::Extension("cdx")], read).accepts(|file| {
        let head = file.head.trim_ascii_start();
        head.starts_with(b"{") || head.starts_with(b"<?xml") || head.starts_with(b"<bom")
    }),
];

fn read(file: &File<'_>) -> Examined {
    let bytes = file.content.bytes(TEXT_LIMIT)?;
    let sbom = bom::read(&bytes).map_err(|error| Refusal::new(error.to_string()))?;
    let stated = |package: Package| {
        let mut found = Found::new(package.kind, package.name, package.version);
        found.architecture = package.architecture;
        found.source = package.source;
        found.licenses = package.licenses;
        found.fact("stated-by", "embedded bill of materials");
        // Not what a package manager of this image installed: it owns no files.
        found.fact("note", "bill");
        found
    };
    Ok(Says::Packages(
        sbom.packages.into_iter().map(stated).collect(),
    ))
}
