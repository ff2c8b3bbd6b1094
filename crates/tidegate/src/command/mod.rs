//! Commands as jobs: started without a shell, their output read as progress, told to stop.
//!
//! Owns: the child process, its output as reports, and the built-in framework `command`.
//! Must not: decide which commands may run; the configuration lists them (`[[command]]`), or a
//! person types one (`tidegate run`).

mod child;
mod fill;
mod framework;
mod lines;

pub(crate) use child::{Echo, Feed, Running, exit_code};
pub(crate) use framework::CommandFramework;
pub(crate) use lines::{Digest, Report};
