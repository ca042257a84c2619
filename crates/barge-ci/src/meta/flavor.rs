//! The input `flavor`: what applies to all tags.

use super::error::MetaError;
use super::image::{fields, split};

/// When the tag `latest` is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Latest {
    /// As the first rule that gives a tag says.
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Flavor {
    pub(crate) latest: Latest,
    pub(crate) prefix: String,
    pub(crate) prefix_on_latest: bool,
    pub(crate) suffix: String,
    pub(crate) suffix_on_latest: bool,
}

/// What an `onlatest` in the same entry belongs to.
#[derive(Clone, Copy)]
enum Affix {
    None,
    Prefix,
    Suffix,
}

impl Flavor {
    pub(super) fn parse(entries: &[String]) -> Result<Self, MetaError> {
        let mut flavor = Self::default();
        for entry in entries {
            flavor.add(entry)?;
        }
        Ok(flavor)
    }

    fn add(&mut self, entry: &str) -> Result<(), MetaError> {
        let mut affix = Affix::None;
        for field in fields(entry)? {
            let (key, value) = split(&field);
            let value = value.ok_or_else(|| MetaError::FlavorEntry(entry.to_owned()))?;
            match key.to_lowercase().as_str() {
                "latest" => {
                    self.latest = match value {
                        "auto" => Latest::Auto,
                        "true" => Latest::Always,
                        "false" => Latest::Never,
                        _ => return Err(MetaError::FlavorLatest(entry.to_owned())),
                    }
                }
                "prefix" => {
                    value.clone_into(&mut self.prefix);
                    affix = Affix::Prefix;
                }
                "suffix" => {
                    value.clone_into(&mut self.suffix);
                    affix = Affix::Suffix;
                }
                "onlatest" => {
                    let on = value
                        .parse()
                        .map_err(|_| MetaError::FlavorOnLatest(value.to_owned()))?;
                    match affix {
                        Affix::Prefix => self.prefix_on_latest = on,
                        Affix::Suffix => self.suffix_on_latest = on,
                        Affix::None => {}
                    }
                }
                _ => return Err(MetaError::FlavorAttribute(entry.to_owned())),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(entries: &[&str]) -> Result<Flavor, String> {
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        Flavor::parse(&entries).map_err(|error| error.to_string())
    }

    #[test]
    fn onlatest_belongs_to_the_affix_before_it_in_its_entry() {
        let flavor = read(&["latest=true", "prefix=a=b,onlatest=true,suffix=-x"]).unwrap();
        assert_eq!(
            flavor,
            Flavor {
                latest: Latest::Always,
                prefix: "a".into(),
                prefix_on_latest: true,
                suffix: "-x".into(),
                suffix_on_latest: false,
            }
        );
        assert!(
            !read(&["prefix=a", "onlatest=true"])
                .unwrap()
                .prefix_on_latest
        );
    }

    #[test]
    fn entries_are_checked() {
        for (entry, message) in [
            ("latest=TRUE", "Invalid latest flavor entry: latest=TRUE"),
            (
                "prefix=a,onlatest=x",
                "Invalid value for onlatest attribute: x",
            ),
            ("prefix=a,", "Invalid flavor entry: prefix=a,"),
            ("a=b", "Unknown flavor entry: a=b"),
        ] {
            assert_eq!(read(&[entry]).unwrap_err(), message);
        }
    }
}
