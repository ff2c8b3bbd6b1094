//! Credentials in URLs: only a ticket may stand there, and only on stream routes.
//!
//! Owns: the names that are looked for, before anything else parses the query.
//! Must not: keep, log or answer with a value; URLs end up in access logs.

use std::borrow::Cow;

use http::{Method, Uri};
use tidegate_types::{ErrorCode, Secret, SecretKind};

use crate::extract::decoded;
use crate::problem::Problem;

/// Names that a ticket may have (existing front ends use all three).
const TICKET_NAMES: [&str; 3] = ["ticket", "token", "sse_token"];
/// Names that carry nothing else than credentials, wherever they stand.
const CREDENTIAL_NAMES: [&str; 9] = [
    "access_token",
    "jwt",
    "api_key",
    "apikey",
    "key",
    "authorization",
    "refresh_token",
    "id_token",
    "auth_token",
];

/// Checks the query of a request.
pub(super) fn check(method: &Method, uri: &Uri) -> Result<(), Problem> {
    let Some(query) = uri.query() else { return Ok(()) };
    let mut tickets: Vec<Cow<'_, str>> = Vec::new();
    let mut leaked = false;
    for (name, value) in decoded(query) {
        if is_ticket_name(&name) {
            tickets.push(value);
        } else {
            leaked |= is_among(&name, &CREDENTIAL_NAMES) || is_other_secret(&value);
        }
    }
    if leaked {
        return Err(ErrorCode::CredentialInUrl.into());
    }
    match tickets.as_slice() {
        [] => Ok(()),
        [ticket] if may_carry(method, uri.path(), ticket) => Ok(()),
        [_] => Err(ErrorCode::CredentialInUrl.into()),
        _ => Err(Problem::new(ErrorCode::DuplicateParameter).detail("more than one ticket parameter")),
    }
}

/// Whether a parameter of this name carries a ticket.
pub(crate) fn is_ticket_name(name: &str) -> bool {
    is_among(name, &TICKET_NAMES)
}

fn is_among(name: &str, names: &[&str]) -> bool {
    let name = name.trim();
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn may_carry(method: &Method, path: &str, value: &str) -> bool {
    if path.starts_with(STREAMS) && method == Method::POST {
        // `POST /v1/stream/{path}?ticket` asks for a ticket; appends take none.
        return value.is_empty();
    }
    is_stream_route(path) && value.starts_with(SecretKind::Ticket.prefix())
}

fn is_other_secret(value: &str) -> bool {
    [SecretKind::Key, SecretKind::WorkerLease, SecretKind::LeaseHandle, SecretKind::Wake]
        .into_iter()
        .any(|kind| value.starts_with(kind.prefix()) && Secret::parse(kind, value).is_ok())
}

const STREAMS: &str = "/v1/stream/";

/// Whether the path is one that answers with a live stream, so that a ticket may open it.
fn is_stream_route(path: &str) -> bool {
    if let Some(stream) = path.strip_prefix(STREAMS) {
        return stream != "__ds" && !stream.starts_with("__ds/");
    }
    path.starts_with("/api/master-mode/progress/") || path.rsplit('/').next() == Some("stream")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.e30.c2ln";

    fn code(method: Method, uri: &str) -> Option<ErrorCode> {
        check(&method, &uri.parse().unwrap()).err().map(|problem| problem.code())
    }

    #[rstest]
    fn every_credential_name_is_refused_on_every_route(
        #[values("token", "sse_token", "ticket", "access_token", "jwt", "api_key", "key", "authorization")]
        name: &str,
        #[values(
            "/api/v1/auth/me",
            "/api/v1/generations/1/stream",
            "/v1/stream/a/b",
            "/healthz",
            "/nowhere"
        )]
        path: &str,
        #[values("", "x=1&")] before: &str,
    ) {
        let uri = format!("{path}?{before}{name}={JWT}");
        assert_eq!(code(Method::GET, &uri), Some(ErrorCode::CredentialInUrl));
        let upper = format!("{path}?{before}{}={JWT}", name.to_uppercase());
        assert_eq!(code(Method::GET, &upper), Some(ErrorCode::CredentialInUrl));
    }

    #[rstest]
    #[case("/api/v1/generations/1/stream?%74oken=abc")]
    #[case("/api/v1/generations/1/stream?+token=abc")]
    #[case("/api/v1/generations/1/stream?token")]
    #[case("/api/v1/generations?ticket=tgt_x")]
    #[case("/v1/stream/__ds/subscriptions/x?token=tgt_x")]
    fn disguises_and_tickets_off_stream_routes_are_refused(#[case] uri: &str) {
        assert_eq!(code(Method::GET, uri), Some(ErrorCode::CredentialInUrl));
    }

    #[rstest]
    #[case(Method::GET, "/api/v1/generations/1/stream?token=tgt_x")]
    #[case(Method::POST, "/api/v1/generations/1/stream?ticket=tgt_x")]
    #[case(Method::GET, "/generations/generate/1/stream?token=tgt_x")]
    #[case(Method::GET, "/api/v1/events/stream?sse_token=tgt_x&types=a")]
    #[case(Method::GET, "/v1/stream/a/b?ticket=tgt_x&live=events")]
    #[case(Method::POST, "/v1/stream/a/b?ticket")]
    #[case(Method::GET, "/api/v1/generations?monkey=1&tokens=2&keyword=3")]
    fn tickets_open_stream_routes(#[case] method: Method, #[case] uri: &str) {
        assert_eq!(code(method, uri), None);
    }

    #[test]
    fn a_ticket_on_an_append_is_refused() {
        assert_eq!(code(Method::POST, "/v1/stream/a/b?ticket=tgt_x"), Some(ErrorCode::CredentialInUrl));
    }

    #[rstest]
    #[case("/v1/stream/a?ticket=a&ticket=b")]
    #[case("/v1/stream/a?ticket=tgt_x&token=tgt_x")]
    fn two_tickets_are_a_duplicate(#[case] uri: &str) {
        assert_eq!(code(Method::GET, uri), Some(ErrorCode::DuplicateParameter));
    }

    #[test]
    fn a_key_under_any_name_is_refused() {
        let key = Secret::generate(SecretKind::Key, &tidegate_types::OsEntropy);
        let uri = format!("/api/v1/generations?cursor={}", key.reveal());
        assert_eq!(code(Method::GET, &uri), Some(ErrorCode::CredentialInUrl));
    }
}
