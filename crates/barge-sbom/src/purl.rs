//! Package URLs (purl-spec): which type, namespace, name and qualifiers each kind of package has.
//!
//! Spelling and escaping is the `packageurl` crate's. Beyond the specification, `upstream` names the source package of a
//! distribution package, as scanners read it; `deb`, `rpm`, `apk` and `alpm` carry `arch` and `distro`.

use std::collections::BTreeMap;

use packageurl::PackageUrl;

use crate::package::{Distro, PackageKind, SourcePackage};

/// What a package URL is made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity<'a> {
    pub(crate) kind: PackageKind,
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) architecture: Option<&'a str>,
    pub(crate) source: Option<&'a SourcePackage>,
    /// Further facts, of which some kinds put some into the package URL.
    pub(crate) facts: Option<&'a BTreeMap<String, String>>,
}

/// The canonical package URL.
pub(crate) fn purl(identity: &Identity<'_>, distro: Option<&Distro>) -> String {
    build(identity, distro)
        .or_else(|_| generic(identity))
        .unwrap_or_else(|_| "pkg:generic/unnamed".to_owned())
}

fn build(identity: &Identity<'_>, distro: Option<&Distro>) -> packageurl::Result<String> {
    let (namespace, name) = namespace_and_name(identity, distro);
    let is_theme = identity
        .facts
        .and_then(|facts| facts.get("type"))
        .is_some_and(|of| of == "theme");
    let purl_type = match identity.kind {
        PackageKind::Wordpress if is_theme => "wordpress-theme",
        kind => type_of(kind),
    };
    let mut purl = PackageUrl::new(purl_type, name)?;
    if let Some(namespace) = namespace.filter(|namespace| !namespace.is_empty()) {
        purl.with_namespace(namespace)?;
    }
    let (epoch, version) = match (identity.kind, identity.version.split_once(':')) {
        (PackageKind::Rpm, Some((epoch, version))) => (Some(epoch), version),
        _ => (None, identity.version),
    };
    purl.with_version(version.to_owned())?;
    if identity.kind.is_distribution() {
        let upstream = identity
            .source
            .and_then(|source| upstream(identity, source));
        let qualifiers = [
            ("arch", identity.architecture.map(str::to_owned)),
            ("distro", distro.map(distro_qualifier)),
            (
                "epoch",
                epoch.filter(|epoch| *epoch != "0").map(str::to_owned),
            ),
            ("upstream", upstream),
        ];
        for (key, value) in qualifiers {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                purl.add_qualifier(key, value)?;
            }
        }
    }
    let stated: &[&'static str] = match identity.kind {
        PackageKind::Conda => &["build", "channel", "subdir"],
        PackageKind::Gem => &["platform"],
        PackageKind::Julia => &["uuid"],
        PackageKind::Vcpkg => &["port_version"],
        _ => &[],
    };
    for key in stated {
        if let Some(value) = identity.facts.and_then(|facts| facts.get(*key)) {
            purl.add_qualifier(*key, value.clone())?;
        }
    }
    purl.validate()?;
    Ok(purl.to_string())
}

/// Some registered types demand a namespace that evidence may not state.
fn generic(identity: &Identity<'_>) -> packageurl::Result<String> {
    let mut purl = PackageUrl::new("generic", identity.name.to_owned())?;
    purl.with_version(identity.version.to_owned())?;
    Ok(purl.to_string())
}

/// `pkg:oci/NAME@sha256:...` of an image; none for a directory, or an image without a name.
#[must_use]
pub fn image(subject: &crate::package::Subject) -> Option<String> {
    let digest = subject.manifest.or(subject.image)?;
    let reference = subject.references.first()?;
    let name = reference.name();
    let repository = format!("{}/{}", name.registry(), name.path());
    let name = name.path().rsplit('/').next()?.to_lowercase();
    let build = || -> packageurl::Result<String> {
        let mut purl = PackageUrl::new("oci", name.clone())?;
        purl.with_version(digest.to_string())?;
        if let Some(architecture) = &subject.architecture {
            purl.add_qualifier("arch", architecture.clone())?;
        }
        purl.add_qualifier("repository_url", repository.clone())?;
        if let Some(tag) = reference.tag() {
            purl.add_qualifier("tag", tag.to_string())?;
        }
        Ok(purl.to_string())
    };
    build().ok()
}

fn namespace_and_name(
    identity: &Identity<'_>,
    distro: Option<&Distro>,
) -> (Option<String>, String) {
    let name = identity.name;
    let stated = identity
        .facts
        .and_then(|facts| facts.get("namespace"))
        .cloned();
    let split = |(namespace, name): (&str, &str)| (Some(namespace.to_owned()), name.to_owned());
    match identity.kind {
        PackageKind::Golang
        | PackageKind::Composer
        | PackageKind::Npm
        | PackageKind::Ebuild
        | PackageKind::Swift
        | PackageKind::Github => name
            .rsplit_once('/')
            .map_or((stated, name.to_owned()), split),
        PackageKind::Maven => name
            .split_once(':')
            .map_or((stated, name.to_owned()), split),
        PackageKind::Deb
        | PackageKind::Apk
        | PackageKind::Alpm
        | PackageKind::Rpm
        | PackageKind::Opkg => {
            let namespace = distro.map(|distro| vendor(&distro.id).to_owned());
            (
                namespace.or_else(|| default_vendor(identity.kind)),
                name.to_owned(),
            )
        }
        PackageKind::Pypi => (None, pypi_name(name)),
        PackageKind::Luarocks => (stated, name.to_lowercase()),
        _ => (stated, name.to_owned()),
    }
}

/// The namespaces that the purl specification and advisories use, where `os-release` has another name.
fn vendor(id: &str) -> &str {
    match id {
        "rhel" => "redhat",
        "opensuse-leap" | "opensuse-tumbleweed" | "opensuse-microos" => "opensuse",
        "archlinux" => "arch",
        _ => id,
    }
}

fn default_vendor(kind: PackageKind) -> Option<String> {
    let vendor = match kind {
        PackageKind::Deb => "debian",
        PackageKind::Apk => "alpine",
        PackageKind::Alpm => "arch",
        _ => return None,
    };
    Some(vendor.to_owned())
}

fn distro_qualifier(distro: &Distro) -> String {
    let version = distro.version_id.as_ref().or(distro.build_id.as_ref());
    version.map_or_else(
        || distro.id.clone(),
        |version| format!("{}-{version}", distro.id),
    )
}

/// The source package where it differs: `NAME`, or `NAME@VERSION` where its version differs too.
fn upstream(identity: &Identity<'_>, source: &SourcePackage) -> Option<String> {
    let other_version = !source.version.is_empty() && source.version != identity.version;
    if identity.kind == PackageKind::Rpm {
        return Some(source_rpm(source));
    }
    if source.name == identity.name && !other_version {
        return None;
    }
    Some(if other_version {
        format!("{}@{}", source.name, source.version)
    } else {
        source.name.clone()
    })
}

/// The file name of a source rpm, which is what readers of `upstream` expect: without epoch.
fn source_rpm(source: &SourcePackage) -> String {
    let version = source
        .version
        .split_once(':')
        .map_or(source.version.as_str(), |(_, v)| v);
    format!("{}-{version}.src.rpm", source.name)
}

fn type_of(kind: PackageKind) -> &'static str {
    match kind {
        PackageKind::Alpm => "alpm",
        PackageKind::Apk => "apk",
        PackageKind::Bitnami => "bitnami",
        PackageKind::Brew => "brew",
        PackageKind::Cargo => "cargo",
        PackageKind::Cocoapods => "cocoapods",
        PackageKind::Composer => "composer",
        PackageKind::Conan => "conan",
        PackageKind::Conda => "conda",
        PackageKind::Cpan => "cpan",
        PackageKind::Cran => "cran",
        PackageKind::Deb => "deb",
        PackageKind::Ebuild => "ebuild",
        PackageKind::Gem => "gem",
        PackageKind::Generic => "generic",
        PackageKind::Github => "github",
        PackageKind::Golang => "golang",
        PackageKind::Hackage => "hackage",
        PackageKind::Hex => "hex",
        PackageKind::Julia => "julia",
        PackageKind::Luarocks => "luarocks",
        PackageKind::Maven => "maven",
        PackageKind::Nix => "nix",
        PackageKind::Npm => "npm",
        PackageKind::Nuget => "nuget",
        PackageKind::Opam => "opam",
        PackageKind::Opkg => "opkg",
        PackageKind::Otp => "otp",
        PackageKind::Pear => "pear",
        PackageKind::Pub => "pub",
        PackageKind::Pypi => "pypi",
        PackageKind::Rpm => "rpm",
        PackageKind::Swift => "swift",
        PackageKind::Vcpkg => "vcpkg",
        PackageKind::Wordpress => "wordpress-plugin",
    }
}

/// The kind whose package URLs have a type.
pub(crate) fn kind_of(purl_type: &str) -> Option<PackageKind> {
    use PackageKind as Kind;
    let kinds = [
        Kind::Alpm,
        Kind::Apk,
        Kind::Bitnami,
        Kind::Brew,
        Kind::Cargo,
        Kind::Cocoapods,
        Kind::Composer,
        Kind::Conan,
        Kind::Conda,
        Kind::Cpan,
        Kind::Cran,
        Kind::Deb,
        Kind::Ebuild,
        Kind::Gem,
        Kind::Generic,
        Kind::Github,
        Kind::Golang,
        Kind::Hackage,
        Kind::Hex,
        Kind::Julia,
        Kind::Luarocks,
        Kind::Maven,
        Kind::Nix,
        Kind::Npm,
        Kind::Nuget,
        Kind::Opam,
        Kind::Opkg,
        Kind::Otp,
        Kind::Pear,
        Kind::Pub,
        Kind::Pypi,
        Kind::Rpm,
        Kind::Swift,
        Kind::Vcpkg,
        Kind::Wordpress,
    ];
    if purl_type == "wordpress-theme" {
        return Some(Kind::Wordpress);
    }
    kinds.into_iter().find(|kind| type_of(*kind) == purl_type)
}

/// The comparable form of the name of a Python project (PEP 503).
pub(crate) fn pypi_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for part in name.split(['-', '_', '.']).filter(|part| !part.is_empty()) {
        if !normal.is_empty() {
            normal.push('-');
        }
        normal.push_str(&part.to_ascii_lowercase());
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kind, name and version of a package URL of a known type with a version.
    fn parse(text: &str) -> Option<(PackageKind, String, String)> {
        let purl = crate::package_url::PackageUrl::parse(text).ok()?;
        let (kind, version) = (kind_of(&purl.kind)?, purl.full_version());
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
        let suite = include_str!("../tests/purl-spec/test-suite-data.json");
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
        let suite = include_str!("../tests/purl-spec/types.json");
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
}
