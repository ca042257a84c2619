//! A bucket by its address and the variables that the providers' own tools go by.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::multipart::MultipartStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use super::connector::Connector;
use super::error::Error;
use crate::address::Provider;
use crate::http::{HttpOptions, Retry, Transport, Url, is_loopback};

/// What barge needs of a bucket: objects, and objects in parts.
pub(super) trait Bucket: ObjectStore + MultipartStore {}

impl<T: ObjectStore + MultipartStore> Bucket for T {}

/// Reaches a bucket; it is not asked yet.
pub(super) fn build(
    provider: Provider,
    name: &str,
    http: HttpOptions,
    variables: &BTreeMap<String, String>,
) -> Result<Arc<dyn Bucket>, Error> {
    let retry = retries(http.retry);
    let longest = http.retry.longest;
    let transport = Arc::new(Transport::new(http)?);
    let connector = Connector { transport, longest };
    let options = ClientOptions::new();
    Ok(match provider {
        Provider::S3 => {
            let mut builder = AmazonS3Builder::new()
                .with_bucket_name(name)
                // The server compares what arrives with this.
                .with_checksum_algorithm(Checksum::SHA256)
                .with_client_options(
                    options.with_allow_http(is_local(variables, "AWS_ENDPOINT_URL")),
                );
            for (key, value) in settings::<AmazonS3ConfigKey>(variables, "AWS_") {
                builder = builder.with_config(key, value);
            }
            let builder = builder.with_retry(retry).with_http_connector(connector);
            Arc::new(builder.build().map_err(Error::Settings)?)
        }
        Provider::Gcs => {
            let mut builder = GoogleCloudStorageBuilder::new()
                .with_bucket_name(name)
                .with_client_options(
                    options.with_allow_http(is_local(variables, "GOOGLE_BASE_URL")),
                );
            for (key, value) in settings::<GoogleConfigKey>(variables, "GOOGLE_") {
                builder = builder.with_config(key, value);
            }
            let builder = builder.with_retry(retry).with_http_connector(connector);
            Arc::new(builder.build().map_err(Error::Settings)?)
        }
        Provider::Azure => {
            let mut builder = MicrosoftAzureBuilder::new()
                .with_container_name(name)
                .with_client_options(
                    options.with_allow_http(is_local(variables, "AZURE_STORAGE_ENDPOINT")),
                );
            for (key, value) in settings::<AzureConfigKey>(variables, "AZURE_") {
                builder = builder.with_config(key, value);
            }
            let builder = builder.with_retry(retry).with_http_connector(connector);
            Arc::new(builder.build().map_err(Error::Settings)?)
        }
    })
}

/// The variables that the library knows. What it does not know is other tools' business.
fn settings<'v, K: std::str::FromStr>(
    variables: &'v BTreeMap<String, String>,
    prefix: &'v str,
) -> impl Iterator<Item = (K, &'v String)> {
    let own = variables
        .iter()
        .filter(move |(name, value)| name.starts_with(prefix) && !value.trim().is_empty());
    own.filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value)))
}

/// A server on this machine is spoken to in plain: nothing leaves it.
fn is_local(variables: &BTreeMap<String, String>, endpoint: &str) -> bool {
    let url = variables
        .get(endpoint)
        .and_then(|url| url.parse::<Url>().ok());
    url.is_some_and(|url| is_loopback(&url.authority))
}

fn retries(retry: Retry) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: retry.pause,
            max_backoff: retry.longest,
            base: 2.0,
        },
        max_retries: usize::try_from(retry.attempts.saturating_sub(1)).unwrap_or(0),
        ..RetryConfig::default()
    }
}
