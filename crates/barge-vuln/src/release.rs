//! Which OSV ecosystems speak about the packages of a distribution release.

use barge_sbom::package::Distro;

use crate::distribution::{Distribution, Suffix};
use crate::error::Error;

/// Debian and Ubuntu releases by their code names, for package URLs that name nothing else.
const CODE_NAMES: [(&str, &str, &str); 27] = [
    ("squeeze", "debian", "6"),
    ("wheezy", "debian", "7"),
    ("jessie", "debian", "8"),
    ("stretch", "debian", "9"),
    ("buster", "debian", "10"),
    ("bullseye", "debian", "11"),
    ("bookworm", "debian", "12"),
    ("trixie", "debian", "13"),
    ("forky", "debian", "14"),
    ("sid", "debian", "sid"),
    ("unstable", "debian", "sid"),
    ("trusty", "ubuntu", "14.04"),
    ("xenial", "ubuntu", "16.04"),
    ("bionic", "ubuntu", "18.04"),
    ("focal", "ubuntu", "20.04"),
    ("groovy", "ubuntu", "20.10"),
    ("hirsute", "ubuntu", "21.04"),
    ("impish", "ubuntu", "21.10"),
    ("jammy", "ubuntu", "22.04"),
    ("kinetic", "ubuntu", "22.10"),
    ("lunar", "ubuntu", "23.04"),
    ("mantic", "ubuntu", "23.10"),
    ("noble", "ubuntu", "24.04"),
    ("oracular", "ubuntu", "24.10"),
    ("plucky", "ubuntu", "25.04"),
    ("questing", "ubuntu", "25.10"),
    ("resolute", "ubuntu", "26.04"),
];

/// Reads a distribution release such as `debian-12` or `bookworm`.
///
/// # Errors
/// When no advisories are about the distribution, or no release is named of one that has releases.
pub fn distro_release(text: &str) -> Result<Distro, Error> {
    let distro = from_qualifier(text, "");
    let has_release = |row: &Distribution| row.is_rolling() || distro.version_id.is_some();
    if Distribution::of(&distro).is_some_and(has_release) {
        Ok(distro)
    } else {
        Err(Error::Release(text.to_owned()))
    }
}

/// Reads the `distro` qualifier of a package URL: `debian-12`, `alpine-3.19.1`, `bookworm`, `esm-apps/xenial`.
pub(crate) fn from_qualifier(text: &str, namespace: &str) -> Distro {
    let text = text.rsplit('/').next().unwrap_or(text).to_ascii_lowercase();
    if let Some((id, version)) = by_code_name(&text) {
        return distro(id, Some(version));
    }
    // The version starts at the last dash that a digit or a code name follows: `opensuse-leap-15.6`.
    match text.rsplit_once('-') {
        Some((id, version)) if version.starts_with(|first: char| first.is_ascii_digit()) => {
            distro(id, Some(version))
        }
        Some((id, name)) if matches!(name, "edge" | "sid" | "testing" | "rolling") => {
            distro(id, Some(name))
        }
        Some((id, name)) => match by_code_name(name) {
            Some((_, version)) => distro(id, Some(version)),
            None => distro(&text, None),
        },
        None if text.starts_with(|first: char| first.is_ascii_digit()) => {
            distro(namespace, Some(&text))
        }
        None => distro(&text, None),
    }
}

fn by_code_name(text: &str) -> Option<(&'static str, &'static str)> {
    CODE_NAMES
        .iter()
        .find(|(name, _, _)| *name == text)
        .map(|(_, id, version)| (*id, *version))
}

fn distro(id: &str, version: Option<&str>) -> Distro {
    Distro {
        id: id.to_ascii_lowercase(),
        version_id: version.map(str::to_owned),
        ..Distro::default()
    }
}

/// The ecosystems of a release, its own first. Empty if the distribution or its release is not known.
/// `known` tells which ecosystems the data has, for the families whose suffix os-release does not state exactly.
pub(crate) fn ecosystems<'a>(
    distro: &Distro,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Vec<String> {
    let version = version(distro);
    let major = version.split('.').next().unwrap_or_default();
    let with = |base: &str, suffix: &str| {
        if suffix.is_empty() {
            Vec::new()
        } else {
            vec![format!("{base}:{suffix}")]
        }
    };
    let Some(Distribution { family, suffix, .. }) = Distribution::of(distro) else {
        return Vec::new();
    };
    match suffix {
        Suffix::None => vec![(*family).to_owned()],
        Suffix::Major => with(family, major),
        Suffix::Version => with(family, &version),
        Suffix::Minor => with(family, &with_minor(&version)),
        Suffix::Ubuntu => ubuntu(&version),
        Suffix::Alpine => with(family, &alpine_release(distro, &version)),
        Suffix::RedHat => red_hat(&version, major, known),
        Suffix::OpenEuler => open_euler(distro, &version, known),
        Suffix::Suse => suse(distro, &version, known),
    }
}

/// `VERSION_ID`, or what the code name stands for.
fn version(distro: &Distro) -> String {
    let stated = distro
        .version_id
        .as_deref()
        .unwrap_or_default()
        .to_ascii_lowercase();
    match by_code_name(&stated) {
        Some((_, version)) => version.to_owned(),
        None if stated.is_empty() => {
            let codename = distro.codename.as_deref().unwrap_or_default();
            by_code_name(codename)
                .map(|(_, version)| version.to_owned())
                .unwrap_or_default()
        }
        None => stated,
    }
}

/// Long-term releases are those of April in even years. Fixes of the Pro archive stand in ecosystems of their own.
fn ubuntu(version: &str) -> Vec<String> {
    let Some((year, month)) = version.split_once('.') else {
        return Vec::new();
    };
    let month = month.split('.').next().unwrap_or_default();
    let even = year.parse::<u32>().is_ok_and(|year| year % 2 == 0);
    let lts = if even && month == "04" { ":LTS" } else { "" };
    vec![
        format!("Ubuntu:{year}.{month}{lts}"),
        format!("Ubuntu:Pro:{year}.{month}{lts}"),
    ]
}

/// The repositories say more than os-release, which on edge names the last release.
fn alpine_release(distro: &Distro, version: &str) -> String {
    if let Some(edge) = distro
        .repositories
        .iter()
        .find(|name| name.as_str() == "edge")
    {
        return edge.clone();
    }
    if let Some(release) = distro
        .repositories
        .iter()
        .find(|name| name.starts_with('v'))
    {
        return release.clone();
    }
    let mut parts = version.trim_start_matches('v').split('.');
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) if !major.is_empty() => {
            format!("v{major}.{}", minor.split('_').next().unwrap_or(minor))
        }
        (Some("edge"), _) => "edge".to_owned(),
        _ => String::new(),
    }
}

fn with_minor(version: &str) -> String {
    if version.is_empty() || version.contains('.') {
        version.to_owned()
    } else {
        format!("{version}.0")
    }
}

/// Red Hat's suffix is a CPE; which repositories an image uses is not in os-release, so all of the release speak.
fn red_hat<'a>(version: &str, major: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let of_release = |ecosystem: &&str| {
        let mut parts = ecosystem.split(':').skip(1);
        let (product, release) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        (product == "enterprise_linux" && (release == major || release == version))
            || (product.starts_with("rhel_") && release == version)
    };
    known
        .filter(|name| name.starts_with("Red Hat:"))
        .filter(of_release)
        .map(str::to_owned)
        .collect()
}

/// openEuler writes `24.03-LTS-SP1` where os-release has `24.03` and a pretty name.
fn open_euler<'a>(
    distro: &Distro,
    version: &str,
    known: impl Iterator<Item = &'a str>,
) -> Vec<String> {
    let pretty = distro.pretty_name.as_deref().unwrap_or_default();
    let inner = pretty
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map(|(inner, _)| inner);
    let wanted = match inner {
        Some(inner) => format!("openEuler:{version}-{inner}"),
        None => format!("openEuler:{version}"),
    };
    known
        .filter(|name| name.eq_ignore_ascii_case(&wanted))
        .map(str::to_owned)
        .collect()
}

/// SUSE's suffix is a product name: every spelling that the data has of this release is taken.
fn suse<'a>(distro: &Distro, version: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let (major, minor) = version.split_once('.').unwrap_or((version, ""));
    let service_pack = if minor.is_empty() {
        String::new()
    } else {
        format!(" sp{minor}")
    };
    let mut wanted = vec![
        format!("linux enterprise server {major}{service_pack}"),
        format!("suse linux enterprise server {major}{service_pack}"),
        format!("leap {version}"),
        format!("opensuse leap {version}"),
    ];
    match distro.id.as_str() {
        "opensuse-tumbleweed" => {
            wanted = vec!["tumbleweed".to_owned(), "opensuse tumbleweed".to_owned()];
        }
        "opensuse" | "opensuse-leap" => wanted.drain(..2).for_each(drop),
        _ => wanted.truncate(2),
    }
    let suffix = |name: &str| {
        name.split_once(':')
            .map(|(_, suffix)| suffix.to_ascii_lowercase())
            .unwrap_or_default()
    };
    let of_family = |name: &&str| name.starts_with("SUSE:") || name.starts_with("openSUSE:");
    known
        .filter(of_family)
        .filter(|name| wanted.contains(&suffix(name)))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualifiers_name_releases() {
        let known = [
            "Red Hat:rhel_aus:8.6::appstream",
            "SUSE:Linux Enterprise Server 15 SP6",
        ];
        let cases = [
            ("debian", "debian-11", "Debian:11"),
            ("debian", "debian-11.6", "Debian:11"),
            ("debian", "bookworm", "Debian:12"),
            ("debian", "debian-bookworm", "Debian:12"),
            ("debian", "sid", "Debian:sid"),
            ("debian", "10", "Debian:10"),
            ("ubuntu", "ubuntu-22.04", "Ubuntu:22.04:LTS"),
            ("ubuntu", "esm-apps/xenial", "Ubuntu:16.04:LTS"),
            ("ubuntu", "ubuntu-24.10", "Ubuntu:24.10"),
            ("alpine", "alpine-3.19.1", "Alpine:v3.19"),
            ("alpine", "alpine-edge", "Alpine:edge"),
            ("almalinux", "almalinux-8.10", "AlmaLinux:8"),
            ("rocky", "rocky-9.3", "Rocky Linux:9"),
            ("vmware", "photon-4", "Photon OS:4.0"),
            ("photon", "photon-3.0", "Photon OS:3.0"),
            ("redhat", "rhel-8.6", "Red Hat:rhel_aus:8.6::appstream"),
            ("suse", "sles-15.6", "SUSE:Linux Enterprise Server 15 SP6"),
            ("wolfi", "wolfi-20230201", "Wolfi"),
            ("azurelinux", "azurelinux-3.0", "Azure Linux:3"),
        ];
        for (namespace, text, wanted) in cases {
            let found = ecosystems(&from_qualifier(text, namespace), known.iter().copied());
            assert_eq!(found.first().map(String::as_str), Some(wanted), "{text}");
        }
        assert!(
            ecosystems(
                &from_qualifier("nixos-24.05", "nixos"),
                known.iter().copied()
            )
            .is_empty()
        );
    }
}
