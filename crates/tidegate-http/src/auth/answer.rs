//! What this area answers with.
//!
//! Owns: the members of accounts, tokens and sign-ins on the wire.
//! Must not: show a secret twice; a cookie's value is never in a body.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::SET_COOKIE;
use serde::{Deserialize, Serialize, Serializer};
use tidegate_gate::{ExposeSecret as _, Issued, Role, SecretString, SessionKind, SignedIn, Tokens, User};
use tidegate_types::{Timestamp, UserId};

use super::cookie::session_cookie;
use crate::AppState;

const BEARER: &str = "bearer";

/// An account, as its owner sees it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Account)]
pub(crate) struct UserBody {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    pub(crate) id: UserId,
    /// Its email as it was given; empty if an outside issuer names none.
    pub(crate) email: String,
    /// The name to show.
    pub(crate) name: Option<String>,
    /// `user` or `admin`.
    #[schema(value_type = String)]
    pub(crate) role: Role,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created_at: Timestamp,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        let User { id, email, name, role, created_at, disabled_at: _ } = user;
        Self { id, email: email.to_string(), name, role, created_at }
    }
}

/// What a session is carried by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SessionWish {
    /// Tokens in the body.
    #[default]
    Token,
    /// An HttpOnly cookie; no tokens in the body.
    Cookie,
}

impl From<SessionWish> for SessionKind {
    fn from(wish: SessionWish) -> Self {
        match wish {
            SessionWish::Token => Self::Token,
            SessionWish::Cookie => Self::Cookie,
        }
    }
}

/// The tokens of a session that just began.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Tokens)]
pub(crate) struct TokensBody {
    /// Sent with each request: `Authorization: Bearer …`. Absent when the session is carried by a cookie.
    #[serde(serialize_with = "reveal")]
    #[schema(value_type = String, required = false)]
    pub(crate) access_token: SecretString,
    /// Exchanged once for new tokens. Absent when the session is carried by a cookie.
    #[serde(serialize_with = "reveal")]
    #[schema(value_type = String, required = false)]
    pub(crate) refresh_token: SecretString,
    /// `bearer`. Absent when the session is carried by a cookie.
    #[schema(required = false)]
    pub(crate) token_type: &'static str,
}

/// A session began. With `session: "cookie"` the tokens are absent.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SignedIn)]
pub(crate) struct SignedInBody {
    /// Who signed in.
    pub(crate) user: UserBody,
    // The schema's members of tokens are optional; the whole of them never is null.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = TokensBody)]
    pub(crate) tokens: Option<TokensBody>,
    /// Seconds until the access token, or the cookie, runs out.
    pub(crate) expires_in: u64,
}

/// New tokens of a session that goes on.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Refreshed)]
pub(crate) struct RefreshedBody {
    /// Sent with each request: `Authorization: Bearer …`.
    #[serde(serialize_with = "reveal")]
    #[schema(value_type = String)]
    access_token: SecretString,
    /// Exchanged once for new tokens.
    #[serde(serialize_with = "reveal")]
    #[schema(value_type = String)]
    refresh_token: SecretString,
    /// `bearer`.
    token_type: &'static str,
    /// Seconds until the access token runs out.
    expires_in: u64,
}

impl From<Tokens> for RefreshedBody {
    fn from(tokens: Tokens) -> Self {
        let Tokens { access_token, refresh_token, expires_in, session_id: _ } = tokens;
        Self { access_token, refresh_token, token_type: BEARER, expires_in }
    }
}

impl From<Tokens> for TokensBody {
    fn from(tokens: Tokens) -> Self {
        let Tokens { access_token, refresh_token, expires_in: _, session_id: _ } = tokens;
        Self { access_token, refresh_token, token_type: BEARER }
    }
}

/// A sign-in with the cookie that goes with it, if it has one.
#[derive(Debug)]
pub(crate) struct Begun {
    /// The body.
    pub(crate) body: SignedInBody,
    /// The session's cookie.
    pub(crate) cookie: Option<HeaderValue>,
}

impl Begun {
    pub(super) fn of(state: &AppState, signed_in: SignedIn) -> Self {
        let user = signed_in.user.into();
        match signed_in.issued {
            Issued::Tokens(tokens) => {
                let expires_in = tokens.expires_in;
                Self { body: SignedInBody { user, tokens: Some(tokens.into()), expires_in }, cookie: None }
            }
            Issued::Cookie(issued) => {
                let expires_in = issued.expires_at.since(state.clock().now()).as_secs();
                let cookie = session_cookie(state, &issued.value, expires_in);
                Self { body: SignedInBody { user, tokens: None, expires_in }, cookie: Some(cookie) }
            }
        }
    }
}

impl IntoResponse for Begun {
    fn into_response(self) -> Response {
        let mut response = Json(self.body).into_response();
        if let Some(cookie) = self.cookie {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }
}

/// The one place where a secret leaves: the answer that hands it out.
pub(crate) fn reveal<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}
