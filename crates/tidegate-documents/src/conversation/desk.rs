//! What is being answered on this node, and what waits for that.
//!
//! Owns: the order of a conversation's questions, places for answers (per user, per node), the
//! signal that ends an answer. Must not: be the truth: a restart forgets all of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tidegate_types::{ConversationId, Limits, UserId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Why an answer ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Somebody stopped it.
    Stop,
    /// The conversation is being deleted.
    Deleted,
    /// The server shuts down.
    Drain,
}

/// A question that was taken and has not ended.
#[derive(Debug)]
pub(super) struct Sitting {
    pub(super) number: u32,
    ends: watch::Sender<Option<Cause>>,
    done: CancellationToken,
    answering: AtomicBool,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    Draining,
    Full,
}

#[derive(Debug)]
pub(super) struct Desk {
    state: Mutex<State>,
    node: Arc<Semaphore>,
    per_user: usize,
    most: usize,
}

#[derive(Debug, Default)]
struct State {
    sittings: HashMap<ConversationId, Vec<Arc<Sitting>>>,
    count: usize,
    users: HashMap<UserId, Weak<Semaphore>>,
    closed: Option<Cause>,
}

/// A place at the desk; leaving it lets the next question begin.
pub(super) struct Place {
    desk: Arc<dyn Fn() + Send + Sync>,
    pub(super) sitting: Arc<Sitting>,
    before: Vec<CancellationToken>,
}

impl Desk {
    pub(super) fn new(limits: &Limits) -> Self {
        let size = |limit: u64| usize::try_from(limit).unwrap_or(Semaphore::MAX_PERMITS);
        let node = size(limits.answers_per_node);
        Self {
            state: Mutex::default(),
            node: Arc::new(Semaphore::new(node.min(Semaphore::MAX_PERMITS))),
            per_user: size(limits.answers_per_user).min(Semaphore::MAX_PERMITS),
            most: node.saturating_add(size(limits.questions_waiting_per_node)),
        }
    }

    /// Questions of a conversation that have not ended.
    pub(super) fn open_of(&self, id: ConversationId) -> usize {
        self.lock().sittings.get(&id).map_or(0, Vec::len)
    }

    /// Whether there would be a place for one more.
    pub(super) fn check(&self) -> Result<(), NoPlace> {
        let state = self.lock();
        match state.closed {
            Some(_) => Err(NoPlace::Draining),
            None if state.count >= self.most => Err(NoPlace::Full),
            None => Ok(()),
        }
    }

    /// Takes a question in. `leave` is called when the place is dropped.
    pub(super) fn sit(&self, id: ConversationId, number: u32, leave: Arc<dyn Fn() + Send + Sync>) -> Place {
        let mut state = self.lock();
        let (ends, _) = watch::channel(state.closed);
        let sitting = Arc::new(Sitting {
            number,
            ends,
            done: CancellationToken::new(),
            answering: AtomicBool::new(false),
        });
        let others = state.sittings.entry(id).or_default();
        let before = others.iter().map(|other| other.done.clone()).collect();
        others.push(Arc::clone(&sitting));
        state.count += 1;
        Place { desk: leave, sitting, before }
    }

    pub(super) fn leave(&self, id: ConversationId, number: u32) {
        let mut state = self.lock();
        let Some(others) = state.sittings.get_mut(&id) else { return };
        let had = others.len();
        others.retain(|sitting| sitting.number != number);
        let gone = had - others.len();
        if others.is_empty() {
            state.sittings.remove(&id);
        }
        state.count = state.count.saturating_sub(gone);
    }

    pub(super) fn find(&self, id: ConversationId, number: u32) -> Option<Arc<Sitting>> {
        self.lock().sittings.get(&id)?.iter().find(|sitting| sitting.number == number).cloned()
    }

    /// Ends all questions of a conversation and answers what tells that they have ended.
    pub(super) fn end_all(&self, id: ConversationId, cause: Cause) -> Vec<CancellationToken> {
        let state = self.lock();
        let sittings = state.sittings.get(&id).map(Vec::as_slice).unwrap_or_default();
        sittings.iter().map(|sitting| sitting.end(cause)).collect()
    }

    /// Takes no more questions and ends all there are.
    pub(super) fn close(&self, cause: Cause) {
        let mut state = self.lock();
        state.closed = Some(cause);
        for sitting in state.sittings.values().flatten() {
            sitting.end(cause);
        }
    }

    /// Places for answers of this user.
    pub(super) fn of_user(&self, user: UserId) -> Arc<Semaphore> {
        let mut state = self.lock();
        if let Some(places) = state.users.get(&user).and_then(Weak::upgrade) {
            return places;
        }
        state.users.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(Semaphore::new(self.per_user));
        state.users.insert(user, Arc::downgrade(&places));
        places
    }

    /// Places for answers of this node.
    pub(super) fn of_node(&self) -> Arc<Semaphore> {
        Arc::clone(&self.node)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sitting {
    /// Asks the answer to end; the first cause counts. Answers what tells that it has.
    pub(super) fn end(&self, cause: Cause) -> CancellationToken {
        self.ends.send_if_modified(|ends| ends.is_none() && ends.replace(cause).is_none());
        self.done.clone()
    }

    /// Waits until somebody asks it to end.
    pub(super) async fn ended(&self) -> Cause {
        let mut ends = self.ends.subscribe();
        let cause = ends.wait_for(Option::is_some).await.ok().and_then(|cause| *cause);
        match cause {
            Some(cause) => cause,
            // The sender lives in this sitting, so this is never reached.
            None => std::future::pending().await,
        }
    }

    pub(super) fn is_answering(&self) -> bool {
        self.answering.load(Ordering::Relaxed)
    }

    pub(super) fn begin(&self) {
        self.answering.store(true, Ordering::Relaxed);
    }
}

impl Place {
    /// Waits for the questions before, then for a place of the user and of the node.
    pub(super) async fn turn(
        &self,
        desk: &Desk,
        user: UserId,
    ) -> Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)> {
        for before in &self.before {
            before.cancelled().await;
        }
        let user = desk.of_user(user).acquire_owned().await.ok()?;
        let node = desk.of_node().acquire_owned().await.ok()?;
        Some((user, node))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        (self.desk)();
        self.sitting.done.cancel();
    }
}
