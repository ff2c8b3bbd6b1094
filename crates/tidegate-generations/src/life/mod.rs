//! The life of a generation: a pure state machine over the records of its stream.
//!
//! Owns: what a record says, which records may follow which, and the state they add up to.
//! Must not: read a clock, a table or a stream.
//!
//! ```text
//! pending ──► processing ──► cancelling ──► cancelled
//!    │ ▲          │ │ │          ├────────► completed
//!    │ └──────────┘ │ │          └────────► failed
//!    │  attempt + 1 │ └──► failed
//!    └► cancelled   └────► completed
//! ```

mod entry;
mod project;
mod transition;

pub use entry::{Entry, Origin};
pub use project::{ProjectError, Projection, project};
pub use transition::{InvalidTransition, Step, transition};
