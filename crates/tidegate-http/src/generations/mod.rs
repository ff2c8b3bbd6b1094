//! Generations: `/api/v1/generations`.
//!
//! Owns: the owner's side of a job (create, look, wait, stream, cancel, retry, delete).
//! Must not: hold a worker's calls (`work`) or the shapes of existing front ends (`legacy`).

mod access;
mod cancel;
mod create;
mod delete;
mod events;
mod list;
mod lookup;
mod problem;
mod retry;
mod stream;
mod token;
mod view;

use axum::routing::post;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;

pub(crate) use access::{absent, acts_for, parse_id};
pub(crate) use create::client_id;
pub(crate) use lookup::{Asked, LookupQuery, answer};
pub(crate) use token::{StreamTokenView, mint_token};
pub(crate) use view::GenerationView;

/// The routes of this area, with their full paths.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(lookup::lookup, delete::delete))
        .routes(routes!(events::events))
        .routes(routes!(token::token))
        .routes(routes!(stream::stream, stream::stream_by_post))
        .routes(routes!(cancel::cancel))
        .routes(routes!(retry::retry))
        // The collection's path with a slash at its end, as many clients write it.
        .route("/api/v1/generations/", post(create::create).get(list::list))
}
