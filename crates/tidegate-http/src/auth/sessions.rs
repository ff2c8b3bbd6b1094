//! Where an account is signed in, and ending that.

use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Response};
use http::StatusCode;
use http::header::SET_COOKIE;
use serde::Serialize;
use tidegate_gate::Session;
use tidegate_types::{ErrorCode, SessionId, Timestamp};

use super::cookie::cleared;
use crate::AppState;
use crate::credential::{Facts, SignedIn};
use crate::extract::{Page, PageArgs, Path};
use crate::problem::{Problem, ProblemBody};

/// A signed-in browser or device.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionBody {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: SessionId,
    /// `token` or `cookie`.
    kind: &'static str,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last seen, to the minute.
    #[schema(value_type = String, format = DateTime)]
    last_used_at: Timestamp,
    /// When it ends at the latest.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// What it was begun with.
    user_agent: Option<String>,
    /// From where it was begun.
    address: Option<String>,
    /// Whether this request came by it.
    current: bool,
}

/// The living sessions of the account, newest first.
#[utoipa::path(
    get, path = "/api/v1/auth/sessions", tag = "accounts",
    params(
        ("limit" = Option<u64>, Query, description = "1 to 200"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, body = Page<SessionBody>),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_sessions(
    State(state): State<AppState>,
    SignedIn(user): SignedIn,
    args: PageArgs,
) -> Result<Page<SessionBody>, Problem> {
    let sessions = state.gate().list_sessions(user.user_id).await?;
    let page = args.cut(sessions, |session| session.id.as_uuid())?;
    Ok(page.map(|session| body(session, user.session_id)))
}

/// Ends one session of the account; its streams end within a second.
#[utoipa::path(
    delete, path = "/api/v1/auth/sessions/{id}", tag = "accounts",
    params(("id" = String, Path, description = "the session")),
    responses(
        (status = 204, description = "it is over"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "no living session of this account"),
    )
)]
pub(super) async fn end_session(
    State(state): State<AppState>,
    SignedIn(user): SignedIn,
    Facts(facts): Facts,
    Path(id): Path<SessionId>,
) -> Result<Response, Problem> {
    if !state.gate().end_session(user.user_id, id, &facts).await? {
        return Err(ErrorCode::NotFound.into());
    }
    if user.session_id != Some(id) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let cookies = cleared(&state).map(|value| (SET_COOKIE, value));
    Ok((StatusCode::NO_CONTENT, AppendHeaders(cookies)).into_response())
}

fn body(session: Session, own: Option<SessionId>) -> SessionBody {
    let current = own == Some(session.id);
    let Session { id, user_id: _, kind, created_at, last_used_at, expires_at, user_agent, address } = session;
    SessionBody { id, kind, created_at, last_used_at, expires_at, user_agent, address, current }
}
