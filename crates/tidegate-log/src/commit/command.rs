//! What waits for the next group commit.

use bytes::Bytes;
use tidegate_db::{DbError, give_answers};
use tidegate_types::{Offset, StreamPath, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::fork::Measured;
use crate::tail::News;
use crate::{Append, AppendError, Appended, CreateError, Created, LogError, NewStream, StreamId};

pub(crate) type AnswerTo<T, E> = oneshot::Sender<Result<T, E>>;

/// One write with the one who waits for it.
#[derive(Debug)]
pub(crate) enum Command {
    Create {
        path: StreamPath,
        new: NewStream,
        measured: Option<Measured>,
        answer: AnswerTo<Created, CreateError>,
    },
    Append {
        path: StreamPath,
        append: Append,
        answer: AnswerTo<Appended, AppendError>,
    },
    Delete {
        path: StreamPath,
        answer: AnswerTo<bool, LogError>,
    },
    Trim {
        path: StreamPath,
        before: Offset,
        answer: AnswerTo<Option<Offset>, LogError>,
    },
    /// Deletes the stream if its time is up, looking at renewals in memory too.
    Expire {
        path: StreamPath,
        id: StreamId,
        answer: AnswerTo<bool, LogError>,
    },
    /// Stores that the stream was read at this time.
    Renew {
        path: StreamPath,
        id: StreamId,
        at: Timestamp,
    },
}

/// Memory that a waiting command takes beside its records.
const OVERHEAD: usize = 256;

impl Command {
    pub(crate) const fn path(&self) -> &StreamPath {
        match self {
            Self::Create { path, .. }
            | Self::Append { path, .. }
            | Self::Delete { path, .. }
            | Self::Trim { path, .. }
            | Self::Expire { path, .. }
            | Self::Renew { path, .. } => path,
        }
    }

    /// The stream whose head is needed too.
    pub(crate) fn source(&self) -> Option<&StreamPath> {
        match self {
            Self::Create { new, .. } => new.fork.as_ref().map(|fork| &fork.source),
            _ => None,
        }
    }

    /// The producer whose state is needed.
    pub(crate) fn producer(&self) -> Option<&str> {
        match self {
            Self::Append { append, .. } => append.producer.as_ref().map(|p| p.id.as_str()),
            _ => None,
        }
    }

    pub(crate) const fn creates(&self) -> bool {
        matches!(self, Self::Create { .. })
    }

    pub(crate) fn weight(&self) -> usize {
        let records = match self {
            Self::Create { new, .. } => &new.records,
            Self::Append { append, .. } => &append.records,
            _ => return OVERHEAD,
        };
        let overhead = records.len().saturating_mul(size_of::<Bytes>()).saturating_add(OVERHEAD);
        records.iter().map(Bytes::len).fold(overhead, usize::saturating_add)
    }

    /// Answers that nothing was written.
    pub(crate) fn fail(self, error: DbError) {
        // Whoever stopped waiting learns nothing.
        match self {
            Self::Create { answer, .. } => drop(answer.send(Err(error.into()))),
            Self::Append { answer, .. } => drop(answer.send(Err(error.into()))),
            Self::Delete { answer, .. } | Self::Expire { answer, .. } => drop(answer.send(Err(error.into()))),
            Self::Trim { answer, .. } => drop(answer.send(Err(error.into()))),
            Self::Renew { .. } => {}
        }
    }
}

/// An answer that is held back until the commit.
#[derive(Debug)]
pub(crate) enum Answer {
    Create(AnswerTo<Created, CreateError>, Result<Created, CreateError>),
    Append(AnswerTo<Appended, AppendError>, Result<Appended, AppendError>),
    Deleted(AnswerTo<bool, LogError>, bool),
    Trimmed(AnswerTo<Option<Offset>, LogError>, Option<Offset>),
}

/// The answers of one group and the news for live readers, which are given when this is dropped,
/// wherever that is: answers first, since writers wait for the disk only.
#[derive(Debug)]
pub(crate) struct Answers {
    held: Vec<Answer>,
    outcome: Result<(), DbError>,
    news: Vec<News>,
}

impl Answers {
    pub(crate) const fn new(held: Vec<Answer>, outcome: Result<(), DbError>, news: Vec<News>) -> Self {
        Self { held, outcome, news }
    }

    /// Gives them.
    pub(crate) fn give(self, runtime: Option<&Handle>) {
        let several = self.held.len() + self.news.len() > 1;
        give_answers(self, several, runtime);
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.held.drain(..).for_each(|answer| answer.send(&self.outcome));
        self.news.clear();
    }
}

impl Answer {
    fn send(self, outcome: &Result<(), DbError>) {
        match (self, outcome) {
            (Self::Create(to, result), Ok(())) => drop(to.send(result)),
            (Self::Append(to, result), Ok(())) => drop(to.send(result)),
            (Self::Deleted(to, result), Ok(())) => drop(to.send(Ok(result))),
            (Self::Trimmed(to, result), Ok(())) => drop(to.send(Ok(result))),
            // Even a refusal may rest on writes that were not committed, so all hear of the failure.
            (Self::Create(to, _), Err(error)) => drop(to.send(Err(error.clone().into()))),
            (Self::Append(to, _), Err(error)) => drop(to.send(Err(error.clone().into()))),
            (Self::Deleted(to, _), Err(error)) => drop(to.send(Err(error.clone().into()))),
            (Self::Trimmed(to, _), Err(error)) => drop(to.send(Err(error.clone().into()))),
        }
    }
}
