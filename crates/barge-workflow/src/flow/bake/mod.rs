//! What `docker buildx bake` builds: the targets of the repository's bake and compose files, with their names.

mod book;
mod file;
mod target;
mod value;

pub(super) use self::book::{Question, targets};
pub(super) use self::target::Target;

#[cfg(test)]
mod tests;
