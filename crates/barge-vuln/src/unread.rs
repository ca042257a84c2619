//! What a bill could not read: with a package database among it, no packages found are not no packages there.

use barge_sbom::Unknown;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Which evidence that could not be read makes a scan incomplete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnreadLimit {
    /// Any: one file is enough.
    Any,
    /// A whole list of packages: the database of a package manager, or a layer.
    #[default]
    Database,
    /// None: what could not be read is told, and nothing more.
    Never,
}

impl std::str::FromStr for UnreadLimit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "any" => Ok(Self::Any),
            "database" => Ok(Self::Database),
            "never" => Ok(Self::Never),
            other => Err(Error::Policy(format!(
                "`{other}` is none of `any`, `database` and `never`"
            ))),
        }
    }
}

impl UnreadLimit {
    /// Refuses a bill that could not be read as far as this asks.
    pub fn check(self, unknowns: &[Unknown]) -> Result<(), Error> {
        let counts = |unknown: &&Unknown| match self {
            Self::Any => true,
            Self::Database => lists_packages(unknown),
            Self::Never => false,
        };
        let unread: Vec<String> = unknowns.iter().filter(counts).map(describe).collect();
        if unread.is_empty() {
            Ok(())
        } else {
            Err(Error::Unread(unread))
        }
    }
}

/// One line: where, and why not.
#[must_use]
pub fn describe(unknown: &Unknown) -> String {
    format!("`{}`: {}", unknown.path, unknown.reason)
}

/// Whether what could not be read lists packages of its own: the databases that the catalogers of distributions read,
/// and layers, which may hold any of them.
#[must_use]
pub fn lists_packages(unknown: &Unknown) -> bool {
    let (folder, name) = unknown.path.rsplit_once('/').unwrap_or_default();
    let is_folder = |folder: &str, end: &str| {
        let rest = folder.strip_suffix(end);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    };
    let is_in = |ends: &[&str]| ends.iter().any(|end| is_folder(folder, end));
    let of_one_package = |list: &str| {
        let above = folder.rsplit_once('/');
        above.is_some_and(|(above, _)| is_folder(above, list))
    };
    unknown.path.starts_with("layer sha256:")
        || match name {
            "status" => is_in(&["lib/dpkg", "lib/opkg"]),
            "installed" => is_in(&["lib/apk/db"]),
            "Packages" | "Packages.db" | "rpmdb.sqlite" | "rpmdb.sqlite-wal" => {
                is_in(&["lib/rpm", "share/rpm", "lib/sysimage/rpm"])
            }
            "container-manifest-2" => is_in(&["lib/rpmmanifest"]),
            "desc" => of_one_package("lib/pacman/local"),
            name => is_in(&["lib/dpkg/status.d"]) && !name.ends_with(".md5sums"),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(path: &str) -> Unknown {
        Unknown {
            path: path.to_owned(),
            reason: "cut short".to_owned(),
        }
    }

    #[test]
    fn databases_are_told_from_files() {
        let databases = [
            "var/lib/dpkg/status",
            "lib/apk/db/installed",
            "usr/lib/apk/db/installed",
            "usr/lib/sysimage/rpm/rpmdb.sqlite",
            "opt/root/var/lib/rpm/Packages",
            "var/lib/dpkg/status.d/base",
            "usr/share/rpm/rpmdb.sqlite",
            "var/lib/pacman/local/zlib-1:1.3-1/desc",
            "layer sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0",
        ];
        let files = [
            "app/lib.jar",
            "var/lib/dpkg/status.d/base.md5sums",
            "usr/share/mylib/dpkg/status",
            "var/lib/rpm/Packages.lock",
            "var/lib/pacman/local/zlib-1:1.3-1/files",
            "app/layer sha256:x",
        ];
        for path in databases {
            assert!(lists_packages(&unknown(path)), "{path}");
        }
        for path in files {
            assert!(!lists_packages(&unknown(path)), "{path}");
        }
    }

    #[test]
    fn the_limit_decides() {
        let bill = |path| vec![unknown(path)];
        let cases = [
            (UnreadLimit::Any, "app/lib.jar", false),
            (UnreadLimit::Database, "app/lib.jar", true),
            (UnreadLimit::Database, "var/lib/rpm/rpmdb.sqlite", false),
            (UnreadLimit::Never, "var/lib/rpm/rpmdb.sqlite", true),
        ];
        for (limit, path, passes) in cases {
            assert_eq!(limit.check(&bill(path)).is_ok(), passes, "{limit:?} {path}");
        }
        assert!(UnreadLimit::Any.check(&[]).is_ok());
    }
}
