//! The handle on conversations.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_db::KeyedLocks;
use tidegate_log::Log;
use tidegate_types::{Clock, ConversationId, Entropy, Limits, StreamPath, Timestamp};
use tokio_util::task::TaskTracker;

use super::desk::{Cause, Desk};
use super::error::ConversationsError;
use super::store::ConversationStore;
use crate::answer::{Answerers, Library};

/// What conversations are made of; the binary wires it.
pub struct ConversationsParts {
    /// The tables.
    pub store: Arc<dyn ConversationStore>,
    /// The streams.
    pub log: Log,
    /// The documents.
    pub library: Arc<dyn Library>,
    /// Who answers.
    pub answerers: Answerers,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for ids.
    pub entropy: Arc<dyn Entropy>,
    /// The bounds.
    pub limits: Arc<Limits>,
}

/// Conversations. Cheap to clone.
#[derive(Clone)]
pub struct Conversations {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) parts: ConversationsParts,
    /// Asking and deleting exclude each other.
    pub(super) locks: KeyedLocks<ConversationId>,
    /// What is being answered on this node.
    pub(super) desk: Desk,
    /// Turns whose end could not be written.
    pub(super) unended: Mutex<HashSet<(ConversationId, u32)>>,
    pub(super) tasks: TaskTracker,
}

const DELETIONS_PER_STEP: usize = 16;
const OPEN_PER_PAGE: usize = 256;

impl fmt::Debug for Conversations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversations").finish_non_exhaustive()
    }
}

impl Conversations {
    /// Opens the conversations: turns that were being answered when the server went away end with
    /// `turn.error`, code `server-restarted`.
    ///
    /// # Errors
    /// The database or a stream cannot be read or written.
    pub async fn open(parts: ConversationsParts) -> Result<Self, ConversationsError> {
        let desk = Desk::new(&parts.limits);
        let opened = Self {
            inner: Arc::new(Inner {
                parts,
                locks: KeyedLocks::default(),
                desk,
                unended: Mutex::default(),
                tasks: TaskTracker::new(),
            }),
        };
        loop {
            let open = opened.parts().store.list_open(OPEN_PER_PAGE).await?;
            if open.is_empty() {
                return Ok(opened);
            }
            for (id, number) in open {
                opened.mend(id, number).await?;
            }
        }
    }

    /// Where the stream of a turn lives.
    #[must_use]
    pub fn stream_path(id: ConversationId, number: u32) -> StreamPath {
        StreamPath::of_turn(id, number)
    }

    /// Works through what is due, a bounded piece of it: ends that could not be written, deletions
    /// that were cut off. Answers when to call again.
    ///
    /// # Errors
    /// The database or a stream cannot be written; nothing is lost, call again later.
    pub async fn step(&self, now: Timestamp) -> Result<Timestamp, ConversationsError> {
        let unended: Vec<_> =
            self.inner.unended.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        // One that is still at the desk is about to leave it; the next call sees it gone.
        for (id, number) in
            unended.into_iter().filter(|(id, number)| self.inner.desk.find(*id, *number).is_none())
        {
            self.mend(id, number).await?;
            self.inner.unended.lock().unwrap_or_else(PoisonError::into_inner).remove(&(id, number));
        }
        let deleting = self.parts().store.list_deleting(DELETIONS_PER_STEP).await?;
        for (id, turns) in deleting {
            self.finish_deletion(id, turns).await?;
        }
        Ok(now.plus(Duration::from_secs(1)))
    }

    /// Ends all answers with `turn.error`, code `server-restarted`, and waits until that is
    /// written. No question is taken after this.
    pub async fn drain(&self) {
        self.inner.desk.close(Cause::Drain);
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    pub(super) fn parts(&self) -> &ConversationsParts {
        &self.inner.parts
    }

    pub(super) fn now(&self) -> Timestamp {
        self.parts().clock.now()
    }

    /// Runs something to its end, whether or not the caller waits for it.
    pub(super) async fn run_whole<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<ConversationsError> + Send + 'static,
    {
        match tokio::spawn(work).await {
            Ok(result) => result,
            Err(error) => Err(ConversationsError::internal(&error).into()),
        }
    }
}
