//! What caches may keep of a read (`0-rulings.md` 4 of the contract).
//!
//! Owns: entity tags, bound to the stream's internal id so that a path made again shares none.
//! Must not: let a shared cache keep what not everybody may read.

use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue};
use tidegate_log::Page;

const NEVER: HeaderValue = HeaderValue::from_static("no-store");
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");
const SHARED: HeaderValue = HeaderValue::from_static("public, max-age=60, stale-while-revalidate=300");

/// Says that nothing is to be kept.
pub(super) fn never(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, NEVER);
}

/// The tag of a page: which records of which stream, and whether they are the last ever.
pub(super) fn entity_tag(page: &Page) -> Option<HeaderValue> {
    let closed = if page.closed { ":c" } else { "" };
    HeaderValue::from_str(&format!("\"{}:{}:{}{closed}\"", page.info.id, page.from, page.next)).ok()
}

/// Says what may be kept. A range that reaches an open end changes any moment: it is asked for again.
pub(super) fn page(headers: &mut HeaderMap, page: &Page, is_public: bool) {
    let settled = !page.up_to_date || page.closed;
    headers.insert(CACHE_CONTROL, if is_public && settled { SHARED } else { REVALIDATE });
    if let Some(tag) = entity_tag(page) {
        headers.insert(ETAG, tag);
    }
}

/// Whether the client has this page already (RFC 9110 section 13.1.2, weak comparison).
pub(super) fn is_known(request: &HeaderMap, page: &Page) -> bool {
    let Some(tag) = entity_tag(page) else { return false };
    let tag = tag.as_bytes();
    let given = request.get_all(IF_NONE_MATCH).iter();
    given.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).any(|one| {
        let one = one.trim_ascii();
        one == b"*" || one.strip_prefix(b"W/").unwrap_or(one) == tag
    })
}
