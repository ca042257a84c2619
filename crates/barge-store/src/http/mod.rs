//! What every store behind HTTP needs: connections with limits, addresses, answers, further attempts, downloads that go on
//! where they broke off. Registries, GitHub, buckets and publishers of advisories are all spoken to through this.

mod answer;
mod download;
mod error;
mod exchange;
mod fetch;
mod options;
mod redirect;
mod retry;
mod transport;
mod url;

pub use error::Error;
pub use fetch::{Fetch, FetchError, Outcome};
pub use options::{HttpOptions, Proxies, Retry, Timeouts};

pub(crate) use answer::{Answer, Refusal};
pub(crate) use download::{Download, Origin};
pub(crate) use error::quoted;
pub(crate) use exchange::{Exchange, Question};
pub(crate) use redirect::{is_redirect, next};
pub(crate) use retry::{Backoff, is_passing, retry_after, until_answered};
pub(crate) use transport::{Pace, Payload, Transport, failure};
pub(crate) use url::{ParseUrlError, Scheme, Url, encode, is_loopback};
