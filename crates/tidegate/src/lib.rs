//! The tidegate binary as a library: configuration, wiring and the command line.
//!
//! Owns: where settings come from, how the parts are put together, start and drain, the verbs of
//! the command line. Must not: decide anything that a domain crate decides.

pub mod bench;
pub mod cli;
mod command;
pub mod config;
pub mod server;
