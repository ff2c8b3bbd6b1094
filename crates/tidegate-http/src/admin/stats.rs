//! `GET /api/v1/admin/stats`: this node at a glance.

use std::collections::HashSet;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tidegate_gate::{ConnectionFilter, StreamKind};
use tidegate_types::Timestamp;
use utoipa::ToSchema;

use crate::AppState;
use crate::credential::Admin;
use crate::ops::Totals;
use crate::wire::Refused;

/// What this node does, and has done since it started.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stats {
    /// The server's version.
    version: &'static str,
    /// Since when this node runs.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When this was counted.
    #[schema(value_type = String, format = DateTime)]
    counted_at: Timestamp,
    /// Whether it is shutting down.
    draining: bool,
    connections: OpenConnections,
    #[serde(flatten)]
    totals: Totals,
}

/// The live streams of this moment.
#[derive(Debug, Serialize, ToSchema)]
struct OpenConnections {
    /// All of them.
    open: usize,
    /// Those on a user's own feed.
    feed: usize,
    /// Those on any other stream.
    stream: usize,
    /// Different users behind them.
    users: usize,
    /// Those whose reader has not taken its bytes yet.
    stalled: usize,
}

/// Answers what this node does.
#[utoipa::path(
    get, path = "/api/v1/admin/stats", tag = "admin", operation_id = "getStats",
    responses(
        (status = 200, body = Stats),
        Refused,
    )
)]
pub(crate) async fn stats(State(state): State<AppState>, _: Admin) -> Json<Stats> {
    Json(Stats {
        version: env!("CARGO_PKG_VERSION"),
        started_at: state.started_at(),
        counted_at: state.clock().now(),
        draining: state.is_draining(),
        connections: count(&state),
        totals: state.metrics().totals(),
    })
}

fn count(state: &AppState) -> OpenConnections {
    let open = state.gate().connections(&ConnectionFilter::default());
    let feed = open.iter().filter(|one| one.kind == StreamKind::Feed).count();
    OpenConnections {
        open: open.len(),
        feed,
        stream: open.len() - feed,
        users: open.iter().filter_map(|one| one.user_id).collect::<HashSet<_>>().len(),
        stalled: open.iter().filter(|one| one.unacked_since.is_some()).count(),
    }
}
