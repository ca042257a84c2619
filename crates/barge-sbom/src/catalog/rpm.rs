//! rpm: the database in any of its formats (see [`crate::rpm`]), and the manifest of Azure Linux's distroless images,
//! `var/lib/rpmmanifest/container-manifest-2`.

use super::{Name, Place, Recognizer, directory_ends_with};
use crate::finding::{Examined, File, Found, Refusal, Says};
use crate::package::{PackageKind, SourcePackage};
use crate::rpm;

pub(super) const RECOGNIZERS: &[Recognizer] = &[
    Recognizer::new(
        &[
            Name::Is("Packages"),
            Name::Is("Packages.db"),
            Name::Is("rpmdb.sqlite"),
        ],
        |file| rpm::packages(file.content),
    )
    .accepts(|file| {
        // Debian repositories have text files called so. Where rpm keeps its own, a broken one must be told.
        file.name != b"Packages"
            || directory_ends_with(file, "rpm")
            || file
                .head
                .get(12..16)
                .is_some_and(|magic| matches!(magic, [0x61, 0x15, 0x06, 0] | [0, 0x06, 0x15, 0x61]))
    })
    .place(Place::Files(&[
        "lib/rpm/Packages",
        "lib/rpm/Packages.db",
        "lib/rpm/rpmdb.sqlite",
        "share/rpm/Packages",
        "share/rpm/Packages.db",
        "share/rpm/rpmdb.sqlite",
        "lib/sysimage/rpm/Packages",
        "lib/sysimage/rpm/Packages.db",
        "lib/sysimage/rpm/rpmdb.sqlite",
    ])),
    Recognizer::new(&[Name::Is("rpmdb.sqlite-wal")], pending_changes).place(Place::Files(&[
        "lib/rpm/rpmdb.sqlite-wal",
        "share/rpm/rpmdb.sqlite-wal",
        "lib/sysimage/rpm/rpmdb.sqlite-wal",
    ])),
    Recognizer::new(&[Name::Is("container-manifest-2")], manifest)
        .accepts(|file| directory_ends_with(file, "lib/rpmmanifest")),
];

/// A write-ahead log (sqlite.org, "WAL-mode File Format") that was not written back: rpm leaves none when it ends well.
/// Its header and that of its first frame name the same two salts as long as its frames count.
fn pending_changes(file: &File<'_>) -> Examined {
    let mut head = [0; 56];
    let read = file.content.read_at(0, &mut head)?;
    let is_log = head.starts_with(&[0x37, 0x7f, 0x06]);
    if read < head.len() || !is_log || head[16..24] != head[40..48] {
        return Ok(Says::Packages(Vec::new()));
    }
    Err(Refusal::new(
        "holds changes that were not written back into the database: end rpm before the image is made",
    ))
}

/// Name, version-release, install time, build time, vendor, epoch, size, architecture, epoch, source rpm; tabs between.
fn manifest(file: &File<'_>) -> Examined {
    let text = file.text()?;
    Ok(Says::Packages(text.lines().filter_map(line).collect()))
}

fn line(line: &str) -> Option<Found> {
    let fields: Vec<_> = line.split('\t').map(str::trim).collect();
    let field = |at: usize| {
        fields
            .get(at)
            .copied()
            .filter(|text| !text.is_empty() && *text != "(none)")
    };
    let (name, version) = (field(0)?, field(1)?);
    let version = match field(5).or(field(8)) {
        Some(epoch) if epoch != "0" => format!("{epoch}:{version}"),
        _ => version.to_owned(),
    };
    let mut found = Found::new(PackageKind::Rpm, name, version);
    found.architecture = field(7).map(str::to_owned);
    found.fact("vendor", field(4).unwrap_or_default());
    let stem = field(9).and_then(|file| file.strip_suffix(".src.rpm"));
    found.source = stem.and_then(|stem| {
        let (rest, release) = stem.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        Some(SourcePackage {
            name: name.to_owned(),
            version: format!("{version}-{release}"),
        })
    });
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_manifest_line() {
        let text = "bash\t5.1.8-1.cm2\t1653816591\t1653628955\tMicrosoft Corporation\t(none)\t3571720\tx86_64\t0\tbash-5.1.8-1.cm2.src.rpm";
        let found = line(text).unwrap();
        assert_eq!(
            (found.name.as_str(), found.version.as_str()),
            ("bash", "5.1.8-1.cm2")
        );
        assert_eq!(found.source.unwrap().version, "5.1.8-1.cm2");
    }

    #[test]
    fn changes_that_wait_are_not_passed_over() {
        let log = |first_salt: u8| {
            let mut log = vec![0; 4096];
            log[..4].copy_from_slice(&[0x37, 0x7f, 0x06, 0x82]);
            log[16] = 7;
            log[40] = first_salt;
            log
        };
        let read = |content: &Vec<u8>| {
            let file = File {
                path: "var/lib/rpm/rpmdb.sqlite-wal",
                content,
            };
            pending_changes(&file).is_err()
        };
        assert!(read(&log(7)));
        assert!(!read(&log(6)), "frames of an older generation");
        assert!(!read(&log(7)[..32].to_vec()));
    }
}
