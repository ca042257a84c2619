//! What fails a gate, what only warns, and what does not count.

mod baseline;
mod ignore;
mod judge;
mod settings;
mod threshold;
mod verdict;

pub use baseline::Baseline;
pub use ignore::IgnoreRule;
pub use settings::Policy;
pub use threshold::Threshold;
pub use verdict::{Status, Verdict};

#[cfg(test)]
mod tests;
