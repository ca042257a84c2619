//! The command line without a daemon: help texts, error messages with their exit codes, JSON shapes.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hand the binary its environment, and fail by panicking"
)]

mod crash;
mod elsewhere;
mod errors;
mod help;
mod hostile;
mod json;
mod push;
mod sbom;
mod scan;
mod skip;
#[path = "../support/mod.rs"]
mod support;
mod tampering;
mod update;
mod words;
mod workflow;
