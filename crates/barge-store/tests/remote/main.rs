//! Registries and stores elsewhere against the real thing: Debian's `docker-registry` with skopeo as the second opinion,
//! servers of buckets, GitHub's own client; and against servers that misbehave. Programs that are missing skip their
//! tests, but in CI, where that is a failure.

#![expect(
    clippy::unwrap_used,
    reason = "what a test needs to go right may stop it"
)]

mod conformance;
mod downloads;
mod fixture;
mod github_faults;
#[path = "../in_front/mod.rs"]
mod in_front;
mod logins;
mod proxy;
mod registry_store;
mod server;
mod server_faults;
mod uploads;
