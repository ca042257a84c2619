//! The one place where the process's environment and clock are read.

use barge_ci::Environment;
use jiff::Timestamp;

use crate::error::Error;

/// The whole environment. Values that are not text are left out: nothing that barge reads can be one.
pub(crate) fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The time of the run: `BARGE_NOW`, else the clock's.
#[expect(clippy::disallowed_methods, reason = "this is the clock's one home")]
pub(crate) fn now(environment: &Environment) -> Result<Timestamp, Error> {
    match environment.non_empty("BARGE_NOW") {
        Some(text) => text.parse().map_err(|_| Error::Variable {
            name: "BARGE_NOW",
            value: text.to_owned(),
            expected: "a time such as 2026-03-04T05:06:07Z",
        }),
        None => Ok(Timestamp::now()),
    }
}

/// The time that outputs carry: `SOURCE_DATE_EPOCH` in seconds, if it is set.
pub(crate) fn source_date(environment: &Environment) -> Result<Option<Timestamp>, Error> {
    let Some(text) = environment.non_empty("SOURCE_DATE_EPOCH") else {
        return Ok(None);
    };
    let seconds = text
        .parse()
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    seconds.map(Some).ok_or_else(|| Error::Variable {
        name: "SOURCE_DATE_EPOCH",
        value: text.to_owned(),
        expected: "seconds since 1970",
    })
}
