//! The protocol's headers, in both directions.
//!
//! Owns: their names and syntax.
//! Must not: decide what they mean together; the handlers do.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use tidegate_log::{Producer, StreamInfo};
use tidegate_types::{ErrorCode, Offset, Timestamp};

use crate::problem::Problem;

pub(super) const NEXT_OFFSET: HeaderName = HeaderName::from_static("stream-next-offset");
pub(super) const UP_TO_DATE: HeaderName = HeaderName::from_static("stream-up-to-date");
pub(super) const CLOSED: HeaderName = HeaderName::from_static("stream-closed");
pub(super) const CURSOR: HeaderName = HeaderName::from_static("stream-cursor");
pub(super) const PRODUCER_EPOCH: HeaderName = HeaderName::from_static("producer-epoch");
pub(super) const PRODUCER_SEQ: HeaderName = HeaderName::from_static("producer-seq");
pub(super) const EXPECTED_SEQ: HeaderName = HeaderName::from_static("producer-expected-seq");
pub(super) const RECEIVED_SEQ: HeaderName = HeaderName::from_static("producer-received-seq");
pub(super) const TRUE: HeaderValue = HeaderValue::from_static("true");

const TTL: HeaderName = HeaderName::from_static("stream-ttl");
const EXPIRES_AT: HeaderName = HeaderName::from_static("stream-expires-at");
const SEQ: HeaderName = HeaderName::from_static("stream-seq");
const PRODUCER_ID: HeaderName = HeaderName::from_static("producer-id");
/// 2^53 − 1: what a JavaScript number holds exactly.
const SAFE_INTEGER_MAX: u64 = 9_007_199_254_740_991;
const CONTENT_TYPE_BYTES_MAX: usize = 256;
const SEQ_BYTES_MAX: usize = 256;
const PRODUCER_ID_BYTES_MAX: usize = 256;

/// Whether the protocol has given the header its name.
pub(super) fn is_of_protocol(name: &HeaderName) -> bool {
    name.as_str().starts_with("stream-") || name.as_str().starts_with("producer-")
}

/// A position as a header.
pub(super) fn offset(offset: Offset) -> HeaderValue {
    HeaderValue::from_bytes(&offset.digits()).unwrap_or_else(|_| HeaderValue::from_static("-1"))
}

/// Whether `Stream-Closed: true` was sent.
pub(super) fn wants_close(headers: &HeaderMap) -> bool {
    headers.get(CLOSED).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
}

/// The body's media type as it was sent.
pub(super) fn content_type(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let text = one(headers, &CONTENT_TYPE)?.filter(|text| !text.is_empty());
    match text {
        Some(text) if text.len() > CONTENT_TYPE_BYTES_MAX => Err(malformed("Content-Type is too long")),
        text => Ok(text),
    }
}

/// `Stream-TTL` and `Stream-Expires-At`; at most one of them.
pub(super) fn lifetime(headers: &HeaderMap) -> Result<(Option<Duration>, Option<Timestamp>), Problem> {
    match (one(headers, &TTL)?, one(headers, &EXPIRES_AT)?) {
        (None, None) => Ok((None, None)),
        (Some(_), Some(_)) => Err(malformed("send Stream-TTL or Stream-Expires-At, not both")),
        (Some(text), None) => {
            let seconds =
                decimal(text).ok_or_else(|| malformed("Stream-TTL is a whole number of seconds"))?;
            Ok((Some(Duration::from_secs(seconds)), None))
        }
        (None, Some(text)) => {
            let at = Timestamp::parse_rfc3339(text)
                .map_err(|_| malformed("Stream-Expires-At is an RFC 3339 time"))?;
            Ok((None, Some(at)))
        }
    }
}

/// `Stream-Seq`.
pub(super) fn sequence(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    match one(headers, &SEQ)? {
        Some("") => Err(malformed("Stream-Seq is empty")),
        Some(text) if text.len() > SEQ_BYTES_MAX => Err(malformed("Stream-Seq is too long")),
        text => Ok(text.map(str::to_owned)),
    }
}

/// The three producer headers: all of them or none.
pub(super) fn producer(headers: &HeaderMap) -> Result<Option<Producer>, Problem> {
    let parts = (one(headers, &PRODUCER_ID)?, one(headers, &PRODUCER_EPOCH)?, one(headers, &PRODUCER_SEQ)?);
    let (id, epoch, seq) = match parts {
        (None, None, None) => return Ok(None),
        (Some(id), Some(epoch), Some(seq)) => (id, epoch, seq),
        _ => return Err(malformed("send Producer-Id, Producer-Epoch and Producer-Seq together")),
    };
    if id.trim().is_empty() || id.len() > PRODUCER_ID_BYTES_MAX {
        return Err(malformed("Producer-Id is empty or too long"));
    }
    let number = |text| decimal(text).filter(|n| *n <= SAFE_INTEGER_MAX);
    let epoch = number(epoch).ok_or_else(|| malformed("Producer-Epoch is a whole number"))?;
    let seq = number(seq).ok_or_else(|| malformed("Producer-Seq is a whole number"))?;
    Ok(Some(Producer { id: id.to_owned(), epoch, seq }))
}

/// What every answer about a stream says of it.
pub(super) fn describe(headers: &mut HeaderMap, info: &StreamInfo) {
    insert_content_type(headers, &info.content_type);
    headers.insert(NEXT_OFFSET, offset(info.tail));
    if info.closed {
        headers.insert(CLOSED, TRUE);
    }
    if let Some(ttl) = info.ttl {
        headers.insert(TTL, HeaderValue::from(ttl.as_secs()));
    }
    if let Some(value) = info.expires_at.and_then(|at| HeaderValue::from_str(&at.to_string()).ok()) {
        headers.insert(EXPIRES_AT, value);
    }
}

/// The stream's own media type.
pub(super) fn insert_content_type(headers: &mut HeaderMap, content_type: &str) {
    if let Ok(value) = HeaderValue::from_str(content_type) {
        headers.insert(CONTENT_TYPE, value);
    }
}

/// A decimal without sign, leading zeros, point or exponent.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    if digits && canonical { text.parse().ok() } else { None }
}

/// The header's value; it must not stand twice.
pub(super) fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(malformed("a header stands twice"));
    }
    value.to_str().map(Some).map_err(|_| malformed("a header holds odd characters"))
}

/// What a header says wrongly.
pub(super) fn malformed(detail: &'static str) -> Problem {
    Problem::new(ErrorCode::InvalidRequest).detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn map(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_str(v).unwrap())).collect()
    }

    #[rstest]
    #[case("03600")]
    #[case("+3600")]
    #[case("-1")]
    #[case("3600.0")]
    #[case("3.6e3")]
    #[case("")]
    #[case("99999999999999999999999")]
    fn a_ttl_has_one_spelling(#[case] text: &str) {
        assert!(lifetime(&map(&[("stream-ttl", text)])).is_err());
    }

    #[test]
    fn a_ttl_and_a_fixed_end_exclude_each_other() {
        assert_eq!(lifetime(&map(&[("stream-ttl", "60")])).unwrap().0, Some(Duration::from_secs(60)));
        let both = [("stream-ttl", "60"), ("stream-expires-at", "2030-01-01T00:00:00Z")];
        assert!(lifetime(&map(&both)).is_err());
        assert!(lifetime(&map(&both[1..])).unwrap().1.is_some());
    }

    #[test]
    fn producer_headers_come_together_and_are_whole_numbers() {
        let of =
            |id, epoch, seq| map(&[("producer-id", id), ("producer-epoch", epoch), ("producer-seq", seq)]);
        assert!(producer(&map(&[])).unwrap().is_none());
        assert_eq!(producer(&of("p", "1", "0")).unwrap().unwrap().epoch, 1);
        assert!(producer(&map(&[("producer-id", "p")])).is_err());
        for (id, epoch, seq) in
            [("", "0", "0"), ("p", "x", "0"), ("p", "0", "-1"), ("p", "0", "9007199254740992")]
        {
            assert!(producer(&of(id, epoch, seq)).is_err());
        }
    }
}
