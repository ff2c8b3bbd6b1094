//! `GET /api/v1/documents/{id}/passages`: its text piece by piece, or what a search finds in it.

use axum::extract::State;
use serde::Deserialize;
use tidegate_documents::Document;
use tidegate_types::ErrorCode;
use utoipa::IntoParams;

use super::access::readable;
use super::view::PassageView;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::{Page, PageArgs, Path, Query};
use crate::problem::Problem;
use crate::wire::{Missing, Mistaken, PageParams, Refused};

/// Which passages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PassagesQuery {
    /// Words to look for, in any form; the last one may be unfinished. Without it, all passages in order.
    query: Option<String>,
}

/// Answers passages of a document: those that a search finds, best first, else all in order.
#[utoipa::path(
    get, path = "/api/v1/documents/{id}/passages", tag = "documents", operation_id = "listPassages",
    params(("id" = String, Path, description = "Its id"), PassagesQuery, PageParams),
    responses((status = 200, description = "A page", body = Page<PassageView>), Refused, Missing, Mistaken)
)]
pub(crate) async fn passages(
    State(state): State<AppState>,
    Someone(caller): Someone,
    Path(id): Path<String>,
    Query(query): Query<PassagesQuery>,
    page: PageArgs,
) -> Result<Page<PassageView>, Problem> {
    let document = readable(&state, &caller, &id).await?;
    match query.query.filter(|text| !text.trim().is_empty()) {
        Some(text) => {
            let hits = state.documents().search_in(&document, &text, page.limit).await?;
            Ok(Page { items: hits.into_iter().map(PassageView::from).collect(), next_cursor: None })
        }
        None => in_order(&state, &document, &page).await,
    }
}

/// The cursor is the number of the first passage of the next page.
async fn in_order(
    state: &AppState,
    document: &Document,
    page: &PageArgs,
) -> Result<Page<PassageView>, Problem> {
    let first = page.cursor.as_deref().map(str::parse::<u32>).transpose();
    let first = first.map_err(|_| Problem::new(ErrorCode::InvalidCursor))?.unwrap_or(0);
    let limit = u32::try_from(page.limit).unwrap_or(u32::MAX);
    let end = first.saturating_add(limit);
    let found = state.documents().passages(&document.id, first..end).await?;
    let next_cursor = (found.len() == page.limit && end < document.passages).then(|| end.to_string());
    Ok(Page { items: found.into_iter().map(PassageView::from).collect(), next_cursor })
}
