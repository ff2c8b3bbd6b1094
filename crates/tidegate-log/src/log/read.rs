//! Reading: metadata, pages, live tails and waiting.

use std::sync::Arc;
use std::time::Duration;

use tidegate_types::{Offset, ReadFrom, StreamPath};

use super::Log;
use crate::core::Sighting;
use crate::read::{clamp, records_from, start_of};
use crate::store::{ReadQuery, StreamKey};
use crate::tail::LiveState;
use crate::{Changes, LogError, Page, ReadBound, ReadError, StreamInfo, Tail};

/// A stream that was looked up.
#[derive(Debug)]
pub struct Found(Sighting);

impl Found {
    /// How it was.
    #[must_use]
    pub fn info(&self) -> &StreamInfo {
        &self.0.stored.info
    }
}

impl Log {
    /// The stream at a path. Does not renew its life.
    ///
    /// # Errors
    /// The log failed.
    pub async fn lookup(&self, path: &StreamPath) -> Result<Option<StreamInfo>, LogError> {
        Ok(self.find_live(path).await?.map(|found| found.0.stored.info))
    }

    /// The stream at a path, or why it can't be read. Does not renew its life.
    ///
    /// # Errors
    /// No such stream, or it is deleted and kept for its forks, or the log failed.
    pub async fn find(&self, path: &StreamPath) -> Result<StreamInfo, ReadError> {
        Ok(self.core.find(path).await?.info)
    }

    /// Notes from now on which streams move, or stops doing so. Hints for one listener of this process.
    pub fn watch_changes(&self, on: bool) {
        self.core.changes.watch(on);
    }

    /// The streams that moved since the last call; a hint, see [`Changes`].
    #[must_use]
    pub fn take_changes(&self) -> Changes {
        self.core.changes.take()
    }

    /// Returns when there is something to take.
    pub async fn changed(&self) {
        self.core.changes.noted().await;
    }

    /// Streams whose path begins with `prefix`, by path, after `after`.
    ///
    /// # Errors
    /// The log failed.
    pub async fn list(
        &self,
        prefix: &str,
        after: Option<&StreamPath>,
        limit: usize,
    ) -> Result<Vec<StreamInfo>, LogError> {
        let mut after = after.cloned();
        let mut living = Vec::new();
        while living.len() < limit {
            let wanted = limit - living.len();
            let found = self.core.store.list(prefix, after.as_ref(), wanted).await?;
            let last = found.len() < wanted;
            after = found.last().map(|stored| stored.info.path.clone());
            living.extend(found.into_iter().filter(|s| self.core.lives(s)).map(|s| s.info));
            if last {
                break;
            }
        }
        Ok(living)
    }

    /// Reads one page, within the log's own bounds.
    ///
    /// # Errors
    /// No such stream, or the log failed.
    pub async fn read(&self, path: &StreamPath, from: ReadFrom, bound: ReadBound) -> Result<Page, ReadError> {
        let options = &self.core.options;
        let bound = ReadBound {
            records: bound.records.clamp(1, options.read_records),
            bytes: bound.bytes.min(options.read_bytes),
        };
        let key = StreamKey::Path(path.clone());
        let query = ReadQuery { key, from, records: bound.records, bytes: bound.bytes };
        let found = self.core.store.read(query).await?.filter(|found| self.core.lives(&found.stored));
        let Some(found) = found else { return Err(self.core.absence(path).await) };
        self.core.note_read(&found.stored);
        let (from, gap) = clamp(start_of(from, &found.stored.info), &found.stored.info);
        let records = records_from(&found, from, bound)?;
        let info = found.stored.info;
        let next = records.last().map_or(from, |record| record.offset);
        let up_to_date = next == info.tail;
        Ok(Page { closed: info.closed && up_to_date, info, from, gap, records, next, up_to_date })
    }

    /// Looks a stream up that is to be read live once its reader was let in, see [`Log::tail_of`].
    /// Does not renew its life.
    ///
    /// # Errors
    /// The log failed.
    pub async fn find_live(&self, path: &StreamPath) -> Result<Option<Found>, LogError> {
        match self.core.sight(path).await {
            Ok(seen) => Ok(Some(Found(seen))),
            Err(ReadError::NotFound | ReadError::Gone) => Ok(None),
            Err(ReadError::Log(error)) => Err(error),
        }
    }

    /// Opens a live reader of the very stream that was found, as it is now.
    ///
    /// # Errors
    /// It is gone, or the log failed.
    pub async fn tail_of(&self, found: Found, from: ReadFrom) -> Result<Tail, ReadError> {
        let id = found.info().id;
        let (handle, stored) = self.core.attach_to(found.0).await?;
        if stored.info.id != id {
            return Err(ReadError::NotFound);
        }
        self.core.note_read(&stored);
        Ok(Tail::new(Arc::clone(&self.core), handle, stored, from))
    }

    /// Opens a live reader.
    ///
    /// # Errors
    /// No such stream, or the log failed.
    pub async fn tail(&self, path: &StreamPath, from: ReadFrom) -> Result<Tail, ReadError> {
        let (handle, stored) = self.core.attach(path).await?;
        self.core.note_read(&stored);
        Ok(Tail::new(Arc::clone(&self.core), handle, stored, from))
    }

    /// Waits until the stream reaches past `offset`, is closed, or the time is up; then says how it is.
    ///
    /// # Errors
    /// No such stream (also when it goes away meanwhile), or the log failed.
    pub async fn wait_past(
        &self,
        path: &StreamPath,
        offset: Offset,
        timeout: Duration,
    ) -> Result<StreamInfo, ReadError> {
        let (handle, mut stored) = self.core.attach(path).await?;
        self.core.note_read(&stored);
        let mut news = handle.watch();
        let over = |state: &LiveState| state.tail > offset || state.closed || state.deleted;
        let reached = async {
            loop {
                let mut state = news.look();
                let doubts = state.doubts;
                while !over(&state) && state.doubts == doubts {
                    news.changed().await;
                    state = news.look();
                }
                if over(&state) {
                    return Ok::<_, ReadError>(());
                }
                let again = self.core.find(path).await?;
                if again.info.id != stored.info.id {
                    return Err(ReadError::NotFound);
                }
                handle.settle(&again.info);
            }
        };
        match tokio::time::timeout(timeout, reached).await {
            Ok(reached) => reached?,
            // Time that is up is no error: the caller sees from the state that nothing came.
            Err(_up) => {}
        }
        let state = handle.state();
        if state.deleted {
            return Err(self.core.absence(path).await);
        }
        state.bring_up(&mut stored.info);
        Ok(stored.info)
    }
}
