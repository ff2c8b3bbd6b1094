//! The rules of a fork: where it may leave its source, and what it takes over.
//!
//! Pure: no IO, no clock. Owns: which position is one, what is inherited when it is not said, when a second
//! creation asks for what is there.

use std::sync::Arc;
use std::time::Duration;

use tidegate_types::{Offset, Timestamp};

use crate::fork::Measured;
use crate::store::Stored;
use crate::stream::{content_type, same_media_type};
use crate::{CreateError, Fork, NewFork, NewStream};

/// What a new stream begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) fork: Option<Arc<Fork>>,
    pub(super) content_type: Arc<str>,
    pub(super) start: Offset,
    pub(super) tail: Offset,
    pub(super) ttl: Option<Duration>,
    pub(super) expires_at: Option<Timestamp>,
}

/// What a stream that is no fork begins with.
pub(super) fn nothing(new: &NewStream) -> Origin {
    let NewStream { ttl, expires_at, .. } = *new;
    let content_type = content_type(&new.content_type);
    Origin { fork: None, content_type, start: Offset::START, tail: Offset::START, ttl, expires_at }
}

/// What a fork begins with.
pub(super) fn of(
    source: &Stored,
    wanted: &NewFork,
    new: &NewStream,
    measured: Option<Measured>,
    depth_max: usize,
) -> Result<Origin, CreateError> {
    let info = &source.info;
    if !new.content_type.is_empty() && !same_media_type(&new.content_type, &info.content_type) {
        return Err(CreateError::ContentTypeMismatch { expected: info.content_type.to_string() });
    }
    let at = own_start(source, wanted, measured)?;
    let depth = source.fork.as_ref().map_or(0, |fork| fork.depth).saturating_add(1);
    if usize::try_from(depth).is_ok_and(|depth| depth > depth_max) {
        return Err(CreateError::TooDeep);
    }
    let (ttl, expires_at) = life(source, new);
    let fork = Fork { source: info.id, path: info.path.clone(), at, sub: wanted.sub, depth };
    let content_type = match new.content_type.as_str() {
        "" => Arc::clone(&info.content_type),
        given => given.into(),
    };
    Ok(Origin { fork: Some(Arc::new(fork)), content_type, start: info.start, tail: at, ttl, expires_at })
}

/// The position before the fork's own first record.
fn own_start(source: &Stored, wanted: &NewFork, measured: Option<Measured>) -> Result<Offset, CreateError> {
    let info = &source.info;
    let at = wanted.at.unwrap_or(info.tail);
    if at > info.tail {
        return Err(CreateError::Position("the stream to fork ends before this offset"));
    }
    if at < info.start {
        return Err(CreateError::Trimmed { start: info.start });
    }
    if wanted.sub == 0 {
        return Ok(at);
    }
    if info.is_json() {
        return match wanted.sub <= info.tail.since(at) {
            true => Ok(at.plus(wanted.sub)),
            false => Err(CreateError::Position("the stream to fork has fewer records after this offset")),
        };
    }
    let bytes = measured.filter(|measured| measured.source == info.id).map_or(0, |measured| measured.bytes);
    if at < info.tail && wanted.sub <= bytes {
        Ok(at.plus(1))
    } else {
        Err(CreateError::Position("the record after this offset has fewer bytes"))
    }
}

/// How long it lives: as it was said, else as its source.
fn life(source: &Stored, new: &NewStream) -> (Option<Duration>, Option<Timestamp>) {
    if new.ttl.is_some() || new.expires_at.is_some() {
        (new.ttl, new.expires_at)
    } else {
        (source.info.ttl, source.info.expires_at)
    }
}

/// Whether the stream that is there is what a second creation asks for. `source` is what that one names.
pub(super) fn is_same(there: &Stored, new: &NewStream, source: Option<&Stored>) -> bool {
    let info = &there.info;
    let type_fits = (new.content_type.is_empty() && new.fork.is_some())
        || same_media_type(&info.content_type, &new.content_type);
    let fork_fits = match (&there.fork, &new.fork) {
        (None, None) => true,
        (Some(fork), Some(wanted)) => {
            fork.path == wanted.source
                && fork.sub == wanted.sub
                && wanted.at.is_none_or(|at| at == fork.asked(info.is_json()))
        }
        _ => false,
    };
    let life_wanted = match source {
        Some(source) if new.fork.is_some() => life(source, new),
        _ => (new.ttl, new.expires_at),
    };
    type_fits && fork_fits && life_wanted == (info.ttl, info.expires_at) && info.closed == new.closed
}
