//! `GET /api/v1/admin/connections`: who is connected to this node, and to what.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tidegate_gate::{ConnectionFilter, ConnectionInfo};
use tidegate_types::{
    ConnectionId, ErrorCode, KeyId, LeaseId, Offset, SessionId, StreamPath, Timestamp, UserId,
};
use utoipa::{IntoParams, ToSchema};

use crate::AppState;
use crate::credential::Admin;
use crate::extract::{Page, PageArgs, Query};
use crate::problem::Problem;
use crate::wire::{PageParams, Refused};

/// Which connections; everything that is set must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConnectionQuery {
    /// Of this user.
    #[param(value_type = Option<String>)]
    user_id: Option<UserId>,
    /// Of this session.
    #[param(value_type = Option<String>)]
    session_id: Option<SessionId>,
    /// Of this API key.
    #[param(value_type = Option<String>)]
    key_id: Option<KeyId>,
    /// On this stream.
    #[param(value_type = Option<String>)]
    stream: Option<StreamPath>,
}

/// One live connection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionView {
    #[schema(value_type = String)]
    id: ConnectionId,
    /// Whose it is, for users.
    #[schema(value_type = Option<String>)]
    user_id: Option<UserId>,
    /// Whose it is, for signed-in browsers and devices.
    #[schema(value_type = Option<String>)]
    session_id: Option<SessionId>,
    /// Whose it is, for services.
    #[schema(value_type = Option<String>)]
    key_id: Option<KeyId>,
    /// `feed` or `stream`.
    kind: &'static str,
    /// What is read.
    #[schema(value_type = String)]
    stream: StreamPath,
    /// From where.
    address: String,
    /// How it is read: `sse`, `live-sse` or `long-poll`.
    transport: &'static str,
    /// The lease of the ticket that opened it.
    #[schema(value_type = Option<String>)]
    lease_id: Option<LeaseId>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// Where it began to read.
    #[schema(value_type = Option<String>)]
    first_offset: Option<Offset>,
    /// How far it has read.
    #[schema(value_type = Option<String>)]
    last_offset: Option<Offset>,
    /// Since when its reader has not taken its bytes, if so.
    #[schema(value_type = Option<String>, format = DateTime)]
    unacked_since: Option<Timestamp>,
}

/// Lists the live connections of this node, oldest first.
#[utoipa::path(
    get, path = "/api/v1/admin/connections", tag = "admin", operation_id = "listConnections",
    params(
        ConnectionQuery,
        PageParams,
    ),
    responses(
        (status = 200, body = Page<ConnectionView>),
        Refused,
    )
)]
pub(crate) async fn list_connections(
    State(state): State<AppState>,
    _: Admin,
    Query(query): Query<ConnectionQuery>,
    page: PageArgs,
) -> Result<Page<ConnectionView>, Problem> {
    let after = page.cursor.as_deref().map(str::parse::<ConnectionId>).transpose();
    let after = after.map_err(|_| Problem::new(ErrorCode::InvalidCursor))?;
    let found = state.gate().connections(&query.into());
    let mut left = found.into_iter().filter(|one| after.is_none_or(|after| one.id > after));
    let items: Vec<ConnectionView> = left.by_ref().take(page.limit).map(ConnectionView::from).collect();
    let next_cursor = left.next().and(items.last()).map(|last| last.id.to_string());
    Ok(Page { items, next_cursor })
}

impl From<ConnectionQuery> for ConnectionFilter {
    fn from(query: ConnectionQuery) -> Self {
        let ConnectionQuery { user_id, session_id, key_id, stream } = query;
        Self { user_id, session_id, key_id, stream }
    }
}

impl From<ConnectionInfo> for ConnectionView {
    fn from(info: ConnectionInfo) -> Self {
        Self {
            id: info.id,
            user_id: info.user_id,
            session_id: info.session_id,
            key_id: info.key_id,
            kind: info.kind.as_str(),
            stream: info.stream,
            address: info.address.to_string(),
            transport: info.transport,
            lease_id: info.lease,
            started_at: info.started_at,
            first_offset: info.first,
            last_offset: info.last,
            unacked_since: info.unacked_since,
        }
    }
}
