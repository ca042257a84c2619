//! One file per command: its arguments, whose comments are the help text, and what it does with them.

mod arguments;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod db;
pub(crate) mod gate;
pub(crate) mod init;
pub(crate) mod load;
pub(crate) mod meta;
mod metadata_action;
mod output;
pub(crate) mod outputs;
pub(crate) mod plan;
pub(crate) mod push;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod save;
pub(crate) mod sbom;
pub(crate) mod scan;
pub(crate) mod store;
pub(crate) mod verify;
mod workflow_files;
mod workflow_plan;

pub(crate) use output::{Output, formats};

pub(crate) use arguments::{
    BuildArguments, DatabaseArguments, EventArguments, INPUTS, RecordArguments, RetentionArguments,
    ScanArguments, StoreArguments, bill_of, last_build, references,
};
