//! Which state may follow which.

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

/// What a change of status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A worker took it.
    Claimed,
    /// The worker reported.
    Progressed,
    /// Its owner wants it to stop.
    CancelRequested,
    /// It waits again: for its next attempt, or for the rest of this one.
    Requeued,
    /// It ended.
    Finished,
}

/// The step from one state to another.
///
/// # Errors
/// There is none: a finished one stays what it is, only a held one ends with a result, and so on.
pub const fn transition(from: Status, to: Status) -> Result<Step, InvalidTransition> {
    use Status::{Cancelled, Cancelling, Completed, Failed, Pending, Processing};
    match (from, to) {
        (Pending, Processing) => Ok(Step::Claimed),
        (Processing, Processing) | (Cancelling, Cancelling) => Ok(Step::Progressed),
        (Processing, Cancelling) => Ok(Step::CancelRequested),
        (Processing, Pending) => Ok(Step::Requeued),
        (Pending | Cancelling, Cancelled) | (Processing | Cancelling, Completed | Failed) => {
            Ok(Step::Finished)
        }
        (Pending, Pending | Cancelling | Completed | Failed)
        | (Processing, Cancelled)
        | (Cancelling, Pending | Processing)
        | (Completed | Failed | Cancelled, _) => Err(InvalidTransition { from, to }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_an_end() {
        for from in Status::ALL.into_iter().filter(|status| status.is_finished()) {
            for to in Status::ALL {
                assert_eq!(transition(from, to), Err(InvalidTransition { from, to }));
            }
        }
    }

    #[test]
    fn only_a_held_generation_completes() {
        for from in Status::ALL {
            assert_eq!(transition(from, Status::Completed).is_ok(), from.is_held());
        }
    }
}
