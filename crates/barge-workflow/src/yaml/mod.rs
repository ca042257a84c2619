//! A YAML document as a tree in which every node knows its bytes.
//!
//! Built on the events of saphyr-parser. Anchors are followed by sharing the node they name. Merge keys are ordinary
//! keys, as GitHub treats them. Only the first document of a stream is read. A broken document yields the position and
//! the reason; it never panics, and depth and size are bounded: what an alias names counts each time it is named.

mod loader;
mod node;
mod parse;

pub use node::{Kind, Node, Scalar, Style};
pub use parse::{ParseYamlError, parse};
