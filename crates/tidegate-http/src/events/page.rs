//! `GET /api/v1/events`: the caller's feed by cursor.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::feed::{feed_of, types};
use crate::AppState;
use crate::access;
use crate::credential::Someone;
use crate::extract::Query;
use crate::problem::Problem;
use crate::wire::{ItemsQuery, Mistaken, RecordsPage, Refused, read_records};

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FeedQuery {
    /// Only these types, e.g. `task.*,novel.created`.
    types: Option<String>,
    /// `next` of the page before; `-1` is the start (the default), `now` the end.
    after: Option<String>,
    /// Records wanted, 1 to 200; 50 by default.
    limit: Option<u64>,
    /// Seconds to wait when there is nothing yet, 0 to 30.
    wait: Option<u64>,
}

/// Answers a piece of the caller's feed.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events", operation_id = "listEvents", params(FeedQuery),
    responses(
        (status = 200, description = "The same records as the feed's stream", body = RecordsPage),
        (status = 409, description = "The cursor is ahead of the feed"),
        (status = 410, description = "What the cursor names was trimmed"),
        Refused, Mistaken,
    )
)]
pub(crate) async fn page(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Query(query): Query<FeedQuery>,
) -> Result<Json<RecordsPage>, Problem> {
    let filter = types(query.types.as_deref())?;
    let feed = feed_of(&state, &caller).await?;
    access::may_read(&state, &caller, &feed).await?;
    let wanted = ItemsQuery { after: query.after, limit: query.limit, wait: query.wait };
    read_records(&state, &feed, &wanted, &filter).await.map(Json)
}
