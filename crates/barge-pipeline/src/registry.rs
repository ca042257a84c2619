//! The registry client as this machine's settings would have it: docker's logins, the environment's proxies.

use std::fs;
use std::io;
use std::sync::Arc;

use barge_ci::Environment;
use barge_engine::blocking;
use barge_image::archive::Passing;
use barge_image::{Image, Layout, Reference};
use barge_store::http::{HttpOptions, Proxies};
use barge_store::registry::{Keyring, Registry, RegistryOptions, Transfer};
use camino::Utf8Path;

use crate::error::Error;
use crate::observer::Notice;
use crate::surroundings::Surroundings;

/// Pulls an image for this machine's platform into a layout.
///
/// # Errors
/// When the registry refuses or fails, or what it sends is not what its digests say.
pub async fn pull(
    surroundings: &Surroundings,
    reference: &Reference,
    layout: &Utf8Path,
) -> Result<Image, Error> {
    let options = options(surroundings)?;
    let (reference, layout) = (reference.clone(), layout.to_owned());
    let observer = Arc::clone(&surroundings.observer);
    let work = move || {
        let registry = Registry::new(options)?;
        let layout = Layout::create(&layout)?;
        let tell = |transfer: Transfer| {
            if let Transfer::Started { size, .. } = transfer {
                observer.notice(&Notice::Passing(Passing::Bytes(size)));
            }
        };
        Ok(registry.pull(&reference, None, &layout, &tell)?)
    };
    blocking(work).await
}

pub(crate) fn options(surroundings: &Surroundings) -> Result<RegistryOptions, Error> {
    let environment = &surroundings.environment;
    let keyring = surroundings.docker_config().map_or_else(
        || Ok(Keyring::default()),
        |folder| keyring(&folder.join("config.json")),
    )?;
    Ok(RegistryOptions {
        keyring,
        http: http_options(environment),
        ..RegistryOptions::default()
    })
}

/// How hosts are reached from here, whoever asks: registries, stores, publishers of advisories.
#[must_use]
pub fn http_options(environment: &Environment) -> HttpOptions {
    let variable = |name: &str| environment.non_empty(name).map(str::to_owned);
    HttpOptions {
        proxies: Proxies::from_variables(variable),
        ..HttpOptions::default()
    }
}

fn keyring(file: &Utf8Path) -> Result<Keyring, Error> {
    match fs::read(file) {
        Ok(bytes) => Ok(Keyring::from_docker_config(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Keyring::default()),
        Err(source) => Err(Error::File {
            action: "read",
            path: file.to_owned(),
            source,
        }),
    }
}
