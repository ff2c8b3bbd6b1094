//! Records of a stream by cursor: the same story as the stream, for those who poll.
//!
//! Owns: the page's shape, the wait for more, and what a lost range answers.
//! Must not: decide who may read; the route has before.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidegate_events::TypeFilter;
use tidegate_log::{Page, ReadBound, Record};
use tidegate_types::{ErrorCode, Offset, ReadFrom, StreamPath};
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use super::gap::refuse_gap;
use super::poll::{read_from, wait_seconds};
use crate::AppState;
use crate::framing::event_name;
use crate::problem::Problem;

/// Which records.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ItemsQuery {
    /// `next` of the page before; `-1` is the start (the default), `now` the end.
    pub(crate) after: Option<String>,
    /// Records wanted, 1 to 200; 50 by default.
    pub(crate) limit: Option<u64>,
    /// Seconds to wait when there is nothing yet, 0 to 30.
    pub(crate) wait: Option<u64>,
}

/// A piece of a stream.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordsPage {
    /// The records, oldest first.
    pub(crate) items: Vec<Item>,
    /// Where the next page begins.
    #[schema(value_type = String)]
    pub(crate) next: Offset,
    /// Whether nothing was left to read.
    pub(crate) up_to_date: bool,
    /// Whether nothing will ever follow `next`.
    pub(crate) closed: bool,
}

/// One record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Item {
    /// The offset after it.
    #[schema(value_type = String)]
    pub(crate) id: Offset,
    /// Its event's name; `message` when it has none.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The record itself.
    #[schema(value_type = Value)]
    pub(crate) data: Box<RawValue>,
}

/// Reads a page; waits for one that is not empty when the query says so.
///
/// # Errors
/// 400 or 422 for the query, 409 for a cursor ahead of the stream, 410 for a lost range.
pub(crate) async fn read_records(
    state: &AppState,
    path: &StreamPath,
    query: &ItemsQuery,
    filter: &TypeFilter,
) -> Result<RecordsPage, Problem> {
    let deadline = Instant::now() + wait_seconds(state.limits(), query.wait)?;
    let bound = bound(state, query.limit)?;
    let mut from = read_from(query.after.as_deref())?.unwrap_or(ReadFrom::Start);
    loop {
        let page = state.log().read(path, from, bound).await?;
        refuse_gap(page.gap.as_ref())?;
        let found = RecordsPage::of(&page, filter)?;
        let left = deadline.saturating_duration_since(Instant::now());
        if !found.items.is_empty() || page.closed || left.is_zero() {
            return Ok(found);
        }
        from = ReadFrom::At(page.next);
        if page.up_to_date && !wait(state, path, page.next, left).await? {
            return Ok(found);
        }
    }
}

/// Whether there may be more to read.
async fn wait(state: &AppState, path: &StreamPath, at: Offset, left: Duration) -> Result<bool, Problem> {
    tokio::select! {
        info = state.log().wait_past(path, at, left) => info.map(|info| info.tail > at || info.closed).map_err(Problem::from),
        () = state.shutdown().cancelled() => Ok(false),
    }
}

fn bound(state: &AppState, limit: Option<u64>) -> Result<ReadBound, Problem> {
    let limits = state.limits();
    let records = limit.unwrap_or(limits.page_items_default);
    if !(1..=limits.page_items).contains(&records) {
        let detail = format!("must be 1 to {}", limits.page_items);
        return Err(Problem::new(ErrorCode::ValidationFailed).field("/limit", "range", detail));
    }
    let whole = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    Ok(ReadBound { records: whole(records), bytes: whole(limits.read_bytes) })
}

impl RecordsPage {
    fn of(page: &Page, filter: &TypeFilter) -> Result<Self, Problem> {
        let items = page
            .records
            .iter()
            .map(Item::of)
            .filter(|item| item.as_ref().is_ok_and(|i| filter.matches(&i.kind)));
        Ok(Self {
            items: items.collect::<Result<_, _>>()?,
            next: page.next,
            up_to_date: page.up_to_date,
            closed: page.closed,
        })
    }
}

impl Item {
    fn of(record: &Record) -> Result<Self, Problem> {
        let kind = event_name(&record.data).unwrap_or(Cow::Borrowed("message")).into_owned();
        let data = serde_json::from_slice(&record.data).map_err(|error| Problem::internal(&error))?;
        Ok(Self { id: record.offset, kind, data })
    }
}
