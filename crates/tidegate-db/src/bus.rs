//! The bus: hints that something may have changed. A hint may be lost, late or repeated; it
//! carries nothing that the database can't give again.

use std::fmt;
use std::sync::Arc;

use tokio::sync::broadcast;

/// "Look again": a topic of one crate and, where useful, what to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Who should look, e.g. `revocations`.
    pub topic: &'static str,
    /// What to look at; empty for "anything of this topic".
    pub key: Arc<str>,
}

/// A way to tell every node, this one included.
pub trait Bus: Send + Sync + fmt::Debug {
    /// Sends a hint. Never blocks, never fails: who misses it finds out by looking.
    fn publish(&self, hint: Hint);

    /// All hints from now on.
    fn subscribe(&self) -> HintReceiver;
}

/// Receives hints.
#[derive(Debug)]
pub struct HintReceiver(broadcast::Receiver<Hint>);

impl HintReceiver {
    /// The next hint, or `None` when some were missed (or the bus is gone): look at everything.
    pub async fn next(&mut self) -> Option<Hint> {
        self.0.recv().await.ok()
    }
}

/// The bus of a single node: its own process.
#[derive(Clone, Debug)]
pub struct LocalBus(broadcast::Sender<Hint>);

impl LocalBus {
    /// A bus that remembers `hints` for a slow listener.
    #[must_use]
    pub fn new(hints: usize) -> Self {
        Self(broadcast::channel(hints.max(1)).0)
    }
}

impl Bus for LocalBus {
    fn publish(&self, hint: Hint) {
        // Nobody listening is fine.
        let _ = self.0.send(hint);
    }

    fn subscribe(&self) -> HintReceiver {
        HintReceiver(self.0.subscribe())
    }
}
