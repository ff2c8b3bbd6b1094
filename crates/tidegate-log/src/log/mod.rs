//! The log: one handle for all streams.

use std::sync::Arc;
use std::time::Duration;

use tidegate_types::{Clock, Offset, ReadFrom, StreamPath, Timestamp};

use crate::{
    Append, AppendError, Appended, CreateError, Created, LogError, LogOptions, LogStore, NewStream, Page,
    ReadBound, ReadError, StreamInfo, Tail,
};

/// All streams of a store. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    _store: Arc<dyn LogStore>,
    _options: LogOptions,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").finish_non_exhaustive()
    }
}

fn soon<E: From<tidegate_db::DbError>>() -> E {
    tidegate_db::DbError::Unavailable("streams are being built".to_owned()).into()
}

impl Log {
    /// Opens the log over a store.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn open(
        store: Arc<dyn LogStore>,
        options: LogOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LogError> {
        Ok(Self { inner: Arc::new(Inner { _store: store, _options: options, clock }) })
    }

    /// Makes a stream with its first records, in one commit. A stream of the same settings that is
    /// there already is left as it is.
    ///
    /// # Errors
    /// The path holds another stream, the settings are no settings, or the log failed.
    pub async fn create(&self, _path: &StreamPath, _new: NewStream) -> Result<Created, CreateError> {
        Err(soon())
    }

    /// Appends and answers after the commit. Dropping the future does not take the write back.
    ///
    /// # Errors
    /// See [`AppendError`]; nothing was written.
    pub async fn append(&self, _path: &StreamPath, _append: Append) -> Result<Appended, AppendError> {
        Err(soon())
    }

    /// The stream at a path. Does not renew its life.
    ///
    /// # Errors
    /// The log failed.
    pub async fn lookup(&self, _path: &StreamPath) -> Result<Option<StreamInfo>, LogError> {
        Err(soon())
    }

    /// Streams whose path begins with `prefix`, by path, after `after`.
    ///
    /// # Errors
    /// The log failed.
    pub async fn list(
        &self,
        _prefix: &str,
        _after: Option<&StreamPath>,
        _limit: usize,
    ) -> Result<Vec<StreamInfo>, LogError> {
        Err(soon())
    }

    /// Reads one page.
    ///
    /// # Errors
    /// No such stream, or the log failed.
    pub async fn read(
        &self,
        _path: &StreamPath,
        _from: ReadFrom,
        _bound: ReadBound,
    ) -> Result<Page, ReadError> {
        Err(soon())
    }

    /// Opens a live reader.
    ///
    /// # Errors
    /// No such stream, or the log failed.
    pub async fn tail(&self, _path: &StreamPath, _from: ReadFrom) -> Result<Tail, ReadError> {
        Err(soon())
    }

    /// Waits until the stream reaches past `offset`, is closed, or the time is up; then says how it is.
    ///
    /// # Errors
    /// No such stream (also when it goes away meanwhile), or the log failed.
    pub async fn wait_past(
        &self,
        _path: &StreamPath,
        _offset: Offset,
        _timeout: Duration,
    ) -> Result<StreamInfo, ReadError> {
        Err(soon())
    }

    /// Deletes a stream; open tails end. Answers whether there was one.
    ///
    /// # Errors
    /// The log failed.
    pub async fn delete(&self, _path: &StreamPath) -> Result<bool, LogError> {
        Err(soon())
    }

    /// Drops the records before an offset (clamped to the tail). Answers the new trim point, or
    /// `None` when there is no such stream.
    ///
    /// # Errors
    /// The log failed.
    pub async fn trim(&self, _path: &StreamPath, _before: Offset) -> Result<Option<Offset>, LogError> {
        Err(soon())
    }

    /// One bounded round of housekeeping: expiry, purging, flushing of renewals. Answers when the
    /// next is due.
    ///
    /// # Errors
    /// The log failed; the next round tries again.
    pub async fn step(&self, now: Timestamp) -> Result<Timestamp, LogError> {
        let _ = self.inner.clock.now();
        Ok(now.plus(Duration::from_secs(1)))
    }
}
