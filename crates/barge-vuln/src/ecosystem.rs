//! OSV's ecosystems: the order of their versions, and how their package names are compared (OSV schema 1.7.5, "Defined ecosystems").

use crate::version::Scheme;

/// The order of versions in an ecosystem, by the part before its suffix; `None` where versions have no order.
#[must_use]
pub(crate) fn scheme(ecosystem: &str) -> Option<Scheme> {
    Some(match base(ecosystem) {
        "Debian" | "Ubuntu" | "Echo" => Scheme::Deb,
        "Alpine"
        | "Alpaquita"
        | "BellSoft Hardened Containers"
        | "Wolfi"
        | "Chainguard"
        | "MinimOS"
        | "CleanStart" => Scheme::Apk,
        "Red Hat" | "Rocky Linux" | "AlmaLinux" | "Mageia" | "openEuler" | "TuxCare" | "SUSE"
        | "openSUSE" | "Photon OS" | "Azure Linux" => Scheme::Rpm,
        "Go" => Scheme::Go,
        "npm" => Scheme::Npm,
        "Pub" => Scheme::Pub,
        "PyPI" => Scheme::Pep440,
        "Maven" => Scheme::Maven,
        "NuGet" => Scheme::Nuget,
        "Packagist" => Scheme::Composer,
        "RubyGems" => Scheme::Gem,
        "CRAN" | "Bioconductor" => Scheme::Cran,
        "Hackage" | "GHC" => Scheme::Hackage,
        "opam" => Scheme::Opam,
        "Arch Linux" => Scheme::Alpm,
        "crates.io"
        | "Hex"
        | "SwiftURL"
        | "Julia"
        | "GitHub Actions"
        | "Bitnami"
        | "ConanCenter"
        | "Docker Hardened Images"
        | "VSCode"
        | "Kubernetes" => Scheme::Semver,
        _ => return None,
    })
}

/// The part before the first `:`.
#[must_use]
pub(crate) fn base(ecosystem: &str) -> &str {
    ecosystem
        .split_once(':')
        .map_or(ecosystem, |(base, _)| base)
}

/// The form in which the ecosystem compares names.
#[must_use]
pub(crate) fn normal_name(ecosystem: &str, name: &str) -> String {
    match base(ecosystem) {
        "PyPI" => normal_python_name(name),
        "NuGet" | "Packagist" => name.to_lowercase(),
        _ => name.to_owned(),
    }
}

/// The lower-case form of a name whose package URL is in lower case although the ecosystem's names are not.
#[must_use]
pub(crate) fn folded_name(ecosystem: &str, name: &str) -> Option<String> {
    let folds = matches!(
        base(ecosystem),
        "Go" | "Hex" | "SwiftURL" | "GitHub Actions" | "Bitnami"
    );
    (folds && name.chars().any(char::is_uppercase)).then(|| name.to_lowercase())
}

/// PEP 503: lower case, runs of `-`, `_` and `.` become one `-`.
fn normal_python_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for next in name.chars() {
        match next {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            other => normal.extend(other.to_lowercase()),
        }
    }
    normal
}
