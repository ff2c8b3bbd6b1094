//! The JSON of a problem answer.
//!
//! Owns: member names and their order.
//! Must not: grow past 2 KiB; lists and texts are cut before they come here.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{FieldError, Problem};
use crate::edge::current_request_id;

/// A refusal (RFC 9457).
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ProblemBody {
    /// A page about this code, served by this server.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The same for every occurrence of the code.
    pub(crate) title: &'static str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// A sentence about this occurrence.
    pub(crate) detail: String,
    /// Stable, kebab-case; what programs decide by.
    pub(crate) code: &'static str,
    /// The value of `X-Request-Id`; the server's log names it too.
    pub(crate) request_id: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// Seconds until the same request may succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after: Option<u32>,
    /// The places in the request that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<FieldError>,
    #[serde(flatten)]
    #[schema(ignore)]
    pub(crate) members: Map<String, Value>,
}

const TEXT_CHARS_MAX: usize = 240;
const POINTER_CHARS_MAX: usize = 48;
const FIELD_DETAIL_CHARS_MAX: usize = 72;

impl Problem {
    pub(crate) fn body(&self) -> ProblemBody {
        let parts = &*self.0;
        ProblemBody {
            kind: format!("/problems/{}", parts.code),
            title: parts.code.title(),
            status: parts.code.status(),
            detail: cut(parts.detail.as_deref().unwrap_or_else(|| parts.code.title())),
            code: parts.code.as_str(),
            request_id: current_request_id(),
            hint: Some(cut(parts.hint.as_deref().unwrap_or_else(|| parts.code.help()))),
            retry_after: parts.retry_after,
            errors: parts.errors.iter().map(FieldError::cut).collect(),
            members: parts.members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        }
    }
}

impl FieldError {
    fn cut(&self) -> Self {
        // A pointer holds the client's own member names: only plain characters, so that no escape makes it longer.
        let plain = |c: char| if c.is_ascii_graphic() && c != '"' && c != '\\' { c } else { '?' };
        Self {
            pointer: self.pointer.chars().take(POINTER_CHARS_MAX).map(plain).collect(),
            code: self.code.clone(),
            detail: self.detail.chars().take(FIELD_DETAIL_CHARS_MAX).collect::<String>().into(),
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}
