//! The name of an event, from a record's own `type` member.
//!
//! Owns: which types may stand behind `event:` (`0-rulings.md` 5 of the contract).
//! Must not: build a tree, or let a reserved name out: a record must not pose as the server.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

const NAME_BYTES_MAX: usize = 64;
const RESERVED: [&str; 4] = ["ping", "error", "open", "message"];
const RESERVED_PREFIX: &str = "tidegate.";

#[derive(Deserialize)]
struct Peek<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
}

/// The record's `type`, if it is an object with a string there that may name an event.
pub(crate) fn event_name(record: &[u8]) -> Option<Cow<'_, str>> {
    let first = record.iter().find(|byte| !byte.is_ascii_whitespace())?;
    // Derived structs read arrays too; only objects have members.
    if *first != b'{' {
        return None;
    }
    let peek: Peek<'_> = serde_json::from_slice(record).ok()?;
    let name: Cow<'_, str> = read_string(peek.kind?.get())?;
    may_name_an_event(&name).then_some(name)
}

fn read_string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str::<String>(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

fn may_name_an_event(name: &str) -> bool {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(safe)
        && !name.starts_with(RESERVED_PREFIX)
        && !RESERVED.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(r#"{"type":"novel.created","data":{}}"#, Some("novel.created"))]
    #[case(r#"{"data":{"type":"inner"},"type":"outer"}"#, Some("outer"))]
    #[case(r#" {"type":"a\u0062"}"#, Some("ab"))]
    #[case(r#"{"data":{"type":"inner"}}"#, None)]
    #[case(r#"{"type":7}"#, None)]
    #[case(r#"{"type":"a b"}"#, None)]
    #[case(r#"{"type":"a\ndata: x"}"#, None)]
    #[case(r#"{"type":""}"#, None)]
    #[case(r#"{"type":"ping"}"#, None)]
    #[case(r#"{"type":"message"}"#, None)]
    #[case(r#"{"type":"tidegate.end"}"#, None)]
    #[case(r#"["type"]"#, None)]
    #[case(r#""type""#, None)]
    #[case("", None)]
    fn only_an_allowed_string_member_names_the_event(#[case] record: &str, #[case] expected: Option<&str>) {
        assert_eq!(event_name(record.as_bytes()).as_deref(), expected);
    }

    #[test]
    fn a_name_of_sixty_five_bytes_is_too_long() {
        let named = |n: usize| event_name(format!(r#"{{"type":"{}"}}"#, "x".repeat(n)).as_bytes()).is_some();
        assert!(named(64));
        assert!(!named(65));
    }
}
