//! What a stream is: its identity, settings and present state.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use tidegate_types::{Offset, StreamPath, Timestamp};

use crate::NewFork;

/// The identity of a stream. A path that was deleted and made again has a new one, so whatever
/// must not outlive a stream (leases, entity tags) binds this and not the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(i64);

impl StreamId {
    /// From the number that a store keeps.
    #[must_use]
    pub const fn new(id: i64) -> Self {
        Self(id)
    }

    /// The number, as stores keep it.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A stream to be made.
#[derive(Clone, Debug, Default)]
pub struct NewStream {
    /// The media type of its records; `application/json` makes each record one JSON value.
    pub content_type: String,
    /// Life after the last read or write.
    pub ttl: Option<Duration>,
    /// End of life at a fixed time.
    pub expires_at: Option<Timestamp>,
    /// Its own first records, written in the same commit.
    pub records: Vec<Bytes>,
    /// Whether it takes no further records.
    pub closed: bool,
    /// The stream whose records it begins with. A content type that is empty, and a life that is not
    /// said, are then those of that stream.
    pub fork: Option<NewFork>,
}

impl NewStream {
    /// An open stream of JSON records that does not expire.
    #[must_use]
    pub fn json() -> Self {
        Self { content_type: JSON.to_owned(), ..Self::default() }
    }
}

/// A stream as it is at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// Its identity.
    pub id: StreamId,
    /// Where it lives.
    pub path: StreamPath,
    /// The media type of its records, as its creator wrote it.
    pub content_type: Arc<str>,
    /// The trim point: records before it are gone.
    pub start: Offset,
    /// The position after its last record.
    pub tail: Offset,
    /// Whether it takes no further records.
    pub closed: bool,
    /// Life after the last read or write.
    pub ttl: Option<Duration>,
    /// End of life at a fixed time.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl StreamInfo {
    /// Whether each record is one JSON value.
    #[must_use]
    pub fn is_json(&self) -> bool {
        media_type(&self.content_type).eq_ignore_ascii_case(JSON)
    }

    /// Holds the same words through the caller's copy of the path and the common one of the content
    /// type. What was read from a store has copies of its own, and what is kept is kept for each stream.
    pub(crate) fn share(&mut self, path: &StreamPath) {
        if self.path == *path {
            self.path = path.clone();
        }
        if &*self.content_type == JSON {
            self.content_type = content_type(JSON);
        }
    }
}

/// The answer to a creation.
#[derive(Clone, Debug)]
pub struct Created {
    /// The stream.
    pub info: StreamInfo,
    /// Whether it was there before, with the same settings; then nothing was written.
    pub existed: bool,
}

const JSON: &str = "application/json";

/// A content type to be kept: nearly all streams have the same.
pub(crate) fn content_type(text: &str) -> Arc<str> {
    static COMMON: LazyLock<Arc<str>> = LazyLock::new(|| JSON.into());
    if text == JSON { Arc::clone(&COMMON) } else { text.into() }
}

/// The media type without its parameters.
pub(crate) fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Whether two content types name the same media type.
pub(crate) fn same_media_type(a: &str, b: &str) -> bool {
    media_type(a).eq_ignore_ascii_case(media_type(b))
}
