//! What the pipeline tells while it works.

use barge_image::archive::Passing;
use barge_image::{Digest, Reference};

/// Takes notices; the command line shows them, tests collect them.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn notice(&self, notice: &Notice);
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A step of a build began.
    BuildStep(String),
    /// A step of a build wrote a line.
    BuildOutput(String),
    /// An image sets out.
    Transfer {
        /// How many of its layers pass.
        layers: usize,
        /// Their length in total, in bytes, where it is known; an engine's export may differ a little.
        bytes: Option<u64>,
    },
    /// Part of an image passed on its way.
    Passing(Passing),
    /// Something is odd and does not stop the work.
    Warning(String),
    /// The image is exported by the daemon, because its layers may not be read where they lie.
    MayNotRead,
    /// A load will take this name from another image.
    Moves {
        /// The name.
        reference: Reference,
        /// The engine's ID of the image that has it now.
        from: Digest,
    },
}
