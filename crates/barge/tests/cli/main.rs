//! The command line without a daemon: help texts, error messages with their exit codes, JSON shapes.
#![expect(clippy::unwrap_used, missing_docs, reason = "tests fail by panicking")]

mod errors;
mod help;
mod json;
mod skip;
#[path = "../support/mod.rs"]
mod support;
mod tampering;
