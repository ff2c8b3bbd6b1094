//! Writing: create, append, delete, trim. All of them join the group commit.

use bytes::Bytes;
use tidegate_types::{Offset, ReadFrom, StreamPath};

use super::Log;
use crate::commit::Command;
use crate::fork::Measured;
use crate::read::records_from;
use crate::store::{ReadQuery, StreamKey};
use crate::{
    Append, AppendError, Appended, CreateError, Created, LogError, NewFork, NewStream, Producer, ReadBound,
};

const CONTENT_TYPE_BYTES: usize = 256;
const NAME_BYTES: usize = 1_024;
/// The largest epoch and sequence number: what a double holds exactly, as the protocol says.
const NUMBER_MAX: u64 = (1 << 53) - 1;

impl Log {
    /// Makes a stream with its first records, in one commit. A stream of the same settings that is
    /// there already is left as it is. A fork points at the records it begins with: however many they
    /// are, making it costs the same.
    ///
    /// # Errors
    /// The path holds another stream, the settings are no settings, or the log failed.
    pub async fn create(&self, path: &StreamPath, new: NewStream) -> Result<Created, CreateError> {
        check_new(&new)?;
        let path = path.clone();
        let measured = match &new.fork {
            Some(fork) => self.measure(fork).await?,
            None => None,
        };
        let command = |answer| Command::Create { path, new, measured, answer };
        self.core.ask(CreateError::Overloaded, command).await
    }

    /// How large the record is that the fork takes a part of. What is at a position never changes, so it
    /// may be looked at before the commit.
    async fn measure(&self, fork: &NewFork) -> Result<Option<Measured>, CreateError> {
        let Some(at) = fork.at.filter(|_| fork.sub > 0) else { return Ok(None) };
        let bound = ReadBound { records: 1, bytes: 0 };
        let (key, from) = (StreamKey::Path(fork.source.clone()), ReadFrom::At(at));
        let query = ReadQuery { key, from, records: bound.records, bytes: bound.bytes };
        let Some(found) = self.core.store.read(query).await? else { return Ok(None) };
        let record = records_from(&found, at, bound)?.into_iter().next();
        let record = record.filter(|record| record.offset == at.plus(1));
        Ok(record.map(|r| Measured { source: found.stored.info.id, bytes: r.data.len() as u64 }))
    }

    /// Appends and answers after the commit. Dropping the future does not take the write back.
    ///
    /// # Errors
    /// See [`AppendError`]; nothing was written.
    pub async fn append(&self, path: &StreamPath, append: Append) -> Result<Appended, AppendError> {
        check_append(&append)?;
        let path = path.clone();
        self.core.ask(AppendError::Overloaded, |answer| Command::Append { path, append, answer }).await
    }

    /// Deletes a stream; open tails end. Answers whether there was one.
    ///
    /// # Errors
    /// The log failed.
    pub async fn delete(&self, path: &StreamPath) -> Result<bool, LogError> {
        let path = path.clone();
        self.core.ask(overloaded(), |answer| Command::Delete { path, answer }).await
    }

    /// Drops the records before an offset (clamped to the tail). Answers the new trim point, or
    /// `None` when there is no such stream.
    ///
    /// # Errors
    /// The log failed.
    pub async fn trim(&self, path: &StreamPath, before: Offset) -> Result<Option<Offset>, LogError> {
        let path = path.clone();
        self.core.ask(overloaded(), |answer| Command::Trim { path, before, answer }).await
    }
}

pub(super) const fn overloaded() -> LogError {
    LogError::Db(tidegate_db::DbError::Overloaded)
}

fn check_new(new: &NewStream) -> Result<(), CreateError> {
    let content_type = &new.content_type;
    let inherited = content_type.is_empty() && new.fork.is_some();
    if (content_type.is_empty() && !inherited) || content_type.len() > CONTENT_TYPE_BYTES {
        return Err(CreateError::Invalid("the content type has 1 to 256 bytes"));
    }
    if content_type.chars().any(char::is_control) {
        return Err(CreateError::Invalid("the content type has a control character"));
    }
    if new.ttl.is_some() && new.expires_at.is_some() {
        return Err(CreateError::Invalid("a stream has a TTL or an expiry time, not both"));
    }
    if new.records.iter().any(Bytes::is_empty) {
        return Err(CreateError::EmptyRecord);
    }
    Ok(())
}

fn check_append(append: &Append) -> Result<(), AppendError> {
    let nothing = append.records.is_empty() && !append.close;
    if nothing || append.records.iter().any(Bytes::is_empty) {
        return Err(AppendError::Empty);
    }
    if let Some(Producer { id, epoch, seq }) = &append.producer {
        if id.is_empty() || id.len() > NAME_BYTES {
            return Err(AppendError::Invalid("a producer's id has 1 to 1,024 bytes"));
        }
        if *epoch > NUMBER_MAX || *seq > NUMBER_MAX {
            return Err(AppendError::Invalid("a producer's numbers end at 2^53 - 1"));
        }
    }
    if append.seq.as_ref().is_some_and(|seq| seq.len() > NAME_BYTES) {
        return Err(AppendError::Invalid("a sequence has at most 1,024 bytes"));
    }
    Ok(())
}
