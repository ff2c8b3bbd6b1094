//! Which rows of the audit are wanted, as the query says it.

use serde::Deserialize;
use tidegate_gate::{AuditFilter, AuditKind};
use tidegate_types::{ErrorCode, StreamPath, Timestamp, UserId};
use utoipa::IntoParams;

use crate::problem::Problem;

/// Which rows; everything that is set must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// What happened, such as `sign-in-refused` or `admin`.
    kind: Option<String>,
    /// Done by or to this user.
    #[param(value_type = Option<String>)]
    user_id: Option<UserId>,
    /// On this stream.
    #[param(value_type = Option<String>)]
    stream: Option<StreamPath>,
    /// At or after this time.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl TryFrom<AuditQuery> for AuditFilter {
    type Error = Problem;

    fn try_from(query: AuditQuery) -> Result<Self, Problem> {
        let AuditQuery { kind, user_id, stream, since, until } = query;
        let kind = kind.as_deref().map(|word| AuditKind::from_word(word).ok_or_else(unknown_kind));
        Ok(Self { kind: kind.transpose()?, user: user_id, stream, since, until })
    }
}

fn unknown_kind() -> Problem {
    Problem::new(ErrorCode::ValidationFailed).field("/kind", "invalid", "is no kind of audit event")
}
