//! The same layer by every way of reading it.

use std::io::{Cursor, Write as _};

use super::*;
use crate::tar::{Entry, Writer};
use crate::{Digest, Extent};

/// Keeps files called `keep*`, and those that begin with `MAGIC`.
struct Keep;

impl Interest for Keep {
    type Role = bool;
    type Finding = Vec<u8>;

    fn role(&self, file: &FileHead<'_>) -> Option<bool> {
        if file.name.starts_with(b"keep") {
            Some(true)
        } else {
            file.head.starts_with(b"MAGIC").then_some(false)
        }
    }

    fn examine(&self, _: bool, _: &[u8], content: &dyn Content) -> Option<Vec<u8>> {
        content
            .bytes(1 << 20)
            .ok()
            .map(std::borrow::Cow::into_owned)
    }
}

fn archive() -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    let mut file = |path: &str, content: &[u8]| {
        writer
            .file(&Entry::file(path, content.len() as u64), content)
            .unwrap();
    };
    file("a/big", &[7; 300_000]);
    file("a/keep-empty", b"");
    file("a/keep", &[1; 5000]);
    file("plain", b"content of a plain file");
    file("program", b"MAGIC number");
    file("b/\u{e9}/long".repeat(30).as_str(), b"MAGIC");
    writer
        .member(&Entry::hard_link("program2", "program"))
        .unwrap();
    writer
        .member(&Entry::hard_link("keep-late", "./plain"))
        .unwrap();
    writer
        .member(&Entry::hard_link("keep-below", "not/here"))
        .unwrap();
    writer
        .member(&Entry::symlink("keep-link", "a/keep"))
        .unwrap();
    writer.finish().unwrap()
}

fn extent(bytes: &[u8]) -> Extent {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"before").unwrap();
    file.write_all(bytes).unwrap();
    file.write_all(b"after").unwrap();
    let length = 6 + bytes.len() as u64 + 5;
    Extent::whole(std::sync::Arc::new(file), length).part(6, bytes.len() as u64)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn findings(index: &LayerIndex<Vec<u8>>) -> Vec<(String, Vec<u8>)> {
    let mut findings: Vec<_> = index
        .findings
        .iter()
        .map(|(id, finding)| {
            let view = index.entry(*id).unwrap();
            let path = path::join(view.directory, view.name);
            (String::from_utf8(path).unwrap(), finding.clone())
        })
        .collect();
    findings.sort();
    findings
}

#[test]
fn every_way_of_reading_gives_the_same() {
    let bytes = archive();
    let verified = Options {
        diff_id: Some(Digest::of(&bytes)),
        check_dense: false,
        verify: true,
    };
    let packed = [
        bytes.clone(),
        gzip(&bytes),
        zstd::encode_all(&bytes[..], 1).unwrap(),
    ];
    let plain = read(Source::Extent(extent(&bytes)), &Keep, Options::default()).unwrap();
    let expected = findings(&plain);
    let names: Vec<_> = expected.iter().map(|(path, _)| path.as_str()).collect();
    let long = "b/\u{e9}/long".repeat(30);
    assert_eq!(
        names,
        [
            "a/keep",
            "a/keep-empty",
            long.as_str(),
            "keep-late",
            "program",
            "program2"
        ]
    );
    for packed in &packed {
        let index = read(Source::Extent(extent(packed)), &Keep, verified).unwrap();
        assert_eq!(findings(&index), expected);
        assert_eq!(index.diff_id, verified.diff_id);
        assert_eq!(index.len(), plain.len());
    }
    for packed in packed {
        let stream = Source::Stream(Box::new(Cursor::new(packed)));
        let index = read(stream, &Keep, verified).unwrap();
        let passed: Vec<_> = index
            .unreadable
            .iter()
            .map(|file| file.path.clone())
            .collect();
        assert_eq!(passed, [b"keep-late"]);
        assert_eq!(findings(&index).len(), expected.len() - 1);
    }
}

#[test]
fn refuses_bytes_that_are_not_as_announced() {
    let bytes = archive();
    let options = Options {
        diff_id: Some(Digest::of(b"something else")),
        check_dense: false,
        verify: true,
    };
    for packed in [bytes.clone(), gzip(&bytes)] {
        let result = read(Source::Extent(extent(&packed)), &Keep, options);
        assert!(matches!(result, Err(Error::DiffId { .. })), "{result:?}");
    }
}

#[test]
fn a_packed_layer_is_checked_although_nobody_asked() {
    let bytes = archive();
    let options = Options {
        diff_id: Some(Digest::of(b"something else")),
        check_dense: false,
        verify: false,
    };
    let result = read(Source::Extent(extent(&gzip(&bytes))), &Keep, options);
    assert!(matches!(result, Err(Error::DiffId { .. })), "{result:?}");
    assert!(read(Source::Extent(extent(&bytes)), &Keep, options).is_ok());
    let options = Options {
        check_dense: true,
        ..options
    };
    assert!(
        read(Source::Extent(extent(&bytes)), &Keep, options).is_ok(),
        "a large file and few others"
    );
    let mut dense = Writer::new(Vec::new());
    dense.file(&Entry::file("a/keep", 4), &b"text"[..]).unwrap();
    let dense = dense.finish().unwrap();
    let result = read(Source::Extent(extent(&dense)), &Keep, options);
    assert!(matches!(result, Err(Error::DiffId { .. })), "{result:?}");
}

#[test]
fn a_cut_layer_tells_what_it_holds_unless_it_must_be_verified() {
    let bytes = archive();
    let packed = gzip(&bytes);
    let middle = bytes.len() - 9 * 512;
    for (cut, verify) in [
        (&bytes[..middle], false),
        (&packed[..packed.len() - 60], false),
        (&bytes[..middle], true),
        (&packed[..packed.len() - 60], true),
    ] {
        let options = Options {
            diff_id: Some(Digest::of(&bytes)),
            check_dense: true,
            verify,
        };
        let result = read(Source::Extent(extent(cut)), &Keep, options);
        assert_eq!(result.is_err(), verify);
        if let Ok(index) = result {
            let found = findings(&index);
            assert!(found.iter().any(|(path, _)| path == "a/keep"), "{found:?}");
            assert!(index.diff_id.is_none());
            let reason = index.broken.unwrap();
            assert!(
                reason.starts_with("the layer is not a sound tar archive: "),
                "{reason}"
            );
        }
    }
}

#[test]
fn an_empty_layer_has_no_entries() {
    for bytes in [&[][..], &[0; 1024]] {
        let index = read(Source::Extent(extent(bytes)), &Keep, Options::default()).unwrap();
        assert!(index.is_empty());
    }
}

#[test]
fn contents_stay_readable_in_a_plain_layer_only() {
    let bytes = archive();
    let content = |bytes: &[u8], limit| {
        let index = read(Source::Extent(extent(bytes)), &Keep, Options::default()).unwrap();
        let (id, _) = index
            .entries()
            .find(|(_, entry)| entry.name == b"plain")
            .unwrap();
        let content = index.content(id)?;
        Some(content.bytes(limit).ok().map(std::borrow::Cow::into_owned))
    };
    assert_eq!(
        content(&bytes, 100).unwrap().unwrap(),
        b"content of a plain file"
    );
    assert_eq!(content(&bytes, 10), Some(None));
    assert_eq!(content(&gzip(&bytes), 100), None);
}

#[test]
fn a_directory_reads_like_a_layer() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("a/b")).unwrap();
    std::fs::write(root.path().join("a/b/keep"), "1").unwrap();
    std::fs::write(root.path().join("a/x"), "MAGIC").unwrap();
    std::fs::write(root.path().join("a/y"), "nothing").unwrap();
    std::os::unix::fs::symlink("/etc", root.path().join("out")).unwrap();
    let index = read_directory(root.path(), &Keep).unwrap();
    let expected = [
        ("a/b/keep".to_owned(), b"1".to_vec()),
        ("a/x".to_owned(), b"MAGIC".to_vec()),
    ];
    assert_eq!(findings(&index), expected);
    assert!(
        index
            .entries()
            .all(|(_, entry)| !entry.directory.starts_with(b"out"))
    );
    let file = read_directory(&root.path().join("a/x"), &Keep).unwrap();
    assert_eq!(findings(&file), [("x".to_owned(), b"MAGIC".to_vec())]);
}

#[test]
fn an_index_survives_as_bytes_and_damage_does_not() {
    let bytes = archive();
    let options = Options {
        diff_id: Some(Digest::of(&bytes)),
        check_dense: false,
        verify: true,
    };
    let index = read(Source::Extent(extent(&bytes)), &Keep, options).unwrap();
    let encoded = index.to_bytes();
    let decoded = LayerIndex::<Vec<u8>>::from_bytes(&encoded).unwrap();
    assert_eq!(findings(&decoded), findings(&index));
    assert_eq!(decoded.diff_id, index.diff_id);
    let listing =
        |index: &LayerIndex<Vec<u8>>| format!("{:?}", index.entries().collect::<Vec<_>>());
    assert_eq!(listing(&decoded), listing(&index));
    for at in (0..encoded.len()).step_by(7) {
        let mut damaged = encoded.clone();
        damaged[at] ^= 1;
        let decoded = LayerIndex::<Vec<u8>>::from_bytes(&damaged);
        // A few bits of a zstd frame carry nothing.
        assert!(
            decoded.is_none_or(|decoded| listing(&decoded) == listing(&index)),
            "{at}"
        );
        assert!(
            LayerIndex::<Vec<u8>>::from_bytes(&encoded[..at]).is_none(),
            "{at}"
        );
    }
}

/// The map of a sparse file is part of what is kept: without it, a hard link of a higher layer could not be read.
#[test]
fn a_sparse_file_can_be_read_through_an_index_that_was_kept() {
    let map =
        "GNU.sparse.major=0\nGNU.sparse.minor=1\nGNU.sparse.size=8192\nGNU.sparse.map=4096,5\n";
    let records: String = map.lines().map(pax_record).collect();
    let mut bytes = Vec::new();
    let mut header = crate::tar::Writer::new(&mut bytes);
    header
        .file(
            &Entry::file("PaxHeaders/x", records.len() as u64),
            records.as_bytes(),
        )
        .unwrap();
    bytes.truncate(1024);
    bytes[156] = b'x';
    set_checksum(&mut bytes[..512]);
    let mut writer = Writer::new(Vec::new());
    writer
        .file(&Entry::file("keep-sparse", 5), b"MAGIC".as_slice())
        .unwrap();
    bytes.extend(writer.finish().unwrap());
    let extent = extent(&bytes);
    let index = read(Source::Extent(extent.clone()), &Keep, Options::default()).unwrap();
    assert_eq!(findings(&index)[0].1.len(), 8192);
    let kept = LayerIndex::<Vec<u8>>::from_bytes(&index.to_bytes())
        .unwrap()
        .over(&extent);
    let content = kept.content(0).unwrap();
    let content = content.bytes(1 << 20).unwrap();
    assert_eq!(content[4096..4101], *b"MAGIC");
    assert_eq!(content.len(), 8192);
}

/// `LENGTH KEY=VALUE\n`, where the length counts itself.
fn pax_record(text: &str) -> String {
    let bare = text.len() + 2;
    let length = bare + if bare + 2 > 99 { 3 } else { 2 };
    format!("{length} {text}\n")
}

fn set_checksum(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
