//! Existing workflow files: a model with positions, expressions, image-reference dataflow, rules, fixes.
