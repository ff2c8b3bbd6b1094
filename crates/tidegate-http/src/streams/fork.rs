//! The headers of a fork: which stream it begins with, and where it leaves it.
//!
//! Owns: their syntax. Must not: look whether the source is there; whether the caller may read it is
//! checked first, so that nobody learns of a stream by trying to fork it.

use http::{HeaderMap, HeaderName};
use tidegate_log::NewFork;
use tidegate_types::{Offset, StreamPath};

use super::headers::{decimal, malformed, one};
use super::target::{Target, source_path};
use crate::AppState;
use crate::problem::Problem;

const FORKED_FROM: HeaderName = HeaderName::from_static("stream-forked-from");
const FORK_OFFSET: HeaderName = HeaderName::from_static("stream-fork-offset");
const FORK_SUB_OFFSET: HeaderName = HeaderName::from_static("stream-fork-sub-offset");

/// What the request wants to fork, if anything.
pub(super) fn wanted(
    state: &AppState,
    target: &Target,
    headers: &HeaderMap,
) -> Result<Option<NewFork>, Problem> {
    let parts = (one(headers, &FORKED_FROM)?, one(headers, &FORK_OFFSET)?, one(headers, &FORK_SUB_OFFSET)?);
    let (source, at, sub) = match parts {
        (None, None, None) => return Ok(None),
        (Some(source), at, sub) => (source, at, sub),
        (None, _, _) => {
            return Err(malformed("a fork offset needs Stream-Forked-From, the path of the stream to fork"));
        }
    };
    let at = at.map(str::parse::<Offset>).transpose();
    let at = at.map_err(|_| malformed("Stream-Fork-Offset is an offset that the stream to fork gave"))?;
    let sub = sub.map_or(Some(0), decimal);
    let sub = sub.ok_or_else(|| malformed("Stream-Fork-Sub-Offset is a whole number"))?;
    let source: StreamPath = source_path(source, &target.origin(state))?;
    Ok(Some(NewFork { source, at, sub }))
}
