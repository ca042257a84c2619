//! The store as this machine's settings would have it.

use barge_image::record::Source;
use barge_store::remote::RemoteOptions;
use barge_store::{Lifetime, Store, StoreAddress};

use crate::error::Error;
use crate::registry;
use crate::settings::{RetentionSettings, StoreCompression};
use crate::surroundings::Surroundings;

/// Opens the store at an address, by default the one of the settings, by default the checkout's own.
///
/// # Errors
/// When something that is needed to reach it is not set.
pub fn open(surroundings: &Surroundings, address: Option<&StoreAddress>) -> Result<Store, Error> {
    let workspace = surroundings.workspace();
    let address = match address.or(surroundings.store.address.as_ref()) {
        Some(StoreAddress::Directory(path)) => {
            StoreAddress::Directory(surroundings.folder.join(path))
        }
        Some(elsewhere) => elsewhere.clone(),
        None => StoreAddress::Directory(workspace.store()),
    };
    let variables = surroundings.environment.iter();
    let options = RemoteOptions {
        registry: registry::options(surroundings)?,
        variables: variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        now: Some(surroundings.now),
    };
    let store = Store::open(&address, &workspace.cache(), &options)?;
    Ok(match surroundings.store.compression {
        StoreCompression::Zstd => store,
        StoreCompression::Gzip => store.with_gzip(),
    })
}

/// How long an image from there is kept.
pub(crate) fn lifetime(settings: &RetentionSettings, source: &Source) -> Lifetime {
    let is_tag = |name: &String| name.starts_with("refs/tags/");
    if source.pull_request.is_some() {
        settings.pull_request
    } else if source.git_ref.as_ref().is_some_and(is_tag) {
        settings.release
    } else if source.default_branch {
        settings.default_branch
    } else {
        settings.branch
    }
}

#[cfg(test)]
mod tests {
    use barge_image::record::Run;

    use super::*;

    #[test]
    fn what_an_image_is_for_decides_how_long_it_is_kept() {
        let source = |pull_request, git_ref: &str| Source {
            pull_request,
            default_branch: git_ref == "refs/heads/main",
            git_ref: Some(git_ref.to_owned()),
            run: Run {
                id: "1".into(),
                attempt: 1,
            },
            ..Source::default()
        };
        let settings = RetentionSettings::default();
        for (source, expected) in [
            (source(Some(7), "refs/pull/7/merge"), "7d"),
            (source(None, "refs/heads/main"), "30d"),
            (source(None, "refs/heads/next"), "14d"),
            (source(None, "refs/tags/v1"), "never"),
            (Source::default(), "14d"),
        ] {
            let expected: Lifetime = expected.parse().unwrap();
            assert_eq!(lifetime(&settings, &source), expected, "{source:?}");
        }
    }
}
