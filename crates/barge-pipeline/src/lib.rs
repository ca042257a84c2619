//! The way of an image from event to verdict, one typed step after the other.

pub mod adopt;
mod bases;
mod blocking;
pub mod build;
pub mod built;
mod carried;
mod elapsed;
pub mod engine;
mod error;
pub mod git;
pub mod input;
mod layer_cache;
pub mod layer_lines;
pub mod load;
pub mod observer;
pub mod plan;
pub mod record;
pub mod registry;
pub mod report;
pub mod run;
pub mod save;
pub mod settings;
pub mod store;
mod surroundings;
pub mod verify;
mod workspace;

pub use built::Built;
pub use error::Error;
pub use layer_cache::{LayerFolder, layer_cache, make_room};
pub use observer::{Notice, Observer};
pub use save::Saved;
pub use settings::{BuildSettings, EngineChoice, StoreSettings};
pub use surroundings::Surroundings;
pub use workspace::Workspace;
