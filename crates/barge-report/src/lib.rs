//! One model of findings and its renderings: SARIF, Markdown, JUnit, tables, the frame of HTML pages.

pub mod fingerprint;
pub mod json;
pub mod junit;
pub mod markdown;
mod model;
pub mod page;
pub mod sarif;
pub mod table;

pub use model::{Finding, Level, Location, Report, Rule, Suppression, Tool, one_line};
