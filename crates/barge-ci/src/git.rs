//! What this crate asks of `git`; running the program is the caller's part.

/// Why git gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`git {command}` failed: {message}")]
pub struct GitError {
    /// The arguments, joined by spaces.
    pub command: String,
    /// What git wrote to stderr, trimmed, or why it could not be started.
    pub message: String,
}

/// Runs git in the working directory of the job.
pub trait Git {
    /// The standard output of `git <arguments>`, trimmed.
    ///
    /// # Errors
    /// When git cannot be started, exits with another code than 0, or its output is not UTF-8.
    fn run(&self, arguments: &[&str]) -> Result<String, GitError>;
}
