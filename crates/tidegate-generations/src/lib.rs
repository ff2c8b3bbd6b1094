//! Generations: long-running jobs, each a record that is the projection of its own stream.
//!
//! Owns: the job's life (create, claim, progress, cancel, retry, end), worker leases and their
//! fencing, the streams `generations/{id}`, what is announced to the owner, and the node's own
//! worker that runs built-in frameworks.
//! Must not: know HTTP, credentials of users, or how announcements reach a feed ([`Announce`]).
//!
//! Rule: the log is written first, the row follows. A row that fell behind its stream (a crash
//! between the two) is brought up to date by replaying the stream.

mod announce;
mod change;
mod error;
mod generations;
mod life;
mod mend;
mod model;
mod record;
mod runner;
mod sqlite;
mod store;
mod work;

pub use announce::{Announce, AnnounceFailed, Announcement, NoAnnounce};
pub use error::{
    CancelError, ClaimError, CreateError, DeleteError, GenerationsError, Invalid, RetryError, WorkError,
};
pub use generations::{Generations, GenerationsConfig, GenerationsParts};
pub use life::{Entry, InvalidTransition, Origin, ProjectError, Projection, Step, project, transition};
pub use model::{
    Created, Filter, Generation, GenerationPage, New, STAGE_CANCELLED, STAGE_CANCELLING, STAGE_CLAIMED,
    STAGE_COMPLETED, STAGE_FAILED, STAGE_INIT, STAGE_QUEUED, Status,
};
pub use runner::{Failure, Framework, Job, Rejected, Runner};
pub use sqlite::SqliteGenerations;
pub use store::{Claimable, ClaimableQuery, GenerationStore, Lease, ListQuery, Row, Save};
pub use work::{Claim, Claimed, Progress, Progressed};
