//! Finding the credential in a request.
//!
//! Owns: the places and their order.
//! Must not: say whether the credential is good.

use std::borrow::Cow;
use std::fmt;

use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{HeaderMap, Uri};
use tidegate_types::{ErrorCode, SecretKind};

use crate::HttpConfig;
use crate::edge::is_ticket_name;
use crate::extract::decoded;
use crate::problem::Problem;

/// The cookie that carries a feed's ticket, then its lease's handle.
pub(crate) const FEED_COOKIE: &str = "sse_token";

/// The one credential that counts.
pub(super) enum Presented<'r> {
    Nothing,
    /// An access token or an API key.
    Bearer(&'r str),
    /// A ticket from the header or the URL.
    Ticket(Cow<'r, str>),
    SessionCookie(&'r str),
}

impl<'r> Presented<'r> {
    pub(super) fn of(config: &HttpConfig, parts: &'r Parts) -> Result<Self, Problem> {
        if let Some(value) = parts.headers.get(AUTHORIZATION) {
            let token = bearer(value.as_bytes()).ok_or(ErrorCode::InvalidToken)?;
            let is_ticket = token.starts_with(SecretKind::Ticket.prefix());
            return Ok(if is_ticket { Self::Ticket(token.into()) } else { Self::Bearer(token) });
        }
        if let Some(ticket) = url_ticket(&parts.uri) {
            return Ok(Self::Ticket(ticket));
        }
        let cookie = cookie(&parts.headers, config.session_cookie());
        Ok(cookie.map_or(Self::Nothing, Self::SessionCookie))
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Bearer(_) => "Bearer(…)",
            Self::Ticket(_) => "Ticket(…)",
            Self::SessionCookie(_) => "SessionCookie(…)",
        })
    }
}

/// The token of `Bearer …`; the scheme is case-insensitive (RFC 9110 section 11.1).
fn bearer(value: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The ticket in the URL; the middleware has refused everything else under these names.
fn url_ticket(uri: &Uri) -> Option<Cow<'_, str>> {
    let mut pairs = decoded(uri.query()?);
    pairs.find(|(name, value)| is_ticket_name(name) && !value.is_empty()).map(|(_, value)| value)
}

/// A cookie's value; HTTP/2 may split the header.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(given, _)| *given == name)
        .map(|(_, value)| value.trim_matches('"'))
        .filter(|v| !v.is_empty())
}

/// Whether the request carries any credential at all.
pub(super) fn is_anonymous(config: &HttpConfig, headers: &HeaderMap, uri: &Uri) -> bool {
    !headers.contains_key(AUTHORIZATION)
        && url_ticket(uri).is_none()
        && cookie(headers, config.session_cookie()).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn presented(headers: &[(&str, &str)], uri: &str) -> Result<String, ErrorCode> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let found = Presented::of(&HttpConfig::default(), &parts).map_err(|problem| problem.code())?;
        Ok(match found {
            Presented::Nothing => "nothing".to_owned(),
            Presented::Bearer(text) => format!("bearer {text}"),
            Presented::Ticket(text) => format!("ticket {text}"),
            Presented::SessionCookie(text) => format!("cookie {text}"),
        })
    }

    #[test]
    fn the_header_wins_over_the_ticket_and_the_ticket_over_the_cookie() {
        let all = [("authorization", "bearer abc"), ("cookie", "tidegate=c")];
        assert_eq!(presented(&all, "/x/stream?ticket=tgt_1").unwrap(), "bearer abc");
        assert_eq!(presented(&all[1..], "/x/stream?ticket=tgt_1").unwrap(), "ticket tgt_1");
        assert_eq!(presented(&all[1..], "/x/stream").unwrap(), "cookie c");
        assert_eq!(presented(&[], "/x/stream").unwrap(), "nothing");
        assert_eq!(presented(&[("authorization", "Bearer tgt_2")], "/x").unwrap(), "ticket tgt_2");
    }

    #[test]
    fn a_bad_header_does_not_fall_back_to_the_cookie() {
        for bad in ["Basic dTpw", "Bearer", "Bearer  ", "tgk_x", ""] {
            let headers = [("authorization", bad), ("cookie", "tidegate=c")];
            assert_eq!(presented(&headers, "/x"), Err(ErrorCode::InvalidToken), "{bad}");
        }
    }

    #[test]
    fn only_the_cookie_of_this_name_counts() {
        assert_eq!(presented(&[("cookie", "xtidegate=1; tidegate=2")], "/x").unwrap(), "cookie 2");
        assert_eq!(presented(&[("cookie", "__Host-tidegate=1")], "/x").unwrap(), "nothing");
        assert_eq!(presented(&[("cookie", "a=1"), ("cookie", "tidegate=2")], "/x").unwrap(), "cookie 2");
    }
}
