//! The command line of barge.

fn main() {}
