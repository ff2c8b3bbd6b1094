//! Accounts under `/auth`, for front ends that keep a token and never refresh it.
//!
//! Owns: the long life of tokens from these paths, and the second spelling of their name.
//! Must not: make them harder to revoke: each belongs to a session like any other.

mod answer;
mod login;
mod me;
mod register;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(register::register, register::register_page))
        .routes(routes!(login::login, login::login_page))
        .routes(routes!(me::me))
}
