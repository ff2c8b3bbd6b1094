//! Pages of lists: `?limit=` and `?cursor=` in, `{items, next_cursor}` out.
//!
//! Owns: the bounds of a page.
//! Must not: read a cursor; it is opaque here and belongs to the list.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use tidegate_types::ErrorCode;

use super::query::Query;
use crate::AppState;
use crate::problem::Problem;

/// Which page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PageArgs {
    /// Items at most.
    pub(crate) limit: usize,
    /// Where an earlier page ended, as that page said it.
    pub(crate) cursor: Option<String>,
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Where the next page begins; null at the end.
    pub(crate) next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    limit: Option<u64>,
    cursor: Option<String>,
}

const CURSOR_BYTES_MAX: usize = 512;

impl FromRequestParts<AppState> for PageArgs {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let Query(Wanted { limit, cursor }) = Query::from_request_parts(parts, state).await?;
        let limits = state.limits();
        let limit = limit.unwrap_or(limits.page_items_default);
        if !(1..=limits.page_items).contains(&limit) {
            let detail = format!("must be 1 to {}", limits.page_items);
            return Err(Problem::new(ErrorCode::ValidationFailed).field("/limit", "range", detail));
        }
        let cursor = cursor.filter(|cursor| !cursor.is_empty());
        if cursor.as_ref().is_some_and(|cursor| cursor.len() > CURSOR_BYTES_MAX) {
            return Err(ErrorCode::InvalidCursor.into());
        }
        Ok(Self { limit: usize::try_from(limit).unwrap_or(usize::MAX), cursor })
    }
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}
