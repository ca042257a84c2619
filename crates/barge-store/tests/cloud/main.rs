//! Stores elsewhere against the real thing: GitHub's own client and Azure's blob storage by azurite, both from npm, and
//! servers of buckets.
//!
//! `BARGE_NODE_MODULES` names a folder where `npm install` has run on the `package.json` beside this file, and
//! `BARGE_PYTHON` a python that has moto. Tests whose servers are missing are counted as
//! ignored; in CI (`CI=true`) that is a failure instead.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests find their servers themselves, and fail by panicking"
)]

mod bucket;
#[path = "../remote/conformance.rs"]
mod conformance;
mod earlier;
mod faults;
#[path = "../remote/fixture.rs"]
#[expect(dead_code, reason = "the registry's tests use more of it")]
mod fixture;
mod forward;
mod github;
#[path = "../in_front/mod.rs"]
mod in_front;
#[path = "../remote/server.rs"]
#[expect(dead_code, reason = "the registry's tests use more of it")]
mod server;
mod servers;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// A test, and what it needs.
struct Case {
    name: &'static str,
    needs: fn() -> bool,
    run: fn(),
}

fn main() -> ExitCode {
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    let cases = github::CASES.iter().chain(bucket::CASES);
    let cases = cases.chain(faults::CASES).chain(earlier::CASES);
    let trials = cases.map(|case| {
        let is_here = (case.needs)();
        let run = || {
            if !(case.needs)() {
                return Err(Failed::from(
                    "its servers are not here, and CI must have them",
                ));
            }
            (case.run)();
            Ok(())
        };
        Trial::test(case.name, run).with_ignored_flag(!is_here && !in_ci)
    });
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials.collect());
    servers::stop();
    conclusion.exit_code()
}
