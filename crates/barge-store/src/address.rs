//! Which store is meant.

use std::fmt;
use std::str::FromStr;

use camino::Utf8PathBuf;

use crate::error::Error;

/// The address of a store, as it stands in settings and on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreAddress {
    /// A folder: `dir:PATH`.
    Directory(Utf8PathBuf),
}

impl FromStr for StoreAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.split_once(':') {
            Some(("dir", path)) if !path.is_empty() => Ok(Self::Directory(path.into())),
            _ => Err(Error::Address(text.to_owned())),
        }
    }
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => write!(f, "dir:{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses() {
        assert_eq!(
            "dir:/a/b".parse::<StoreAddress>().unwrap().to_string(),
            "dir:/a/b"
        );
        for text in ["", "dir:", "/a/b", "s4:bucket"] {
            assert!(text.parse::<StoreAddress>().is_err(), "{text}");
        }
    }
}
