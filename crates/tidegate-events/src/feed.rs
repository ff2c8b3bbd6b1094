//! The stream of one user's events; made when it is first needed.

use bytes::Bytes;
use tidegate_log::{Append, AppendError, Log, NewStream, StreamInfo};
use tidegate_types::{Offset, StreamPath, UserId};

use crate::EventsError;

pub(crate) async fn ensure(log: &Log, user: UserId) -> Result<StreamInfo, EventsError> {
    let path = StreamPath::of_feed(user);
    if let Some(info) = log.lookup(&path).await? {
        return Ok(info);
    }
    Ok(log.create(&path, NewStream::json()).await?.info)
}

/// Appends one record; answers the offset after it.
pub(crate) async fn append(log: &Log, user: UserId, record: Bytes) -> Result<Offset, EventsError> {
    let path = StreamPath::of_feed(user);
    let append = Append { records: vec![record.clone()], ..Append::default() };
    match log.append(&path, append.clone()).await {
        Err(AppendError::NotFound) => {}
        other => return Ok(other?.tail),
    }
    let new = NewStream { records: vec![record], ..NewStream::json() };
    let created = log.create(&path, new).await?;
    if created.existed {
        // Another publication made it in between.
        return Ok(log.append(&path, append).await?.tail);
    }
    Ok(created.info.tail)
}
