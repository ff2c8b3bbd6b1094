//! `GET /api/v1/events`: the caller's feed by cursor.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tidegate_events::TypeFilter;
use utoipa::IntoParams;

use crate::AppState;
use crate::credential::SignedIn;
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
    SignedIn(user): SignedIn,
    Query(query): Query<FeedQuery>,
) -> Result<Json<RecordsPage>, Problem> {
    let filter = types(query.types.as_deref())?;
    let feed = state.events().ensure_feed(user.user_id).await?;
    let wanted = ItemsQuery { after: query.after, limit: query.limit, wait: query.wait };
    read_records(&state, &feed.path, &wanted, &filter).await.map(Json)
}

/// Reads `types`; none lets every type through.
///
/// # Errors
/// 400 for a malformed filter.
pub(super) fn types(text: Option<&str>) -> Result<TypeFilter, Problem> {
    text.filter(|text| !text.is_empty()).map_or_else(|| Ok(TypeFilter::default()), |text| Ok(text.parse()?))
}
