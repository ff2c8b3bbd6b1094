//! `GET /api/v1/documents`: the caller's own, newest first.

use axum::extract::State;
use tidegate_gate::Principal;

use super::view::DocumentView;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::{Page, PageArgs};
use crate::generations::acts_for;
use crate::problem::Problem;
use crate::wire::{Mistaken, PageParams, Refused};

/// Lists the caller's documents, newest first.
#[utoipa::path(
    get, path = "/api/v1/documents", tag = "documents", operation_id = "listDocuments",
    params(PageParams),
    responses((status = 200, description = "A page", body = Page<DocumentView>), Refused, Mistaken)
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Someone(caller): Someone,
    page: PageArgs,
) -> Result<Page<DocumentView>, Problem> {
    list_own(&state, &caller, &page).await
}

/// The same for every path that lists documents.
///
/// # Errors
/// 401, 403, or a cursor that is none.
pub(crate) async fn list_own(
    state: &AppState,
    caller: &Principal,
    page: &PageArgs,
) -> Result<Page<DocumentView>, Problem> {
    let found = state.documents().list(acts_for(caller)?, page.cursor.as_deref(), page.limit).await?;
    let items = found.items.into_iter().map(DocumentView::from).collect();
    Ok(Page { items, next_cursor: found.next_cursor })
}
