//! The same id twice gives one record: noted before the append, settled after it.
//!
//! A crash between the two leaves a note that says where the record would lie; whoever comes
//! again looks there first.

use bytes::Bytes;
use serde::Deserialize;
use tidegate_log::{ReadBound, ReadError};
use tidegate_types::{Offset, ReadFrom, StreamPath, UserId};

use crate::store::Claimed;
use crate::{Events, EventsError, feed};

const PAGE: ReadBound = ReadBound { records: 256, bytes: 1_048_576 };

#[derive(Deserialize)]
struct WithId {
    id: Option<String>,
}

impl Events {
    pub(super) async fn send_once(
        &self,
        user: UserId,
        record: Bytes,
        id: &str,
    ) -> Result<Offset, EventsError> {
        let parts = &self.inner.parts;
        let _one_at_a_time = self.inner.ids.lock((user, id.to_owned())).await;
        let tail =
            parts.log.lookup(&StreamPath::of_feed(user)).await?.map_or(Offset::START, |feed| feed.tail);
        let found = match parts.store.claim_id(user, id, tail, parts.clock.now()).await? {
            Claimed::Written(offset) => return Ok(offset),
            Claimed::Begun { after } => self.find_written(user, id, after).await?,
            Claimed::Fresh => None,
        };
        let offset = match found {
            Some(offset) => offset,
            None => feed::append(&parts.log, user, record).await?,
        };
        parts.store.settle_id(user, id, offset).await?;
        Ok(offset)
    }

    async fn find_written(
        &self,
        user: UserId,
        id: &str,
        after: Offset,
    ) -> Result<Option<Offset>, EventsError> {
        let path = StreamPath::of_feed(user);
        let mut from = ReadFrom::At(after);
        loop {
            let page = match self.inner.parts.log.read(&path, from, PAGE).await {
                Ok(page) => page,
                Err(ReadError::NotFound) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let is_it = |data: &[u8]| {
                serde_json::from_slice::<WithId>(data).is_ok_and(|record| record.id.as_deref() == Some(id))
            };
            if let Some(record) = page.records.iter().find(|record| is_it(&record.data)) {
                return Ok(Some(record.offset));
            }
            if page.up_to_date || page.records.is_empty() {
                return Ok(None);
            }
            from = ReadFrom::At(page.next);
        }
    }
}
