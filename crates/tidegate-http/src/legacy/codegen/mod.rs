//! "Code generation": a ticket in the URL of a plain `EventSource`, under two families of paths.
//!
//! Owns: `/generations/generate/{id}` and `/generations/{id}`.
//! Must not: name a stream of one family in an answer of the other.

mod record;
mod stream;
mod token;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(token::token))
        .routes(routes!(token::token_of_generate))
        .routes(routes!(stream::stream))
        .routes(routes!(stream::stream_of_generate))
        .routes(routes!(record::record))
}
