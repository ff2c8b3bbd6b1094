//! Accounts and sessions: `/api/v1/auth`.
//!
//! Owns: the paths of this area and how they map onto calls of the gate; the session's cookie.
//! Must not: decide anything that the gate decides, or put a secret anywhere but into its one answer.
//! Other areas whose calls mean the same use [`sign_up`], [`sign_in`] and [`account`].

mod answer;
mod cookie;
mod login;
mod logout;
mod me;
mod password;
mod problem;
mod refresh;
mod register;
mod sessions;
mod sse_token;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;

pub(crate) use answer::{Begun, SignedInBody, UserBody, reveal};
pub(crate) use login::LoginBody;
pub(crate) use register::RegisterBody;

/// Signing in, for every route that does it.
pub(crate) use login::sign_in;
/// The account behind a principal, for every route that shows it.
pub(crate) use me::account;
/// Registering, for every route that does it.
pub(crate) use register::sign_up;

/// The routes of this area, with their full paths.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(register::register))
        .routes(routes!(login::login))
        .routes(routes!(refresh::refresh))
        .routes(routes!(logout::logout))
        .routes(routes!(password::change_password))
        .routes(routes!(me::me))
        .routes(routes!(sessions::list_sessions))
        .routes(routes!(sessions::end_session))
        .routes(routes!(sse_token::mint_sse_token))
}
