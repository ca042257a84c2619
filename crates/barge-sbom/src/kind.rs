//! The kinds of packages, one an ecosystem, each with the type of its package URLs (purl-spec).

use serde::{Deserialize, Serialize};

/// Writes the enum, the list of its values and their types from one table, so that none can be forgotten in another.
macro_rules! kinds {
    ($($(#[$text:meta])* $kind:ident = $purl_type:literal,)*) => {
        /// The kinds of packages, one per ecosystem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        #[non_exhaustive]
        pub enum PackageKind {
            $($(#[$text])* $kind,)*
        }

        impl PackageKind {
            /// All of them, sorted by name.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The type of their package URLs.
            #[must_use]
            pub const fn purl_type(self) -> &'static str {
                match self {
                    $(Self::$kind => $purl_type,)*
                }
            }
        }
    };
}

kinds! {
    /// Arch Linux and relatives.
    Alpm = "alpm",
    /// Alpine, Wolfi, Chainguard.
    Apk = "apk",
    /// Bitnami's components.
    Bitnami = "bitnami",
    /// Homebrew.
    Brew = "brew",
    /// Rust crates.
    Cargo = "cargo",
    /// CocoaPods.
    Cocoapods = "cocoapods",
    /// PHP Composer.
    Composer = "composer",
    /// Conan (C and C++).
    Conan = "conan",
    /// Conda.
    Conda = "conda",
    /// Perl.
    Cpan = "cpan",
    /// R.
    Cran = "cran",
    /// Debian, Ubuntu and relatives.
    Deb = "deb",
    /// Gentoo.
    Ebuild = "ebuild",
    /// RubyGems.
    Gem = "gem",
    /// Programs that no package manager installed, and kernels.
    Generic = "generic",
    /// GitHub actions.
    Github = "github",
    /// Go modules.
    Golang = "golang",
    /// Haskell.
    Hackage = "hackage",
    /// Erlang and Elixir.
    Hex = "hex",
    /// Julia.
    Julia = "julia",
    /// Lua.
    Luarocks = "luarocks",
    /// Java and relatives.
    Maven = "maven",
    /// Nix.
    Nix = "nix",
    /// JavaScript.
    Npm = "npm",
    /// .NET.
    Nuget = "nuget",
    /// OCaml.
    Opam = "opam",
    /// OpenWrt and relatives.
    Opkg = "opkg",
    /// Erlang/OTP applications.
    Otp = "otp",
    /// PHP PEAR and PECL.
    Pear = "pear",
    /// Dart.
    Pub = "pub",
    /// Python.
    Pypi = "pypi",
    /// Red Hat, SUSE, Photon, Azure Linux and relatives.
    Rpm = "rpm",
    /// Swift.
    Swift = "swift",
    /// vcpkg (C and C++).
    Vcpkg = "vcpkg",
    /// WordPress plug-ins and themes.
    Wordpress = "wordpress-plugin",
}

/// Themes of WordPress have a type of their own.
pub(crate) const WORDPRESS_THEME: &str = "wordpress-theme";

impl PackageKind {
    /// The kind that a type of package URLs stands for.
    #[must_use]
    pub fn of_purl_type(purl_type: &str) -> Option<Self> {
        if purl_type == WORDPRESS_THEME {
            return Some(Self::Wordpress);
        }
        let mut kinds = Self::ALL.iter().copied();
        kinds.find(|kind| kind.purl_type() == purl_type)
    }

    /// Whether a distribution's package manager installs it, and owns its files.
    #[must_use]
    pub fn is_distribution(self) -> bool {
        matches!(
            self,
            Self::Alpm | Self::Apk | Self::Deb | Self::Ebuild | Self::Opkg | Self::Rpm
        )
    }

    /// What parts the namespace of its package URLs from their name, in kinds whose own names hold both.
    pub(crate) fn separator(self) -> Option<char> {
        match self {
            Self::Composer
            | Self::Ebuild
            | Self::Github
            | Self::Golang
            | Self::Npm
            | Self::Swift => Some('/'),
            Self::Maven => Some(':'),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_kinds_share_a_type() {
        for kind in PackageKind::ALL {
            assert_eq!(PackageKind::of_purl_type(kind.purl_type()), Some(*kind));
        }
    }
}
