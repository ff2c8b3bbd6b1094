//! `GET /api/v1/admin/users`: accounts, by age or by email; and one of them.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tidegate_types::{ErrorCode, UserId};
use utoipa::IntoParams;

use super::user_view::UserView;
use crate::AppState;
use crate::credential::Admin;
use crate::extract::{Page, PageArgs, Path, Query};
use crate::problem::Problem;
use crate::wire::{Missing, PageParams, Refused};

/// Which accounts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UserQuery {
    /// Only the one with this email.
    email: Option<String>,
}

/// Lists accounts, oldest first.
#[utoipa::path(
    get, path = "/api/v1/admin/users", tag = "admin", operation_id = "listUsers",
    params(
        UserQuery,
        PageParams,
    ),
    responses(
        (status = 200, body = Page<UserView>),
        Refused,
    )
)]
pub(crate) async fn list_users(
    State(state): State<AppState>,
    _: Admin,
    Query(query): Query<UserQuery>,
    page: PageArgs,
) -> Result<Page<UserView>, Problem> {
    if let Some(email) = query.email {
        let found = state.gate().find_user_by_email(&email).await?;
        return Ok(Page { items: found.into_iter().map(UserView::from).collect(), next_cursor: None });
    }
    let after = page.cursor.as_deref().map(str::parse::<UserId>).transpose();
    let after = after.map_err(|_| Problem::new(ErrorCode::InvalidCursor))?;
    let found = state.gate().list_users(after, page.limit.saturating_add(1)).await?;
    let is_more = found.len() > page.limit;
    let items: Vec<UserView> = found.into_iter().take(page.limit).map(UserView::from).collect();
    let next_cursor = items.last().filter(|_| is_more).map(|last| last.id.to_string());
    Ok(Page { items, next_cursor })
}

/// Answers one account.
#[utoipa::path(
    get, path = "/api/v1/admin/users/{id}", tag = "admin", operation_id = "getUser",
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 200, body = UserView),
        Refused,
        Missing,
    )
)]
pub(crate) async fn show_user(
    State(state): State<AppState>,
    _: Admin,
    Path(id): Path<UserId>,
) -> Result<Json<UserView>, Problem> {
    let found = state.gate().lookup_user(id).await?.ok_or(ErrorCode::NotFound)?;
    Ok(Json(found.into()))
}
