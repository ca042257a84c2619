//! The index as a file: equal input gives equal bytes, damage gives errors, hostile records stay harmless.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::io::Write as _;
use std::path::Path;

use barge_sbom::bom::of_package_urls as bill;
use barge_vuln::{Database, Error, compile, find, write_file};

fn record(id: &str, name: &str, fixed: &str, more: &str) -> String {
    format!(
        r#"{{"id":"{id}","modified":"2026-01-02T03:04:05Z","summary":"flaw of {name}","details":"long text",
        "affected":[{{"package":{{"ecosystem":"npm","name":"{name}"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]{more}}}"#
    )
}

/// A folder with records of many packages, an archive and side data.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..40 {
        let aliases = format!(r#","aliases":["CVE-2026-{:04}"]"#, 1000 + number);
        let text = record(
            &format!("GHSA-{number}"),
            &format!("package-{number}"),
            "2.0.0",
            &aliases,
        );
        fs::write(folder.path().join(format!("{number}.json")), text).unwrap();
    }
    let kev = r#"{"vulnerabilities":[{"cveID":"CVE-2026-1003","dateAdded":"2026-02-03","knownRansomwareCampaignUse":"Known"}]}"#;
    fs::write(folder.path().join("kev.json"), kev).unwrap();
    let vectors =
        "CVE-2026-1003\tcna\tCVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\t9.8\tCRITICAL\n";
    fs::write(folder.path().join("cve_severity.tsv"), vectors).unwrap();
    fs::write(
        folder.path().join("epss_scores.csv"),
        "#model\ncve,epss,percentile\nCVE-2026-1003,0.5,0.99\n",
    )
    .unwrap();
    folder
}

fn build(folder: &Path) -> Vec<u8> {
    compile(folder).unwrap().finish().unwrap()
}

fn hits(database: &Database, purl: &str) -> Result<usize, Error> {
    Ok(find(database, &bill(&[purl.to_owned()]).unwrap(), None)?
        .matches
        .len())
}

#[test]
fn equal_input_gives_equal_bytes() {
    let folder = folder();
    assert_eq!(build(folder.path()), build(folder.path()));
}

#[test]
fn side_data_is_folded_in() {
    let database = Database::from_bytes(build(folder().path())).unwrap();
    let found = find(
        &database,
        &bill(&["pkg:npm/package-3@1.0.0".to_owned()]).unwrap(),
        None,
    )
    .unwrap();
    let advisory = &found.matches[0].advisory;
    assert_eq!(advisory.id, "CVE-2026-1003");
    assert_eq!(advisory.severity.score, Some(9.8));
    assert_eq!(
        advisory.severity.source.to_string(),
        "CVE-2026-1003 cna CVSS 3.1"
    );
    assert_eq!(
        advisory.epss.map(barge_vuln::Epss::fractions),
        Some((0.5, 0.99))
    );
    assert!(
        advisory
            .exploited
            .as_ref()
            .is_some_and(|exploited| exploited.ransomware)
    );
}

/// Asks everything of an index that may be damaged; whatever is wrong must be an error.
fn ask_everything(bytes: Vec<u8>) -> Result<usize, Error> {
    let database = Database::from_bytes(bytes)?;
    let mut found = 0;
    for number in 0..40 {
        found += hits(&database, &format!("pkg:npm/package-{number}@1.0.0"))?;
        if let Some(group) = database.find(&format!("GHSA-{number}"))? {
            for record in database.group(group)?.records {
                let record = database.record(record)?;
                database.texts(std::slice::from_ref(&record))?;
            }
        }
    }
    database.verify()?;
    Ok(found)
}

#[test]
fn no_truncation_is_taken_for_an_index() {
    let whole = build(folder().path());
    assert_eq!(ask_everything(whole.clone()).unwrap(), 40);
    for length in 0..whole.len() {
        assert!(
            Database::from_bytes(whole[..length].to_vec()).is_err(),
            "{length} of {}",
            whole.len()
        );
    }
}

#[test]
fn no_flipped_bit_goes_unnoticed_or_panics() {
    let whole = build(folder().path());
    let step = (whole.len() / 1500).max(1);
    for at in (0..whole.len()).step_by(step) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(ask_everything(damaged).is_err(), "byte {at}");
    }
}

/// Without the digest of the whole, as a scan goes: what it says of 40 packages is right, or it says nothing.
#[test]
fn no_flipped_bit_changes_an_answer() {
    let purls: Vec<String> = (0..40)
        .map(|number| format!("pkg:npm/package-{number}@1.0.0"))
        .collect();
    let bill = bill(&purls).unwrap();
    let answer = |bytes: Vec<u8>| -> Result<String, Error> {
        let database = Database::from_bytes(bytes)?;
        Ok(format!("{:?}", find(&database, &bill, None)?))
    };
    let whole = build(folder().path());
    let right = answer(whole.clone()).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        if let Ok(answer) = answer(damaged) {
            assert!(answer == right, "byte {at}");
        }
    }
}

#[test]
fn a_folder_is_opened_by_its_index_unless_something_is_newer() {
    let folder = folder();
    let index = folder.path().join(barge_vuln::INDEX);
    write_file(&index, &build(folder.path())).unwrap();
    let opened = || barge_vuln::open(folder.path()).unwrap();
    let compiled = opened().digest().to_owned();
    let later =
        fs::metadata(&index).unwrap().modified().unwrap() + std::time::Duration::from_secs(5);
    let path = folder.path().join("new.json");
    fs::write(&path, record("GHSA-new", "new", "2.0.0", "")).unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(later).unwrap();
    assert_ne!(opened().digest(), compiled);
    fs::File::options()
        .write(true)
        .open(&index)
        .unwrap()
        .set_modified(later)
        .unwrap();
    assert_eq!(opened().digest(), compiled);
}

#[test]
fn ecosystems_are_chosen_by_their_folders() {
    let folder = tempfile::tempdir().unwrap();
    for (ecosystem, id) in [("npm", "A-1"), ("Go", "B-1")] {
        fs::create_dir(folder.path().join(ecosystem)).unwrap();
        let path = folder.path().join(ecosystem).join("1.json");
        fs::write(path, record(id, "a", "2.0.0", "")).unwrap();
    }
    let records = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let builder = barge_vuln::compile_ecosystems(folder.path(), &names)?;
        Database::from_bytes(builder.finish()?).map(|database| database.meta().records)
    };
    assert_eq!(records(&[]).unwrap(), 2);
    assert_eq!(records(&["Go"]).unwrap(), 1);
    assert!(records(&["Go", "Hex"]).is_err());
}

#[test]
fn other_formats_are_refused_by_name() {
    let mut newer = build(folder().path());
    newer[8] = 99;
    let error = Database::from_bytes(newer).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the advisory index has format 99, this barge reads format 5"
    );
    assert!(error.hint().unwrap().contains("newer barge"));
    assert!(matches!(
        Database::from_bytes(b"PK\x03\x04 something else".to_vec()),
        Err(Error::NotAnIndex(_))
    ));
}

#[test]
fn a_pin_holds_every_byte() {
    let database = Database::from_bytes(build(folder().path())).unwrap();
    database.verify_pin(database.digest()).unwrap();
    assert!(matches!(
        database.verify_pin(barge_image::Digest::of(b"another")),
        Err(Error::OtherDigest { .. })
    ));
}

#[test]
fn writers_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("index");
    let write = |byte: u8| write_file(&file, &vec![byte; 300_000]).unwrap();
    std::thread::scope(|scope| {
        for byte in 1..=4 {
            scope.spawn(move || (0..5).for_each(|_| write(byte)));
        }
    });
    let bytes = fs::read(&file).unwrap();
    assert!(bytes.len() == 300_000 && bytes.iter().all(|byte| *byte == bytes[0]));
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no temporary file is left"
    );
}

#[test]
fn hostile_records_are_counted_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    // Aliases in a circle.
    for (id, alias) in [("A-1", "A-2"), ("A-2", "A-3"), ("A-3", "A-1")] {
        write(
            &format!("{id}.json"),
            &record(
                id,
                "circle",
                "2.0.0",
                &format!(r#","aliases":["{alias}","{id}"]"#),
            ),
        );
    }
    // A million events.
    let events: String = (0..1_000_000)
        .map(|number| format!(r#",{{"introduced":"1.{number}.0"}}"#))
        .collect();
    write(
        "B-1.json",
        &format!(
            r#"{{"id":"B-1","affected":[{{"package":{{"ecosystem":"npm","name":"many"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}}{events},{{"fixed":"2.0.0"}}]}}]}}]}}"#
        ),
    );
    // Versions that nothing can read.
    write("C-1.json", &record("C-1", "broken", "not a version", ""));
    write("D-1.json", "{ broken");
    write(
        "E-1.json",
        &format!(r#"{{"id":{}1{}}}"#, "[".repeat(50_000), "]".repeat(50_000)),
    );
    write("F-1.json", r#"{"id":"F 1"}"#);
    let builder = compile(folder.path()).unwrap();
    let names: Vec<&str> = builder
        .problems()
        .iter()
        .map(|problem| problem.name.as_str())
        .collect();
    assert_eq!(names, ["D-1.json", "E-1.json", "F-1.json"]);
    let database = Database::from_bytes(builder.finish().unwrap()).unwrap();
    let circle = find(
        &database,
        &bill(&["pkg:npm/circle@1.0.0".to_owned()]).unwrap(),
        None,
    )
    .unwrap();
    assert_eq!(circle.matches.len(), 1);
    assert_eq!(circle.matches[0].why.len(), 3);
    assert_eq!(hits(&database, "pkg:npm/many@1.5.0").unwrap(), 1);
    assert_eq!(hits(&database, "pkg:npm/many@2.0.0").unwrap(), 0);
    let doubtful = find(
        &database,
        &bill(&["pkg:npm/broken@1.0.0".to_owned()]).unwrap(),
        None,
    );
    let doubtful = doubtful.unwrap().matches;
    assert_eq!(doubtful.len(), 1);
    let doubt = doubtful[0].doubt.as_deref();
    assert_eq!(
        doubt,
        Some("its range holds `not a version`, which cannot be compared")
    );
}

#[test]
fn side_files_are_no_problem() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["vex", "npm"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("A-1.json", &record("A-1", "a", "2.0.0", ""));
    write("npm/B-1.json", &record("B-1", "b", "2.0.0", ""));
    write("counts.json", r#"{"npm":2}"#);
    write("list.json", r#"["A-1"]"#);
    write("README", "two records");
    write("vex/image.json", r#"{"@id":"x","statements":[]}"#);
    let builder = compile(folder.path()).unwrap();
    assert_eq!(builder.problem_count(), 0);
    let others = ["counts.json", "list.json", "vex/image.json"];
    assert_eq!(builder.passed_over(), others);
    // In the folder of an ecosystem the same file should have been a record, and damage is told wherever it is.
    write("npm/counts.json", r#"{"npm":2}"#);
    write("vex/cut.json", r#"{"id":"C-1","#);
    let builder = compile(folder.path()).unwrap();
    let names: Vec<&str> = builder
        .problems()
        .iter()
        .map(|problem| problem.name.as_str())
        .collect();
    assert_eq!(names, ["npm/counts.json", "vex/cut.json"]);
}

#[test]
fn broken_archives_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.zip");
    let mut archive = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    for number in 0..20 {
        archive
            .start_file(format!("X-{number}.json"), options)
            .unwrap();
        archive
            .write_all(record(&format!("X-{number}"), "zipped", "2.0.0", "").as_bytes())
            .unwrap();
    }
    archive.finish().unwrap();
    let whole = fs::read(&path).unwrap();
    let database = Database::from_bytes(build(folder.path())).unwrap();
    assert_eq!(hits(&database, "pkg:npm/zipped@1.0.0").unwrap(), 20);
    for length in (0..whole.len()).step_by(97) {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(compile(folder.path()).is_err(), "{length}");
    }
    // A flipped bit inside a member is one record less, by name.
    let mut damaged = whole;
    damaged[60] ^= 0x10;
    fs::write(&path, damaged).unwrap();
    let builder = compile(folder.path()).unwrap();
    assert_eq!(builder.problem_count(), 1);
    assert!(builder.problems()[0].name.ends_with("X-0.json"));
}
