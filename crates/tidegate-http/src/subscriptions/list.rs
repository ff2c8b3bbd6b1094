//! Listing subscriptions.

use axum::extract::State;
use tidegate_gate::{Principal, Role};
use tidegate_subscriptions::{SubscriptionUid, View};
use tidegate_types::ErrorCode;

use super::asked::Asked;
use super::body::SubscriptionBody;
use super::owner::owner_of;
use super::refusal::Refusal;
use crate::AppState;
use crate::credential::Caller;
use crate::extract::{Page, PageArgs};
use crate::problem::ProblemBody;
use crate::wire::PageParams;

/// The caller's subscriptions in the order in which they were made, admins those of all; without their streams.
#[utoipa::path(
    get, path = "/v1/stream/__ds/subscriptions", tag = "subscriptions", params(PageParams),
    responses(
        (status = 200, body = Page<SubscriptionBody>),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_subscriptions(
    State(state): State<AppState>,
    Asked(Caller(principal)): Asked<Caller>,
    Asked(page): Asked<PageArgs>,
) -> Result<Page<SubscriptionBody>, Refusal> {
    let owner = match &principal {
        Principal::User(user) if user.role == Role::Admin => None,
        other => Some(owner_of(other)),
    };
    let after: Option<i64> =
        page.cursor.as_deref().map(str::parse).transpose().map_err(|_| ErrorCode::InvalidCursor)?;
    let after = after.map(SubscriptionUid);
    let limit = page.limit.saturating_add(1);
    let mut found = state.subscriptions().list(owner.as_ref(), after, limit).await?;
    let is_more = found.len() > page.limit;
    found.truncate(page.limit);
    let next_cursor = found.last().filter(|_| is_more).map(|last| last.uid.0.to_string());
    let bare = |subscription| View { subscription, streams: Vec::new() };
    let items = found.into_iter().map(|s| SubscriptionBody::of(bare(s), state.subscriptions())).collect();
    Ok(Page { items, next_cursor })
}
