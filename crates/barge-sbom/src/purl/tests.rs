use super::*;

/// Kind, name and version of a package URL of a known type with a version.
fn parse(text: &str) -> Option<(PackageKind, String, String)> {
    let purl = crate::package_url::PackageUrl::parse(text).ok()?;
    let kind = PackageKind::of_purl_type(&purl.kind)?;
    let version = purl.full_version();
    (!version.is_empty()).then(|| (kind, purl.full_name().into(), version.into()))
}

fn identity<'a>(kind: PackageKind, name: &'a str, version: &'a str) -> Identity<'a> {
    Identity {
        kind,
        name,
        version,
        architecture: None,
        source: None,
        facts: None,
    }
}

fn debian() -> Distro {
    Distro {
        id: "debian".into(),
        version_id: Some("13".into()),
        ..Distro::default()
    }
}

#[test]
fn names_of_python_are_folded() {
    assert_eq!(pypi_name("Ruamel._Yaml"), "ruamel-yaml");
}

#[test]
fn follows_the_rules_of_each_type() {
    use PackageKind as Kind;
    let cases = [
        (
            Kind::Npm,
            "@angular/core",
            "1.0.0",
            "pkg:npm/%40angular/core@1.0.0",
        ),
        (
            Kind::Pypi,
            "Django_REST.x",
            "1+local",
            "pkg:pypi/django-rest-x@1%2Blocal",
        ),
        (
            Kind::Golang,
            "github.com/BurntSushi/toml/v2",
            "v2.0.0+incompatible",
            "pkg:golang/github.com/burntsushi/toml/v2@v2.0.0%2Bincompatible",
        ),
        (Kind::Golang, "stdlib", "1.22", "pkg:golang/stdlib@1.22"),
        (Kind::Maven, "org.a:b", "1", "pkg:maven/org.a/b@1"),
        (Kind::Cargo, "serde", "1.0.0", "pkg:cargo/serde@1.0.0"),
        (
            Kind::Composer,
            "Vendor/Name",
            "1",
            "pkg:composer/vendor/name@1",
        ),
    ];
    for (kind, name, version, expected) in cases {
        assert_eq!(purl(&identity(kind, name, version), None), expected);
    }
}

#[test]
fn distribution_packages_have_qualifiers() {
    let source = SourcePackage {
        name: "glibc".into(),
        version: "2.41-12".into(),
    };
    let mut deb = identity(PackageKind::Deb, "libc6", "2.41-12+b1");
    deb.architecture = Some("amd64");
    deb.source = Some(&source);
    assert_eq!(
        purl(&deb, Some(&debian())),
        "pkg:deb/debian/libc6@2.41-12%2Bb1?arch=amd64&distro=debian-13&upstream=glibc%402.41-12"
    );
    let rpm = identity(PackageKind::Rpm, "bind", "32:9.16-1.el8");
    let rhel = Distro {
        id: "rhel".into(),
        version_id: Some("8.9".into()),
        ..Distro::default()
    };
    assert_eq!(
        purl(&rpm, Some(&rhel)),
        "pkg:rpm/redhat/bind@9.16-1.el8?distro=rhel-8.9&epoch=32"
    );
}

#[test]
fn reads_back_what_it_writes() {
    for (kind, name, version) in [
        (PackageKind::Npm, "@a/b", "1"),
        (PackageKind::Maven, "g:a", "1"),
        (PackageKind::Rpm, "x", "1:2-3"),
    ] {
        let written = purl(&identity(kind, name, version), None);
        let (read_kind, read_name, read_version) = parse(&written).unwrap();
        assert_eq!(
            (read_kind, read_name.as_str(), read_version.as_str()),
            (kind, name, version)
        );
    }
}

/// A kind that could not be read back would vanish from bills that other tools carried.
#[test]
fn every_kind_comes_back() {
    let uuid = (
        "uuid".to_owned(),
        "682c06a0-de6a-54ab-a142-c8b1cf79cde6".to_owned(),
    );
    let bare = BTreeMap::from([uuid]);
    let mut spaced = bare.clone();
    spaced.insert("namespace".to_owned(), "AUTHOR".to_owned());
    let comes_back = |kind: PackageKind, facts| {
        let mut stated = identity(kind, "name", "1");
        stated.facts = Some(facts);
        parse(&purl(&stated, None)).is_some_and(|(read, _, version)| read == kind && version == "1")
    };
    // Some types demand what others forbid.
    let is_lost = |kind: &&PackageKind| !comes_back(**kind, &bare) && !comes_back(**kind, &spaced);
    let lost = PackageKind::ALL.iter().filter(is_lost);
    assert_eq!(lost.collect::<Vec<_>>(), Vec::<&PackageKind>::new());
}

#[derive(serde::Deserialize)]
struct Case {
    description: String,
    purl: String,
    canonical_purl: Option<String>,
    is_invalid: bool,
}

/// The suite of the specification, `test-suite-data.json` as packageurl-python 0.17.6 ships it.
#[test]
fn passes_the_suite_of_the_specification() {
    let suite = include_str!("../../tests/purl-spec/test-suite-data.json");
    let cases: Vec<Case> = serde_json::from_str(suite).unwrap();
    for case in &cases {
        let read = case.purl.parse::<PackageUrl<'_>>();
        assert_eq!(read.is_err(), case.is_invalid, "{}", case.description);
        let (Ok(read), Some(canonical)) = (read, &case.canonical_purl) else {
            continue;
        };
        // The suite is from before the specification had slashes in qualifiers escaped.
        let written = read.to_string().replace("%2Frelease", "/release");
        assert_eq!(written, *canonical, "{}", case.description);
        writes_what_it_read(canonical);
    }
    assert!(cases.len() >= 32);
}

#[derive(serde::Deserialize)]
struct Roundtrip {
    input: String,
    expected_output: String,
}

impl Roundtrip {
    fn purl_type(&self) -> &str {
        self.expected_output.split([':', '/']).nth(1).unwrap()
    }
}

/// What the specification's tests of each type (`tests/types`, package-url/purl-spec at 16f3d0e) hold to be canonical.
#[test]
fn writes_each_type_as_the_specification_does() {
    let suite = include_str!("../../tests/purl-spec/types.json");
    let cases: Vec<Roundtrip> = serde_json::from_str(suite).unwrap();
    // The crate is from before authors of Perl modules became optional, and before formulae were lower-cased.
    let is_newer = |text: &str| {
        let is_bare = text.starts_with("pkg:cpan/") && text.matches('/').count() == 1;
        is_bare
            || ["SQLite", "Homebrew"]
                .iter()
                .any(|name| text.contains(name))
    };
    for case in cases.iter().filter(|case| !is_newer(&case.input)) {
        let read = case.input.parse::<PackageUrl<'_>>();
        let written = read.as_ref().map(ToString::to_string);
        assert_eq!(
            written.ok().as_ref(),
            Some(&case.expected_output),
            "{}",
            case.input
        );
        // What these have before the name is a fact, which evidence states.
        let types = ["brew", "conan", "cpan", "hex", "julia", "luarocks"];
        if !types.contains(&case.purl_type()) {
            writes_what_it_read(&case.expected_output);
        }
    }
    assert!(cases.len() > 120);
}

/// From a package URL to kind, name and version, and back: all but qualifiers and subpath, which evidence states.
fn writes_what_it_read(canonical: &str) {
    // The namespaces of distributions come from the distribution; a range or a path has no version of its own.
    let Some((kind, name, version)) = parse(canonical) else {
        return;
    };
    let namespace = canonical.split('/').nth(1).unwrap_or_default();
    let distro = kind.is_distribution().then(|| Distro {
        id: namespace.to_owned(),
        ..Distro::default()
    });
    let written = purl(&identity(kind, &name, &version), distro.as_ref());
    let bare = |text: &str| {
        let end = text.find(['?', '#']).unwrap_or(text.len());
        text[..end].to_owned()
    };
    assert_eq!(bare(&written), bare(canonical));
}
