//! Bills of materials of other tools, in.
