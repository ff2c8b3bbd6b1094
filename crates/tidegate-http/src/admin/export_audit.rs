//! `GET /api/v1/admin/audit/export`: the audit as lines of JSON, oldest first.
//!
//! The rows are read a page at a time while they go out, so that an export of any length costs one
//! page of memory. It ends with the rows of the moment it began.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream::{self, TryStreamExt as _};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde_json::json;
use tidegate_gate::{
    Actor, AuditEntry, AuditEvent, AuditFilter, AuditKind, AuditOrder, AuditPage, Gate, GateError,
};

use super::audit_filter::AuditQuery;
use crate::AppState;
use crate::credential::{Admin, Facts};
use crate::extract::Query;
use crate::problem::Problem;
use crate::wire::Refused;

const JSON_LINES: &str = "application/jsonl";
const AS_FILE: &str = "attachment; filename=\"tidegate-audit.jsonl\"";

/// Exports the audit as JSON Lines, oldest first; the export itself is audited.
#[utoipa::path(
    get, path = "/api/v1/admin/audit/export", tag = "admin", operation_id = "exportAudit",
    params(AuditQuery),
    responses(
        (status = 200, description = "One row on each line", body = String, content_type = "application/jsonl"),
        Refused,
    )
)]
pub(crate) async fn export_audit(
    State(state): State<AppState>,
    Admin(admin): Admin,
    Facts(facts): Facts,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Problem> {
    let mut filter = AuditFilter::try_from(query)?;
    let began = state.clock().now().plus(Duration::from_millis(1));
    filter.until = Some(filter.until.map_or(began, |until| until.min(began)));
    let event = AuditEvent::new(AuditKind::Admin, Actor::User(admin.user_id))
        .from_client(&facts)
        .detail(json!({ "action": "export-audit" }));
    state.gate().audit(event).await;
    let export = Export {
        gate: state.gate().clone(),
        filter,
        rows: usize::try_from(state.limits().page_items).unwrap_or(usize::MAX),
    };
    // The first page before the head, so that a broken database is still a proper refusal.
    let first = export.page(None).await?;
    let body = Body::from_stream(export.lines(first));
    Ok(([(CONTENT_TYPE, JSON_LINES), (CONTENT_DISPOSITION, AS_FILE)], body).into_response())
}

struct Export {
    gate: Gate,
    filter: AuditFilter,
    rows: usize,
}

impl Export {
    async fn page(&self, cursor: Option<u64>) -> Result<Vec<AuditEntry>, GateError> {
        let page = AuditPage { cursor, limit: self.rows, order: AuditOrder::OldestFirst };
        Ok(self.gate.list_audit(self.filter.clone(), page).await?)
    }

    /// A failure on the way breaks the answer off, so that nobody takes it for the whole.
    fn lines(
        self,
        first: Vec<AuditEntry>,
    ) -> impl stream::Stream<Item = Result<Bytes, axum::BoxError>> + Send {
        let pages = stream::try_unfold((self, Some(first)), |(export, read)| async move {
            let Some(rows) = read else { return Ok(None) };
            let Some(last) = rows.last().map(|row| row.seq) else { return Ok(None) };
            let next = if rows.len() < export.rows { None } else { Some(export.page(Some(last)).await?) };
            Ok::<_, GateError>(Some((rows, (export, next))))
        });
        pages.map_err(axum::BoxError::from).and_then(|rows| async move { Ok(encode(&rows)?) })
    }
}

fn encode(rows: &[AuditEntry]) -> Result<Bytes, serde_json::Error> {
    let mut text = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut text, row)?;
        text.push(b'\n');
    }
    Ok(Bytes::from(text))
}
