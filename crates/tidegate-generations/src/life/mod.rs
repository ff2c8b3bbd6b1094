//! The life of a generation as a state machine over the records of its stream.

use crate::Status;

/// A step that a generation cannot take in its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a generation that is {from} cannot become {to}")]
pub struct InvalidTransition {
    /// Where it is.
    pub from: Status,
    /// Where it should have gone.
    pub to: Status,
}
