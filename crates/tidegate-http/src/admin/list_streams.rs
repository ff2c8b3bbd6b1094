//! `GET /api/v1/admin/streams`: which streams there are, without what they hold.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tidegate_log::StreamInfo;
use tidegate_types::{ErrorCode, Offset, StreamPath, Timestamp};
use utoipa::{IntoParams, ToSchema};

use crate::AppState;
use crate::credential::Admin;
use crate::extract::{Page, PageArgs, Query};
use crate::problem::Problem;
use crate::wire::{PageParams, Refused};

/// Which streams.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamQuery {
    /// What their paths begin with, such as `generations/`.
    prefix: Option<String>,
}

/// One stream.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StreamView {
    #[schema(value_type = String)]
    path: StreamPath,
    /// The media type of its records.
    content_type: String,
    /// Records before this are gone.
    #[schema(value_type = String)]
    start_offset: Offset,
    /// The position after its last record.
    #[schema(value_type = String)]
    tail_offset: Offset,
    /// Whether it takes no further records.
    closed: bool,
    /// Seconds of life after the last read or write.
    ttl_seconds: Option<u64>,
    /// The end of its life at a fixed time.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Lists streams by path.
#[utoipa::path(
    get, path = "/api/v1/admin/streams", tag = "admin", operation_id = "listStreams",
    params(
        StreamQuery,
        PageParams,
    ),
    responses(
        (status = 200, body = Page<StreamView>),
        Refused,
    )
)]
pub(crate) async fn list_streams(
    State(state): State<AppState>,
    _: Admin,
    Query(query): Query<StreamQuery>,
    page: PageArgs,
) -> Result<Page<StreamView>, Problem> {
    let after = page.cursor.as_deref().map(str::parse::<StreamPath>).transpose();
    let after = after.map_err(|_| Problem::new(ErrorCode::InvalidCursor))?;
    let prefix = query.prefix.as_deref().unwrap_or_default();
    let found = state.log().list(prefix, after.as_ref(), page.limit.saturating_add(1)).await?;
    let is_more = found.len() > page.limit;
    let items: Vec<StreamView> = found.into_iter().take(page.limit).map(StreamView::from).collect();
    let next_cursor = items.last().filter(|_| is_more).map(|last| last.path.to_string());
    Ok(Page { items, next_cursor })
}

impl From<StreamInfo> for StreamView {
    fn from(info: StreamInfo) -> Self {
        Self {
            path: info.path,
            content_type: info.content_type.to_string(),
            start_offset: info.start,
            tail_offset: info.tail,
            closed: info.closed,
            ttl_seconds: info.ttl.map(|ttl| ttl.as_secs()),
            expires_at: info.expires_at,
            created_at: info.created_at,
        }
    }
}
