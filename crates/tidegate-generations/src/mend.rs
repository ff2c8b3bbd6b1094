//! Bringing rows that fell behind their streams up to date: replay from the row's position on.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Duration;

use tidegate_log::{ReadBound, StreamInfo};
use tidegate_types::{GenerationId, KeyId, Offset, ReadFrom, Timestamp};

use crate::announce::Told;
use crate::store::{Lease, Row};
use crate::{Entry, Generations, GenerationsError, Projection, project};

const STREAMS_PER_PAGE: usize = 500;
const PAGE: ReadBound = ReadBound { records: 256, bytes: 1_048_576 };
const PREFIX: &str = "generations/";

impl Generations {
    /// Compares all rows with their streams, page by page, and mends those that differ.
    pub(crate) async fn mend_all(&self) -> Result<(), GenerationsError> {
        let mut after: Option<StreamInfo> = None;
        loop {
            let path = after.as_ref().map(|info| &info.path);
            let streams = self.parts().log.list(PREFIX, path, STREAMS_PER_PAGE).await?;
            let is_last = streams.len() < STREAMS_PER_PAGE;
            let from = after.as_ref().and_then(id_of);
            let up_to = if is_last { None } else { streams.last().and_then(id_of) };
            self.mend_page(&streams, from.as_ref(), up_to.as_ref()).await?;
            match streams.into_iter().next_back() {
                Some(last) if !is_last => after = Some(last),
                _ => return Ok(()),
            }
        }
    }

    async fn mend_page(
        &self,
        streams: &[StreamInfo],
        from: Option<&GenerationId>,
        up_to: Option<&GenerationId>,
    ) -> Result<(), GenerationsError> {
        let rows = self.parts().store.list_positions(from, up_to).await?;
        let mut rows: HashMap<GenerationId, Offset> = rows.into_iter().collect();
        for stream in streams {
            let Some(id) = id_of(stream) else { continue };
            if rows.remove(&id) != Some(stream.tail) {
                self.mend(&id).await?;
            }
        }
        // What is left has lost its stream: its deletion was under way.
        for id in rows.into_keys() {
            self.mend(&id).await?;
        }
        Ok(())
    }

    /// Tries again those whose row could not be written.
    pub(crate) async fn mend_behind(&self) -> Result<(), GenerationsError> {
        let behind: Vec<_> =
            self.inner.behind.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        for id in behind {
            self.row(&id).await?;
        }
        Ok(())
    }

    /// Replays what the row does not reflect. The caller holds the generation's lock.
    pub(crate) async fn mend(&self, id: &GenerationId) -> Result<Option<Row>, GenerationsError> {
        let row = self.parts().store.lookup(id).await?;
        let before = row.as_ref().map(|row| row.state.clone());
        let Some((state, tail)) = self.replay(id, before.clone()).await? else {
            self.parts().store.remove(id).await?;
            self.caught_up(id);
            return Ok(None);
        };
        let Some(state) = state else {
            tracing::error!(generation.id = %id, stream.tail = %tail, "a stream creates no generation");
            return Ok(None);
        };
        let mended = Row { lease: lease_after(row.as_ref(), &state, self.now()), state };
        if before.as_ref() != Some(&mended.state) {
            tracing::info!(generation.id = %id, offset = %tail, "brought a generation up to date with its stream");
            self.save(&mended, Told::since(before.as_ref().map(|b| &b.record), &mended.state.record)).await?;
        }
        self.caught_up(id);
        Ok(Some(mended))
    }

    fn caught_up(&self, id: &GenerationId) {
        self.inner.behind.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// The state after all records, and the tail. `None`: there is no such stream.
    async fn replay(
        &self,
        id: &GenerationId,
        mut state: Option<Projection>,
    ) -> Result<Option<(Option<Projection>, Offset)>, GenerationsError> {
        let path = Self::stream_path(id);
        let mut from = state.as_ref().map_or(ReadFrom::Start, |state| ReadFrom::At(state.record.offset));
        loop {
            let page = match self.parts().log.read(&path, from, PAGE).await {
                Ok(page) => page,
                Err(error) if GenerationsError::is_missing(&error) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            for record in &page.records {
                state = replay_one(id, state, &record.data, record.offset);
            }
            if page.up_to_date || page.records.is_empty() {
                return Ok(Some((state, page.next)));
            }
            from = ReadFrom::At(page.next);
        }
    }
}

/// A record that does not fit is stepped over: the server alone writes these streams, so it is a
/// bug worth a line, and stopping here would leave the generation behind for ever.
fn replay_one(
    id: &GenerationId,
    state: Option<Projection>,
    data: &[u8],
    offset: Offset,
) -> Option<Projection> {
    let after = Entry::decode(data)
        .map_err(|error| error.to_string())
        .and_then(|entry| project(state.as_ref(), &entry, offset).map_err(|error| error.to_string()));
    match after {
        Ok(after) => Some(after),
        Err(reason) => {
            tracing::error!(generation.id = %id, %offset, reason, "a record does not fit its generation");
            let mut state = state?;
            state.record.offset = offset;
            Some(state)
        }
    }
}

/// A claim whose row was not written left no lease behind, so its worker never got the secret:
/// a lease that nobody can use and that has run out already stands in for it.
fn lease_after(row: Option<&Row>, state: &Projection, now: Timestamp) -> Option<Lease> {
    let known = row.filter(|row| row.state.epoch == state.epoch).and_then(|row| row.lease);
    if state.record.status.is_held() {
        let lost = Lease {
            digest: [0; 32],
            key_id: KeyId::from(uuid::Uuid::nil()),
            lasts: Duration::ZERO,
            expires_at: Some(now),
        };
        return Some(known.unwrap_or(lost));
    }
    // What the worker itself ended stays tied to its secret; what went back to the queue does not.
    known.filter(|_| state.record.status.is_finished()).map(|lease| Lease { expires_at: None, ..lease })
}

fn id_of(stream: &StreamInfo) -> Option<GenerationId> {
    stream.path.as_str().strip_prefix(PREFIX)?.parse().ok()
}
