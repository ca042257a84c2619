//! What a scan of 1,000 packages costs, part by part: `cargo bench -p barge-vuln`.
#![expect(clippy::unwrap_used, reason = "benchmarks fail by panicking")]

use barge_sbom::Sbom;
use barge_sbom::bom::of_package_urls as bill;
use barge_vuln::output::{ScanJson, table};
use barge_vuln::{Builder, Database, Options, Policy, Record, Scan, scan};

const PACKAGES: usize = 1_000;
/// Records of each package; an old version of a busy one has more.
const FLAWS: usize = 5;

fn main() {
    divan::main();
}

/// An index in which every package has flaws.
fn index() -> Vec<u8> {
    let mut builder = Builder::new();
    for package in 0..PACKAGES {
        for flaw in 0..FLAWS {
            let text = format!(
                r#"{{"id":"GHSA-{package}-{flaw}","modified":"2026-01-02T03:04:05Z","summary":"flaw of a package","aliases":["CVE-2026-{package}{flaw}"],
                "severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}}],
                "affected":[{{"package":{{"ecosystem":"npm","name":"package-{package}"}},
                "ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"1.{flaw}.1"}},{{"introduced":"2.0.0"}},{{"fixed":"2.{flaw}.3"}}]}}]}}]}}"#
            );
            builder
                .add(&Record::parse(text.as_bytes()).unwrap())
                .unwrap();
        }
    }
    builder.finish().unwrap()
}

fn packages() -> Sbom {
    let purls: Vec<String> = (0..PACKAGES)
        .map(|package| format!("pkg:npm/package-{package}@1.0.0"))
        .collect();
    bill(&purls).unwrap()
}

fn scanned(database: &Database) -> Scan<'_> {
    scan(database, &packages(), &options()).unwrap()
}

fn options() -> Options {
    Options {
        policy: Policy::default(),
        statements: Vec::new(),
        baseline: None,
        distro: None,
        now: "2026-03-01T00:00:00Z".parse().unwrap(),
        created: "2026-03-01T00:00:00Z".parse().unwrap(),
    }
}

#[divan::bench]
fn open(bencher: divan::Bencher<'_, '_>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    barge_vuln::write_file(file.path(), &index()).unwrap();
    bencher.bench(|| Database::open(file.path()).unwrap());
}

#[divan::bench]
fn compile(bencher: divan::Bencher<'_, '_>) {
    bencher.bench(index);
}

#[divan::bench]
fn match_all(bencher: divan::Bencher<'_, '_>) {
    let database = Database::from_bytes(index()).unwrap();
    let (sbom, options) = (packages(), options());
    bencher.bench(|| scan(&database, &sbom, &options).unwrap());
}

#[divan::bench]
fn render_table(bencher: divan::Bencher<'_, '_>) {
    let database = Database::from_bytes(index()).unwrap();
    let scan = scanned(&database);
    bencher.bench(|| table(&scan, false).render(None, false));
}

#[divan::bench]
fn render_json(bencher: divan::Bencher<'_, '_>) {
    let database = Database::from_bytes(index()).unwrap();
    let scan = scanned(&database);
    bencher.bench(|| serde_json::to_vec(&ScanJson::from(&scan)).unwrap());
}
