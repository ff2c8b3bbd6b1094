//! Paths and payloads of front ends that existed before; the setting `legacy_routes` serves them.
//!
//! Owns: one folder for each kind of front end, with its paths and words.
//! Must not: do anything that the API proper does not: each is a mapping onto the same calls.
//! Their code stays as it is: plain `EventSource`, tickets cached or minted again, no cursor on a
//! new connection, a fixed idea of final states.

mod accounts;
mod blog;
mod chat;
mod codegen;
mod documents;
mod master_mode;
mod page;
mod sessions;

use utoipa_axum::router::OpenApiRouter;

use crate::AppState;

/// The routes of this area, with their full paths.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(master_mode::router())
        .merge(codegen::router())
        .merge(accounts::router())
        .merge(blog::router())
        .merge(documents::router())
        .merge(chat::router())
        .merge(sessions::router())
}
