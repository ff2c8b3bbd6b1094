//! `GET` and `PUT /api/v1/events/catalogue`: which types there are and what their data looks like.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidegate_events::{CatalogueType, NewType};
use tidegate_gate::{Role, Scope};
use tidegate_types::{ErrorCode, Timestamp};
use utoipa::ToSchema;

use crate::AppState;
use crate::credential::{Caller, Someone};
use crate::extract::{JsonBody, Page};
use crate::problem::Problem;
use crate::wire::{Conflicting, Refused, Unprocessable};

/// A type to register, or to change.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NewTypeBody {
    /// `[A-Za-z0-9_.-]{1,64}`, not reserved and none of the server's own.
    #[serde(rename = "type", alias = "name")]
    event_type: String,
    /// A JSON Schema (2020-12 unless it says otherwise) that data must match.
    schema: Option<Value>,
    /// What it tells, for people.
    description: Option<String>,
}

/// A type of the catalogue.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TypeView {
    /// Its name.
    #[serde(rename = "type")]
    event_type: String,
    /// What it tells, for people.
    description: Option<String>,
    /// What its data must match.
    #[schema(value_type = Option<Value>)]
    schema: Option<Arc<Value>>,
    /// Whether the server itself publishes it.
    own: bool,
    /// When it was registered.
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    /// When it was changed last.
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
}

/// The catalogue is the whole server's: admins and the server's own keys change it.
pub(crate) struct Registrar;

/// Lists the types of domain events.
#[utoipa::path(
    get, path = "/api/v1/events/catalogue", tag = "events", operation_id = "listEventTypes",
    responses((status = 200, description = "The server's own first, then the registered ones", body = Page<TypeView>), Refused)
)]
pub(crate) async fn list(State(state): State<AppState>, _: Someone) -> Result<Page<TypeView>, Problem> {
    let items = state.events().list_types().into_iter().map(TypeView::from).collect();
    Ok(Page { items, next_cursor: None })
}

/// Registers a type of domain events, or changes it.
#[utoipa::path(
    put, path = "/api/v1/events/catalogue", tag = "events", operation_id = "registerEventType", request_body = NewTypeBody,
    responses((status = 200, description = "Registered; data published from now on must match", body = TypeView), Refused, Conflicting, Unprocessable)
)]
pub(crate) async fn register(
    State(state): State<AppState>,
    _: Registrar,
    JsonBody(body): JsonBody<NewTypeBody>,
) -> Result<Json<TypeView>, Problem> {
    let new = NewType { name: body.event_type.parse()?, schema: body.schema, description: body.description };
    Ok(Json(state.events().register_type(new).await?.into()))
}

impl FromRequestParts<AppState> for Registrar {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        if caller.0.user().is_some_and(|user| user.role == Role::Admin) {
            return Ok(Self);
        }
        let key = caller.require_scope(&Scope::EventsPublish)?;
        if key.owner.is_some() {
            return Err(
                Problem::new(ErrorCode::Forbidden).detail("A user's own key cannot change the catalogue.")
            );
        }
        Ok(Self)
    }
}

impl From<CatalogueType> for TypeView {
    fn from(known: CatalogueType) -> Self {
        Self {
            event_type: known.name.to_string(),
            description: known.description,
            schema: known.schema,
            own: known.own,
            created_at: known.created_at,
            updated_at: known.updated_at,
        }
    }
}
