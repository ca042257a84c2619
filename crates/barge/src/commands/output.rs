//! `-o FORMAT[=FILE]`: a document in one of a command's formats, and where it goes.

use std::str::FromStr;

use camino::Utf8PathBuf;
use clap::ValueEnum;

/// A format, and the file that is written; without one it goes to stdout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output<Format> {
    pub(crate) format: Format,
    pub(crate) file: Option<Utf8PathBuf>,
}

impl<Format: ValueEnum> FromStr for Output<Format> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, file) = match text.split_once('=') {
            Some((_, "")) => return Err("no file is named behind `=`".to_owned()),
            Some((name, file)) => (name, Some(file.into())),
            None => (text, None),
        };
        let format = Format::from_str(name, false);
        let format = format.map_err(|_| {
            let known = formats::<Format>();
            format!("`{name}` is no format: expected one of {known}")
        })?;
        Ok(Self { format, file })
    }
}

/// The names of all formats of a command, for its help and its errors.
pub(crate) fn formats<Format: ValueEnum>() -> String {
    let values = Format::value_variants().iter();
    let names = values.filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()));
    names.collect::<Vec<_>>().join(", ")
}
