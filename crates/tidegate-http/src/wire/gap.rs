//! A range that can't be read, as a problem: for those who read by cursor, what `tidegate.gap` is
//! for live readers.

use serde_json::Value;
use tidegate_log::Gap;
use tidegate_types::ErrorCode;

use crate::problem::Problem;

/// Refuses to skip over a gap in silence; the problem's `from` and `to` are the exact range.
///
/// # Errors
/// 410 `gone` for what was trimmed, 409 `cursor-ahead` for a cursor beyond the stream's end.
pub(crate) fn refuse_gap(gap: Option<&Gap>) -> Result<(), Problem> {
    let (code, from, to) = match gap {
        None => return Ok(()),
        Some(Gap::CursorAhead { from, to }) => (ErrorCode::CursorAhead, from, to),
        Some(Gap::Trimmed { from, to }) => (ErrorCode::Gone, from, to),
    };
    Err(Problem::new(code)
        .detail(format!("The cursor is at {from}, the stream can be read from {to} on."))
        .member("from", Value::String(from.to_string()))
        .member("to", Value::String(to.to_string())))
}
