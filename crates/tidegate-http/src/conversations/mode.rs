//! How the asker wants the answer, and what happens while another one is being written.

use axum::extract::FromRequestParts;
use http::header::ACCEPT;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};
use tidegate_documents::IfBusy;
use tidegate_types::ErrorCode;
use utoipa::IntoParams;

use crate::AppState;
use crate::problem::Problem;

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// How the answer is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// In this response.
    Stream,
    /// At the place that the response names (202, `Location`).
    Later,
}

impl Mode {
    fn of(headers: &HeaderMap) -> Self {
        let texts = |name: &HeaderName| {
            let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).map(|part| part.trim().to_ascii_lowercase())
        };
        let prefers = |part: &str| part.split(';').next().is_some_and(|word| word.trim() == "respond-async");
        if texts(&PREFER).any(|part| prefers(&part)) {
            return Self::Later;
        }
        let media = |part: &str| part.split(';').next().unwrap_or_default().trim().to_owned();
        let accepted: Vec<String> = texts(&ACCEPT).map(|part| media(&part)).collect();
        let wants = |wanted: &str| accepted.iter().any(|media| media == wanted);
        if wants("application/json") && !wants("text/event-stream") { Self::Later } else { Self::Stream }
    }
}

impl FromRequestParts<AppState> for Mode {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        Ok(Self::of(&parts.headers))
    }
}

/// What to do while another question is being answered.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BusyQuery {
    /// `wait` (the default) or `refuse` (409 `conversation-busy`).
    if_busy: Option<String>,
}

impl BusyQuery {
    pub(crate) fn read(&self) -> Result<IfBusy, Problem> {
        match self.if_busy.as_deref() {
            None | Some("wait") => Ok(IfBusy::Wait),
            Some("refuse") => Ok(IfBusy::Refuse),
            Some(_) => {
                let problem = Problem::new(ErrorCode::ValidationFailed);
                Err(problem.field("/if_busy", "invalid", "must be `wait` or `refuse`"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", "", Mode::Stream)]
    #[case("*/*", "", Mode::Stream)]
    #[case("text/event-stream", "", Mode::Stream)]
    #[case("application/json", "", Mode::Later)]
    #[case("application/json, text/plain, */*", "", Mode::Later)]
    #[case("application/json, text/event-stream", "", Mode::Stream)]
    #[case("text/event-stream", "respond-async, wait=5", Mode::Later)]
    fn the_asker_decides_where_the_answer_comes(
        #[case] accept: &str,
        #[case] prefer: &str,
        #[case] mode: Mode,
    ) {
        let mut headers = HeaderMap::new();
        if !accept.is_empty() {
            headers.insert(ACCEPT, accept.parse().unwrap());
        }
        if !prefer.is_empty() {
            headers.insert(PREFER, prefer.parse().unwrap());
        }
        assert_eq!(Mode::of(&headers), mode);
    }
}
