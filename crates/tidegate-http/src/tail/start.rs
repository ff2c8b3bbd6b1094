//! Where a tail starts, as the request says it (`0-rulings.md` 2 of the contract).
//!
//! Owns: `Last-Event-ID` first, else `last_event_id`, else `after`.
//! Must not: take a resume tag from a URL, or echo what was sent.

use http::{HeaderMap, HeaderName};
use tidegate_types::{ErrorCode, EventCursor, OffsetError, ReadFrom, ResumeTag};

use crate::problem::Problem;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Sixteen digits, a dot and a tag are 39; anything much longer is not ours.
const LAST_EVENT_ID_BYTES_MAX: usize = 96;

/// What the request says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Start {
    /// The position, if one was named.
    pub(crate) from: Option<ReadFrom>,
    /// The resume tag, if the browser sent one back.
    pub(crate) tag: Option<ResumeTag>,
}

/// The parameters that name a start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StartQuery<'a> {
    /// `last_event_id`: a bare offset.
    pub(super) last_event_id: Option<&'a str>,
    /// `after`: `-1`, `now` or an offset.
    pub(super) after: Option<&'a str>,
}

/// Reads the start. Everything that is sent is checked, also what another place outranks.
pub(super) fn read_start(headers: &HeaderMap, query: StartQuery<'_>) -> Result<Start, Problem> {
    let bare = query.last_event_id.filter(|text| !text.is_empty()).map(EventCursor::parse_untagged);
    let bare = bare.transpose().map_err(refusal)?;
    let after = query.after.map(str::parse::<ReadFrom>).transpose().map_err(refusal)?;
    if let Some(cursor) = header_cursor(headers)? {
        return Ok(Start { from: Some(ReadFrom::At(cursor.offset)), tag: cursor.tag });
    }
    Ok(Start { from: bare.map(ReadFrom::At).or(after), tag: None })
}

fn header_cursor(headers: &HeaderMap) -> Result<Option<EventCursor>, Problem> {
    let mut values = headers.get_all(LAST_EVENT_ID).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() || value.len() > LAST_EVENT_ID_BYTES_MAX {
        return Err(ErrorCode::InvalidCursor.into());
    }
    // An empty id is how a browser says that it has none.
    if value.is_empty() {
        return Ok(None);
    }
    let text = value.to_str().map_err(|_| Problem::new(ErrorCode::InvalidCursor))?;
    text.parse().map(Some).map_err(|_| ErrorCode::InvalidCursor.into())
}

pub(crate) fn refusal(error: OffsetError) -> Problem {
    match error {
        OffsetError::Tagged => ErrorCode::ResumeTagInUrl.into(),
        OffsetError::Malformed => ErrorCode::InvalidCursor.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use rstest::rstest;
    use tidegate_types::Offset;

    const TAG: &str = "AAAAAAAAAAAAAAAAAAAAAA";

    fn read(
        header: Option<&str>,
        last_event_id: Option<&str>,
        after: Option<&str>,
    ) -> Result<Start, ErrorCode> {
        let mut headers = HeaderMap::new();
        if let Some(text) = header {
            headers.insert(LAST_EVENT_ID, HeaderValue::from_bytes(text.as_bytes()).unwrap());
        }
        read_start(&headers, StartQuery { last_event_id, after }).map_err(|problem| problem.code())
    }

    fn at(n: u64) -> Option<ReadFrom> {
        Some(ReadFrom::At(Offset::new(n).unwrap()))
    }

    #[test]
    fn the_header_outranks_the_query_and_the_query_outranks_after() {
        let (five, six) = ("0000000000000005", "0000000000000006");
        assert_eq!(read(Some(five), Some(six), Some("now")).unwrap().from, at(5));
        assert_eq!(read(None, Some(six), Some("now")).unwrap().from, at(6));
        assert_eq!(read(None, None, Some("now")).unwrap().from, Some(ReadFrom::Tail));
        assert_eq!(read(None, None, Some("-1")).unwrap().from, Some(ReadFrom::Start));
        assert_eq!(read(Some(""), None, None).unwrap().from, None);
    }

    #[test]
    fn a_tag_comes_back_in_the_header_only() {
        let tagged = format!("0000000000000005.{TAG}");
        let start = read(Some(&tagged), None, None).unwrap();
        assert_eq!(start.from, at(5));
        assert_eq!(start.tag.unwrap().reveal(), TAG);
        assert_eq!(read(None, Some(&tagged), None).unwrap_err(), ErrorCode::ResumeTagInUrl);
        assert_eq!(read(None, Some("5.x"), None).unwrap_err(), ErrorCode::ResumeTagInUrl);
    }

    #[rstest]
    #[case("5")]
    #[case("99999999999999999999")]
    #[case("0000000000000005.")]
    #[case("0000000000000005.short")]
    #[case("0000000000000005 ")]
    #[case("0000000000000005\u{e9}")]
    #[case("-1")]
    fn anything_else_in_the_header_is_refused(#[case] text: &str) {
        assert_eq!(read(Some(text), None, None).unwrap_err(), ErrorCode::InvalidCursor);
    }

    #[test]
    fn ten_kilobytes_of_letters_are_refused() {
        assert_eq!(read(Some(&"a".repeat(10_000)), None, None).unwrap_err(), ErrorCode::InvalidCursor);
    }
}
