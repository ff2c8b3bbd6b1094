//! Making a subscription.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use tidegate_gate::Principal;
use tidegate_subscriptions::{NewSubscription, NewTarget, SubscriptionId};
use tidegate_types::{ErrorCode, StreamPattern};

use super::asked::{Asked, AskedBody, Id, Origin};
use super::body::{NewBody, SubscriptionBody, path, paths};
use super::owner::owner_of;
use super::refusal::Refusal;
use crate::AppState;
use crate::access;
use crate::credential::Caller;
use crate::problem::{Problem, ProblemBody};

/// Makes a subscription, or finds it made with the same settings.
///
/// Every stream that it matches counts as read up to now. Who may: whoever may read every stream
/// that it can match, and is let in by `subscribe` of the access rules, or has a key whose
/// `streams:read` scope covers them.
#[utoipa::path(
    put, path = "/v1/stream/__ds/subscriptions/{id}", tag = "subscriptions", request_body = NewBody,
    params(("id" = String, Path, description = "a name of 1 to 256 bytes without a slash")),
    responses(
        (status = 201, body = SubscriptionBody, description = "made"),
        (status = 200, body = SubscriptionBody, description = "was there with the same settings"),
        (status = 400, body = ProblemBody, content_type = "application/problem+json", description = "also a webhook URL that is not accepted"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "the id is taken, or there are too many"),
    )
)]
pub(super) async fn create_subscription(
    State(state): State<AppState>,
    Id(id): Id,
    Asked(Caller(principal)): Asked<Caller>,
    Origin(origin): Origin,
    AskedBody(body): AskedBody<NewBody>,
) -> Result<Response, Refusal> {
    let new = wanted(id, &principal, origin, body)?;
    access::may_subscribe(&state, &principal, new.pattern.as_ref(), &new.streams).await?;
    if let NewTarget::PullWake(wake_stream) = &new.target {
        access::may_write(&state, &principal, wake_stream)?;
    }
    let confirmed = state.subscriptions().create(new).await?;
    let status = if confirmed.created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(SubscriptionBody::of(confirmed.view, state.subscriptions()))).into_response())
}

fn wanted(
    id: SubscriptionId,
    principal: &Principal,
    origin: String,
    body: NewBody,
) -> Result<NewSubscription, Refusal> {
    let invalid = |detail| Problem::new(ErrorCode::InvalidRequest).detail(detail);
    let target = match (body.kind.as_str(), body.webhook, body.wake_stream) {
        ("webhook", Some(webhook), _) => NewTarget::Webhook(webhook.url),
        ("webhook", None, _) => return Err(invalid("a webhook subscription needs webhook.url").into()),
        ("pull-wake", _, Some(wake_stream)) => NewTarget::PullWake(path(&wake_stream)?),
        ("pull-wake", _, None) => return Err(invalid("a pull-wake subscription needs wake_stream").into()),
        _ => return Err(invalid("type is `webhook` or `pull-wake`").into()),
    };
    let pattern = body.pattern.as_deref().map(|text| text.trim_matches('/')).filter(|text| !text.is_empty());
    let pattern: Option<StreamPattern> = pattern
        .map(str::parse)
        .transpose()
        .map_err(|_| invalid("pattern is a path with `*` in its segments and `**` at its end"))?;
    Ok(NewSubscription {
        id,
        owner: owner_of(principal),
        target,
        pattern,
        streams: paths(&body.streams)?,
        lease: body.lease_ttl_ms.map(Duration::from_millis),
        description: body.description,
        origin,
    })
}
