//! The parts of the `tidegate` binary.

pub mod bench;
