//! `POST /api/v1/events`: one event, for one user, some or all.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tidegate_events::{Audience, EventType, Publish, Published};
use tidegate_gate::{Principal, ServicePrincipal};
use tidegate_types::{ErrorCode, Offset, UserId};
use utoipa::ToSchema;

use super::publisher::Publisher;
use crate::AppState;
use crate::extract::JsonBody;
use crate::idempotency::idempotent;
use crate::problem::Problem;
use crate::wire::{Conflicting, Refused, Unprocessable, same_body};

/// An event and whom it is for: exactly one of `user_id`, `user_ids` and `broadcast`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct PublishBody {
    /// One user.
    #[schema(value_type = Option<String>)]
    user_id: Option<String>,
    /// Some users, at most 1,000.
    user_ids: Option<Vec<String>>,
    /// Every user, in the background.
    broadcast: Option<bool>,
    /// `[A-Za-z0-9_.-]{1,64}`, not reserved.
    #[serde(rename = "type")]
    event_type: String,
    /// Any JSON; a registered type's schema must hold.
    #[schema(value_type = Value)]
    data: Box<RawValue>,
    /// The publisher's own id: the same one for the same user is published once.
    id: Option<String>,
}

/// Where the event stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PublishedView {
    /// The offset in the one user's feed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    offset: Option<Offset>,
    /// The offset in each user's feed, in the order named.
    #[serde(skip_serializing_if = "Option::is_none")]
    offsets: Option<Vec<UserOffset>>,
    /// The id of the broadcast; `GET /api/v1/events/operations/{id}` tells how far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_id: Option<String>,
}

/// Where the event stands in one feed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserOffset {
    #[schema(value_type = String)]
    user_id: UserId,
    #[schema(value_type = String)]
    offset: Offset,
}

/// Publishes an event.
#[utoipa::path(
    post, path = "/api/v1/events", tag = "events", operation_id = "publishEvent",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again, for 24 h")),
    request_body = PublishBody,
    responses((status = 202, description = "Published, or begun", body = PublishedView), Refused, Conflicting, Unprocessable)
)]
pub(crate) async fn publish(
    State(state): State<AppState>,
    Publisher(key): Publisher,
    headers: HeaderMap,
    JsonBody(body): JsonBody<PublishBody>,
) -> Result<Response, Problem> {
    let (same, publish) = (same_body(&body), body.read()?);
    may_reach(&key, &publish.audience)?;
    let events = state.events().clone();
    let work = || async move {
        let single = matches!(publish.audience, Audience::User(_));
        Ok(PublishedView::of(events.publish(publish).await?, single).into_response())
    };
    idempotent(&state, &Principal::Service(key), "POST /api/v1/events", &headers, &same, work).await
}

/// A key that belongs to a user reaches that user alone.
fn may_reach(key: &ServicePrincipal, audience: &Audience) -> Result<(), Problem> {
    let Some(owner) = key.owner else { return Ok(()) };
    let within = match audience {
        Audience::User(user) => *user == owner,
        Audience::Users(users) => users.iter().all(|user| *user == owner),
        Audience::Broadcast => false,
    };
    if within {
        return Ok(());
    }
    Err(Problem::new(ErrorCode::Forbidden).detail("A user's own key publishes to that user only."))
}

impl PublishBody {
    fn read(self) -> Result<Publish, Problem> {
        let audience = match (self.user_id, self.user_ids, self.broadcast) {
            (Some(user), None, None | Some(false)) => Audience::User(user_id(&user, "/user_id")?),
            (None, Some(users), None | Some(false)) => Audience::Users(user_ids(&users)?),
            (None, None, Some(true)) => Audience::Broadcast,
            _ => return Err(invalid("", "name exactly one of `user_id`, `user_ids` and `broadcast: true`")),
        };
        let event_type: EventType = self.event_type.parse()?;
        Ok(Publish { audience, event_type, data: self.data, id: self.id })
    }
}

fn user_ids(texts: &[String]) -> Result<Vec<UserId>, Problem> {
    texts.iter().enumerate().map(|(at, text)| user_id(text, &format!("/user_ids/{at}"))).collect()
}

fn user_id(text: &str, pointer: &str) -> Result<UserId, Problem> {
    text.parse().map_err(|_| invalid(pointer, "not a user id"))
}

fn invalid(pointer: &str, detail: &'static str) -> Problem {
    Problem::new(ErrorCode::ValidationFailed).detail(detail).field(pointer, "invalid", detail)
}

impl PublishedView {
    fn of(published: Published, single: bool) -> Self {
        if published.operation.is_some() {
            return Self { offset: None, offsets: None, operation_id: published.operation };
        }
        let mut offsets =
            published.offsets.into_iter().map(|(user_id, offset)| UserOffset { user_id, offset });
        if single {
            return Self {
                offset: offsets.next().map(|only| only.offset),
                offsets: None,
                operation_id: None,
            };
        }
        Self { offset: None, offsets: Some(offsets.collect()), operation_id: None }
    }

    fn into_response(self) -> Response {
        let location =
            self.operation_id.as_ref().map(|id| [(LOCATION, format!("/api/v1/events/operations/{id}"))]);
        (StatusCode::ACCEPTED, location, Json(self)).into_response()
    }
}
