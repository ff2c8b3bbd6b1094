//! Operations for admins: `/api/v1/admin`.
//!
//! Owns: what an operator sees of connections, streams, accounts and the audit, and what they may
//! do about them. All of it is of this node, but accounts and the audit, which all nodes share.
//! Must not: show a record's content, a ticket, a tag or any other secret, or act without a trace
//! in the audit.

mod audit_filter;
mod disable_user;
mod disconnect;
mod end_sessions;
mod export_audit;
mod list_audit;
mod list_connections;
mod list_sessions;
mod list_streams;
mod list_users;
mod problem;
mod stats;
mod user_view;
mod verify_audit;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;

/// The routes of this area, with their full paths.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(stats::stats))
        .routes(routes!(list_connections::list_connections))
        .routes(routes!(disconnect::disconnect))
        .routes(routes!(list_streams::list_streams))
        .routes(routes!(list_users::list_users))
        .routes(routes!(list_users::show_user))
        .routes(routes!(disable_user::disable_user))
        .routes(routes!(disable_user::enable_user))
        .routes(routes!(list_sessions::list_sessions, end_sessions::end_sessions))
        .routes(routes!(list_audit::list_audit))
        .routes(routes!(export_audit::export_audit))
        .routes(routes!(verify_audit::verify_audit))
}
