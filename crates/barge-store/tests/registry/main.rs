//! The registry client against Debian's real `docker-registry`, with skopeo as the second opinion, and against servers
//! that misbehave. Programs that are missing skip their tests, but in CI, where that is a failure.

#![expect(
    clippy::unwrap_used,
    reason = "what a test needs to go right may stop it"
)]

mod debian;
mod downloads;
mod fixture;
mod logins;
mod proxy;
mod server;
mod server_faults;
mod uploads;
