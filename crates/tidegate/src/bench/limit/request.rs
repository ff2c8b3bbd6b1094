//! The two requests that the bare loop knows.

/// Where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    Start,
    End,
    /// After the record of this number.
    After(u64),
}

/// A request, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Append { name: String, record: Vec<u8> },
    Subscribe { name: String, from: Begin },
}

const HEADERS_MAX: usize = 16;

impl Request {
    /// Parses a request and says how many bytes it took; `Ok(None)` while it is not all there,
    /// `Err` for anything else than the two.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, ()> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut parsed = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(head) = parsed.parse(bytes).map_err(|_| ())? else { return Ok(None) };
        let header = |name: &str| {
            let found = parsed.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(found.value).ok()
        };
        let path = parsed.path.unwrap_or_default();
        let named = |prefix: &str| path.strip_prefix(prefix).map(ToOwned::to_owned);
        if let Some(name) = named("/pub/") {
            let length: usize = header("content-length").and_then(|l| l.parse().ok()).ok_or(())?;
            let whole = head.checked_add(length).ok_or(())?;
            let Some(record) = bytes.get(head..whole) else { return Ok(None) };
            return Ok(Some((Self::Append { name, record: record.to_owned() }, whole)));
        }
        let after = header("last-event-id").and_then(|id| id.parse().ok()).map(Begin::After);
        let (name, from) = match (named("/sub/"), named("/all/")) {
            (Some(name), _) => (name, Begin::End),
            (_, Some(name)) => (name, Begin::Start),
            (None, None) => return Err(()),
        };
        Ok(Some((Self::Subscribe { name, from: after.unwrap_or(from) }, head)))
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Append { name, .. } | Self::Subscribe { name, .. } => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_when_it_is_whole() {
        let text = b"POST /pub/a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi";
        let append = Request::Append { name: "a".to_owned(), record: b"hi".to_vec() };
        assert_eq!(Request::parse(text), Ok(Some((append, text.len()))));
        assert_eq!(Request::parse(&text[..text.len() - 1]), Ok(None));
        assert_eq!(Request::parse(&text[..9]), Ok(None));
    }

    #[test]
    fn a_reader_comes_back_after_its_last_id() {
        let text = b"GET /all/a HTTP/1.1\r\nLast-Event-ID: 41\r\n\r\n";
        let back = Request::Subscribe { name: "a".to_owned(), from: Begin::After(41) };
        assert_eq!(Request::parse(text), Ok(Some((back, text.len()))));
        assert_eq!(Request::parse(b"GET /else HTTP/1.1\r\n\r\n"), Err(()));
    }
}
