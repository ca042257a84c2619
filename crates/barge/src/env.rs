//! The one place where the process's environment and clock are read.

use barge_ci::Environment;
use barge_store::StoreAddress;
use camino::Utf8PathBuf;
use clap::ValueEnum as _;
use jiff::Timestamp;

use crate::cli::ColorChoice;
use crate::error::Error;

/// Names the advisory data.
pub(crate) const DATABASE: &str = "BARGE_DB";

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

/// The store that `BARGE_STORE` names. A CI system sets a variable that it does not know to the empty text: that names none,
/// here as in all other variables.
pub(crate) fn store(environment: &Environment) -> Result<Option<StoreAddress>, Error> {
    let named = environment.non_empty("BARGE_STORE");
    Ok(named.map(str::parse).transpose()?)
}

/// The settings file that `BARGE_SETTINGS` names.
pub(crate) fn settings(environment: &Environment) -> Option<Utf8PathBuf> {
    Some(environment.non_empty("BARGE_SETTINGS")?.into())
}

/// When to use colours, by `BARGE_COLOR`.
pub(crate) fn color(environment: &Environment) -> Result<Option<ColorChoice>, Error> {
    let Some(text) = environment.non_empty("BARGE_COLOR") else {
        return Ok(None);
    };
    let choice = ColorChoice::from_str(text, false).map_err(|_| Error::Variable {
        name: "BARGE_COLOR",
        value: text.to_owned(),
        expected: "`auto`, `always` or `never`",
    });
    choice.map(Some)
}
