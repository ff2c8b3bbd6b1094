//! Pages of lists: `?limit=` and `?cursor=` in, `{items, next_cursor}` out.
//!
//! Owns: the bounds of a page.
//! Must not: read a cursor; it belongs to the list. Only lists that are read whole are cut here.

use std::cmp::Reverse;
use std::str::FromStr;

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

impl PageArgs {
    /// One page of a list that was read whole: newest first, by ids that rise with time. The cursor
    /// is the id of the page's last item.
    pub(crate) fn cut<T, I>(&self, mut items: Vec<T>, id: impl Fn(&T) -> I) -> Result<Page<T>, Problem>
    where
        I: Ord + FromStr + ToString,
    {
        let before = self.cursor.as_deref().map(str::parse::<I>).transpose();
        let before = before.map_err(|_| Problem::new(ErrorCode::InvalidCursor))?;
        items.retain(|item| before.as_ref().is_none_or(|before| id(item) < *before));
        items.sort_unstable_by_key(|item| Reverse(id(item)));
        let is_cut = items.len() > self.limit;
        items.truncate(self.limit);
        let next_cursor = items.last().filter(|_| is_cut).map(|last| id(last).to_string());
        Ok(Page { items, next_cursor })
    }
}

impl<T> Page<T> {
    /// The same page with other items.
    pub(crate) fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next_cursor: self.next_cursor }
    }
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}
