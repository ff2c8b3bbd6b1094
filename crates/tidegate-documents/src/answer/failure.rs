//! Why an answer did not come, and whose fault that was.

use serde::{Deserialize, Serialize};

/// Whose fault a failed answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// The model's service: down, too slow, too busy, or not speaking the protocol.
    Model,
    /// The operator: a wrong address, key or model name.
    Operator,
    /// This server.
    Server,
}

/// Why an answer did not come, or no more of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct AnswerFailed {
    /// Stable, kebab-case.
    pub code: &'static str,
    /// A sentence for people; never what a model's service said, which may repeat a secret.
    pub detail: String,
    /// Whose fault it is.
    pub fault: Fault,
}

impl AnswerFailed {
    /// The model's service is at fault.
    pub(crate) fn model(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), fault: Fault::Model }
    }

    /// The operator's settings are at fault.
    pub(crate) fn operator(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), fault: Fault::Operator }
    }

    /// This server is at fault.
    pub(crate) fn server(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), fault: Fault::Server }
    }
}
