//! The distributions that advisories are about: one table, by which packages are looked up and data is fetched.

use barge_sbom::package::Distro;

/// A distribution, or several that share advisories.
#[derive(Debug)]
pub(crate) struct Distribution {
    /// `ID` of `os-release` (freedesktop.org), and namespaces of package URLs.
    ids: &'static [&'static str],
    /// Its ecosystem in OSV, without the suffix of a release.
    pub(crate) family: &'static str,
    /// What that suffix is.
    pub(crate) suffix: Suffix,
    /// A word in the `Vendor` of its own rpms, in lower case; empty if these are not told from others.
    pub(crate) vendor: &'static str,
}

/// How an ecosystem names the releases of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suffix {
    /// It has none: releases roll.
    None,
    /// The number before the first dot.
    Major,
    /// The version as it is.
    Version,
    /// Major and minor number.
    Minor,
    /// Ubuntu's, with `LTS`, and those of the Pro archive.
    Ubuntu,
    /// Alpine's, which the repositories name.
    Alpine,
    /// A CPE of Red Hat.
    RedHat,
    /// openEuler's, with the service pack.
    OpenEuler,
    /// A product of SUSE.
    Suse,
}

use Suffix as By;

const DISTRIBUTIONS: [Distribution; 19] = [
    row(&["debian", "raspbian"], "Debian", By::Major, ""),
    row(&["ubuntu"], "Ubuntu", By::Ubuntu, ""),
    row(&["alpine", "postmarketos"], "Alpine", By::Alpine, ""),
    row(&["wolfi"], "Wolfi", By::None, ""),
    row(&["chainguard"], "Chainguard", By::None, ""),
    row(&["minimos"], "MinimOS", By::None, ""),
    row(&["echo"], "Echo", By::None, ""),
    row(&["alpaquita"], "Alpaquita", By::Version, ""),
    row(
        &["bellsoft-hardened-containers"],
        "BellSoft Hardened Containers",
        By::Version,
        "",
    ),
    row(&["almalinux", "alma"], "AlmaLinux", By::Major, "almalinux"),
    row(&["rocky", "rockylinux"], "Rocky Linux", By::Major, "rocky"),
    row(
        &["rhel", "redhat", "redhat-enterprise-linux"],
        "Red Hat",
        By::RedHat,
        "red hat",
    ),
    row(&["mageia"], "Mageia", By::Major, "mageia"),
    row(&["openeuler"], "openEuler", By::OpenEuler, "openeuler"),
    row(&["photon", "vmware"], "Photon OS", By::Minor, "vmware"),
    row(
        &["azurelinux", "azure", "mariner", "cbl-mariner"],
        "Azure Linux",
        By::Major,
        "microsoft",
    ),
    row(
        &["sles", "sled", "sle", "suse", "sl-micro", "sle-micro"],
        "SUSE",
        By::Suse,
        "suse",
    ),
    row(
        &["opensuse", "opensuse-leap", "opensuse-tumbleweed"],
        "openSUSE",
        By::Suse,
        "suse",
    ),
    row(&["arch", "archarm"], "Arch Linux", By::None, ""),
];

const fn row(
    ids: &'static [&'static str],
    family: &'static str,
    suffix: Suffix,
    vendor: &'static str,
) -> Distribution {
    Distribution {
        ids,
        family,
        suffix,
        vendor,
    }
}

impl Distribution {
    /// The row of a distribution.
    pub(crate) fn of(distro: &Distro) -> Option<&'static Self> {
        let is_own = |row: &&Self| row.ids.contains(&distro.id.as_str());
        DISTRIBUTIONS.iter().find(is_own)
    }

    /// Whether a release that is not named is the only one.
    pub(crate) fn is_rolling(&self) -> bool {
        // Tumbleweed is a name of its own.
        self.suffix == Suffix::None || self.family == "openSUSE"
    }
}

/// The ecosystem of a distribution, without the suffix of the release.
pub(crate) fn family(distro: &Distro) -> Option<&'static str> {
    Distribution::of(distro).map(|row| row.family)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystem;
    use crate::release::ecosystems;

    #[test]
    fn each_id_is_of_one_row_whose_ecosystem_has_an_order_of_versions() {
        let mut seen = std::collections::BTreeSet::new();
        for row in &DISTRIBUTIONS {
            assert!(ecosystem::scheme(row.family).is_some(), "{}", row.family);
            assert!(row.ids.iter().all(|id| seen.insert(*id)), "{row:?}");
        }
    }

    #[test]
    fn what_is_looked_up_is_what_is_fetched() {
        let known = [
            "Red Hat:enterprise_linux:9::baseos",
            "openEuler:9.4",
            "SUSE:Linux Enterprise Server 9 SP4",
            "openSUSE:Leap 9.4",
            "openSUSE:Tumbleweed",
        ];
        for row in &DISTRIBUTIONS {
            for id in row.ids {
                let distro = Distro {
                    id: (*id).to_owned(),
                    version_id: Some("9.4".to_owned()),
                    ..Distro::default()
                };
                let asked = ecosystems(&distro, known.iter().copied());
                let bases: Vec<_> = asked.iter().map(|name| ecosystem::base(name)).collect();
                assert_eq!(bases.first().copied(), family(&distro), "{id}: {asked:?}");
            }
        }
    }
}
