//! `GET /api/v1/conversations`: the caller's own, newest first.

use axum::extract::State;

use super::view::ConversationView;
use crate::AppState;
use crate::credential::Someone;
use crate::extract::{Page, PageArgs};
use crate::generations::acts_for;
use crate::problem::Problem;
use crate::wire::{Mistaken, PageParams, Refused};

/// Lists the caller's conversations, newest first.
#[utoipa::path(
    get, path = "/api/v1/conversations", tag = "conversations", operation_id = "listConversations",
    params(PageParams),
    responses((status = 200, description = "A page", body = Page<ConversationView>), Refused, Mistaken)
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Someone(caller): Someone,
    page: PageArgs,
) -> Result<Page<ConversationView>, Problem> {
    let owner = acts_for(&caller)?;
    let found = state.conversations().list(owner, page.cursor.as_deref(), page.limit).await?;
    let items = found.items.into_iter().map(ConversationView::from).collect();
    Ok(Page { items, next_cursor: found.next_cursor })
}
