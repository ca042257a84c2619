//! The machine that a step's script runs on: turns the programs it calls into facts.

mod assign;
mod prepared;
mod programs;
mod script;
mod shell;

pub(super) use self::prepared::prepare;
pub(super) use self::programs::flag_value;
pub(super) use self::script::{Data, Script, Setting, run};
