//! `GET /api/v1/admin/audit`: what happened, newest first.

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use tidegate_gate::{AuditEntry, AuditFilter, AuditOrder, AuditPage, GateError};
use tidegate_types::{ErrorCode, Timestamp};
use utoipa::ToSchema;

use super::audit_filter::AuditQuery;
use crate::AppState;
use crate::credential::Admin;
use crate::extract::{Page, PageArgs, Query};
use crate::problem::Problem;
use crate::wire::{PageParams, Refused};

/// One row of the audit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditView {
    /// Its number; they have no holes.
    seq: u64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What happened.
    kind: String,
    /// Who: `anonymous`, `user:…`, `key:…`, `operator` or `server`.
    actor: String,
    /// To whom or what.
    subject: Option<String>,
    /// From where.
    address: Option<String>,
    /// In which request.
    request_id: Option<String>,
    /// On which stream.
    stream: Option<String>,
    /// The rest.
    detail: Value,
    /// The hash that chains it to the row before, in hexadecimal.
    hash: String,
}

/// Lists what happened, newest first.
#[utoipa::path(
    get, path = "/api/v1/admin/audit", tag = "admin", operation_id = "listAudit",
    params(
        AuditQuery,
        PageParams,
    ),
    responses(
        (status = 200, body = Page<AuditView>),
        Refused,
    )
)]
pub(crate) async fn list_audit(
    State(state): State<AppState>,
    _: Admin,
    Query(query): Query<AuditQuery>,
    page: PageArgs,
) -> Result<Page<AuditView>, Problem> {
    let filter = AuditFilter::try_from(query)?;
    let cursor = page.cursor.as_deref().map(str::parse::<u64>).transpose();
    let cursor = cursor.map_err(|_| Problem::new(ErrorCode::InvalidCursor))?;
    let found = read(&state, &filter, cursor, page.limit).await?;
    let last = found.last().filter(|_| found.len() >= page.limit).map(|last| last.seq);
    let next = match last {
        Some(seq) => read(&state, &filter, Some(seq), 1).await?.first().map(|_| seq.to_string()),
        None => None,
    };
    Ok(Page { items: found.into_iter().map(AuditView::from).collect(), next_cursor: next })
}

async fn read(
    state: &AppState,
    filter: &AuditFilter,
    cursor: Option<u64>,
    limit: usize,
) -> Result<Vec<AuditEntry>, Problem> {
    let page = AuditPage { cursor, limit, order: AuditOrder::NewestFirst };
    Ok(state.gate().list_audit(filter.clone(), page).await.map_err(GateError::from)?)
}

impl From<AuditEntry> for AuditView {
    fn from(entry: AuditEntry) -> Self {
        Self {
            seq: entry.seq,
            at: entry.at,
            kind: entry.kind,
            actor: entry.actor,
            subject: entry.subject,
            address: entry.address,
            request_id: entry.request_id,
            stream: entry.stream,
            detail: entry.detail,
            hash: entry.hash,
        }
    }
}
