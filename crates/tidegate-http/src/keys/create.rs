//! Making a key.

use axum::Json;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use http::StatusCode;
use http::header::LOCATION;
use serde::{Deserialize, Serialize};
use tidegate_gate::{CreatedKey, ExposeSecret as _, NewKey, Role, Scope, UserPrincipal};
use tidegate_types::{ErrorCode, Timestamp};

use super::body::KeyBody;
use crate::AppState;
use crate::credential::{Facts, SignedIn};
use crate::extract::JsonBody;
use crate::problem::{Problem, ProblemBody};

/// A key to be made.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = NewApiKey)]
pub(super) struct NewKeyBody {
    /// What it shall be called: 1 to 100 printable characters.
    name: String,
    /// `generations:work`, `events:publish`, `streams:read:<pattern>`, `streams:write:<pattern>`.
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    /// When it shall stop working.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// A new key, with what is shown only here.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CreatedApiKey)]
pub(super) struct CreatedKeyBody {
    #[serde(flatten)]
    key: KeyBody,
    /// The key itself: `Authorization: Bearer tgk_…`. Shown once.
    secret: String,
    /// What a worker signs its terminal calls with (`whsec_…`). Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    signing_secret: Option<String>,
}

/// Makes an API key; its secrets are shown in this answer and never again.
///
/// Any user may make keys with the scopes `generations:work` and `events:publish`. Such a key is
/// the user's own: it claims that user's generations and publishes to that user's feed only, and
/// ends with the account. `streams:read:…` and `streams:write:…` reach the streams of others, so
/// only admins may grant them; keys made by admins belong to the installation and work for all.
#[utoipa::path(
    post, path = "/api/v1/keys", tag = "keys", request_body = NewKeyBody,
    responses(
        (status = 201, body = CreatedKeyBody, description = "the key with its secrets"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, body = ProblemBody, content_type = "application/problem+json", description = "a scope that only admins may grant, or the call came by a key"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create_key(
    State(state): State<AppState>,
    SignedIn(user): SignedIn,
    Facts(facts): Facts,
    JsonBody(body): JsonBody<NewKeyBody>,
) -> Result<impl IntoResponse, Problem> {
    may_grant(&user, &body.scopes)?;
    let owner = (user.role != Role::Admin).then_some(user.user_id);
    let new = NewKey { name: body.name, scopes: body.scopes, expires_at: body.expires_at, owner };
    let created = state.gate().create_key(new, &facts).await?;
    let location = format!("/api/v1/keys/{}", created.key.id);
    Ok((StatusCode::CREATED, AppendHeaders([(LOCATION, location)]), Json(CreatedKeyBody::from(created))))
}

fn may_grant(user: &UserPrincipal, scopes: &[Scope]) -> Result<(), Problem> {
    // These two are bounded by the key's owner: own jobs, own feed.
    let own = |scope: &Scope| matches!(scope, Scope::GenerationsWork | Scope::EventsPublish);
    let foreign = scopes.iter().position(|scope| !own(scope));
    match foreign {
        Some(index) if user.role != Role::Admin => Err(Problem::new(ErrorCode::Forbidden)
            .detail("only admins may grant a scope that reaches the streams of others")
            .field(format!("/scopes/{index}"), "forbidden", "only admins may grant this")),
        Some(_) | None => Ok(()),
    }
}

impl From<CreatedKey> for CreatedKeyBody {
    fn from(created: CreatedKey) -> Self {
        Self {
            key: created.key.into(),
            secret: created.secret.reveal().to_owned(),
            signing_secret: created.signing_secret.map(|secret| secret.expose_secret().to_owned()),
        }
    }
}
