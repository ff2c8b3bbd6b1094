//! The log: one handle for all streams.

mod keep;
mod read;
mod step;
mod write;

use std::sync::{Arc, Mutex};

use tidegate_types::Clock;

pub use self::read::Found;
use crate::core::Core;
use crate::{LogError, LogOptions, LogStore};

/// All streams of a store. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    core: Arc<Core>,
    chores: Arc<Mutex<step::Chores>>,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("store", &self.core.store).finish_non_exhaustive()
    }
}

impl Log {
    /// Opens the log over a store. Only one log at a time may write to a store.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn open(
        store: Arc<dyn LogStore>,
        options: LogOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LogError> {
        // One read, so that a store that can't be read is known at once.
        store.list_due(clock.now(), 1).await?;
        Ok(Self { core: Arc::new(Core::new(store, options, clock)), chores: Arc::default() })
    }
}
