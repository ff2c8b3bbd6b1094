//! Conversations: `/api/v1/conversations`, and a document's own chat.
//!
//! Owns: questions in, answers as tails of their streams; records, stopping, asking again.
//! Must not: write an answer: it is the server's, and goes on when the reader leaves.

mod access;
mod answer;
mod ask;
mod chat;
mod create;
mod delete;
mod list;
mod lookup;
mod mode;
mod problem;
mod regenerate;
mod stop;
mod stream;
mod token;
mod turn;
mod view;

use axum::routing::post;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;

pub(crate) use access::{own, owner_of};
pub(crate) use answer::{Asking, Question, Reading, answer_turn, answer_whole};
pub(crate) use ask::TurnBody;
pub(crate) use chat::chat_of;
pub(crate) use create::{NewConversationBody, create_as};
pub(crate) use lookup::with_turns;
pub(crate) use view::{ConversationView, ConversationWithTurns, TurnView};

/// The routes of this area, with their full paths.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(lookup::lookup, delete::delete))
        .routes(routes!(ask::ask))
        .routes(routes!(turn::turn))
        .routes(routes!(stream::stream, stream::stream_by_post))
        .routes(routes!(token::token))
        .routes(routes!(stop::stop))
        .routes(routes!(regenerate::regenerate))
        .routes(routes!(chat::chat))
        // The collection's path with a slash at its end, as many clients write it.
        .route("/api/v1/conversations/", post(create::create).get(list::list))
}
