//! From stored chunks to records.

use bytes::Bytes;
use tidegate_types::{Offset, ReadFrom};

use crate::store::{Found, Piece, codec};
use crate::{Gap, LogError, ReadBound, Record, StreamInfo};

/// Where a read begins that names no offset.
pub(crate) const fn start_of(from: ReadFrom, info: &StreamInfo) -> Offset {
    match from {
        ReadFrom::Start => info.start,
        ReadFrom::Tail => info.tail,
        ReadFrom::At(offset) => offset,
    }
}

/// Brings a cursor into the stream, and says what it had to skip for that.
pub(crate) fn clamp(cursor: Offset, info: &StreamInfo) -> (Offset, Option<Gap>) {
    if cursor < info.start {
        (info.start, Some(Gap::Trimmed { from: cursor, to: info.start }))
    } else if cursor > info.tail {
        (info.tail, Some(Gap::CursorAhead { from: cursor, to: info.tail }))
    } else {
        (cursor, None)
    }
}

/// The records after `from`, at least one if there are any.
pub(crate) fn records_from(found: &Found, from: Offset, bound: ReadBound) -> Result<Vec<Record>, LogError> {
    let (mut records, mut bytes) = (Vec::new(), 0_usize);
    for Piece { chunk, until, cut } in &found.pieces {
        let decoded = codec::decode(chunk).map_err(|reason| LogError::Damaged {
            stream: found.stored.info.path.clone(),
            offset: chunk.first,
            reason,
        })?;
        for (offset, (at, data)) in (1..).map(|n| chunk.first.plus(n)).zip(decoded) {
            if offset <= from {
                continue;
            }
            if offset > *until {
                break;
            }
            let data = if offset == *until { shorten(data, *cut) } else { data };
            bytes = bytes.saturating_add(data.len());
            let full = records.len() >= bound.records.max(1) || bytes > bound.bytes;
            if full && !records.is_empty() {
                return Ok(records);
            }
            records.push(Record { offset, at, data });
        }
    }
    Ok(records)
}

fn shorten(data: Bytes, cut: Option<u64>) -> Bytes {
    let kept = cut.and_then(|bytes| usize::try_from(bytes).ok()).filter(|bytes| *bytes < data.len());
    kept.map_or_else(|| data.clone(), |bytes| data.slice(..bytes))
}
