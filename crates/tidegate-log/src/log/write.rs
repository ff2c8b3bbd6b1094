//! Writing: create, append, delete, trim. All of them join the group commit.

use bytes::Bytes;
use tidegate_types::{Offset, StreamPath};

use super::Log;
use crate::commit::Command;
use crate::{Append, AppendError, Appended, CreateError, Created, LogError, NewStream, Producer};

const CONTENT_TYPE_BYTES: usize = 256;
const NAME_BYTES: usize = 1_024;
/// The largest epoch and sequence number: what a double holds exactly, as the protocol says.
const NUMBER_MAX: u64 = (1 << 53) - 1;

impl Log {
    /// Makes a stream with its first records, in one commit. A stream of the same settings that is
    /// there already is left as it is.
    ///
    /// # Errors
    /// The path holds another stream, the settings are no settings, or the log failed.
    pub async fn create(&self, path: &StreamPath, new: NewStream) -> Result<Created, CreateError> {
        check_new(&new)?;
        let path = path.clone();
        self.core.ask(CreateError::Overloaded, |answer| Command::Create { path, new, answer }).await
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
    if content_type.is_empty() || content_type.len() > CONTENT_TYPE_BYTES {
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
