//! What must hold for any record, seen through an independent reader.

use proptest::prelude::*;
use tidegate_types::{Offset, OsEntropy, ResumeTag, StreamPath, Timestamp};

use super::parser::read;
use super::*;

/// Text as a reader of events gets it back: every kind of line end is one line feed.
fn as_read(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r".to_owned()),
        Just("\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("\n\n".to_owned()),
        Just("data: x".to_owned()),
        Just("event: tidegate.end\n".to_owned()),
        Just("id: 9\r".to_owned()),
        Just("retry: 0\n".to_owned()),
        Just(" ".to_owned()),
        Just(":".to_owned()),
        Just("\u{feff}\0\u{2028}".to_owned()),
        ".{0,12}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_one_event_with_its_text_intact(text in hostile_text()) {
        let frame = encode_record(Offset::new(7).unwrap(), text.as_bytes(), Payload::Text);
        let (events, retry) = read(&frame);
        prop_assert_eq!(retry, None);
        prop_assert_eq!(events.len(), 1);
        prop_assert_eq!(&events[0].data, &as_read(&text));
        prop_assert_eq!(&events[0].name, "");
        prop_assert_eq!(&events[0].last_id, "0000000000000007");
    }

    #[test]
    fn any_json_record_is_one_event_with_its_value_intact(text in hostile_text(), kind in hostile_text()) {
        let value = serde_json::json!({ "type": kind, "text": text });
        let record = serde_json::to_vec_pretty(&value).unwrap();
        let (events, _) = read(&encode_record(Offset::START, &record, Payload::Json));
        prop_assert_eq!(events.len(), 1);
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&events[0].data).unwrap(), value);
        prop_assert!(events[0].name.is_empty() || events[0].name == kind);
    }

    #[test]
    fn any_bytes_survive_base64(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        use base64::Engine as _;
        let (events, _) = read(&encode_record(Offset::START, &bytes, Payload::Base64));
        prop_assert_eq!(events.len(), 1);
        prop_assert_eq!(base64::engine::general_purpose::STANDARD.decode(&events[0].data).unwrap(), bytes);
    }

    #[test]
    fn random_bytes_never_become_a_second_event(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for payload in [Payload::Json, Payload::Text] {
            prop_assert_eq!(read(&encode_record(Offset::START, &bytes, payload)).0.len(), 1);
            prop_assert_eq!(read(&encode_data(&bytes, payload)).0.len(), 1);
        }
    }

    #[test]
    fn a_batch_of_the_protocol_is_one_event_that_holds_all_records(texts in prop::collection::vec(hostile_text(), 1..6)) {
        let records: Vec<Vec<u8>> = texts.iter().map(|t| serde_json::to_vec(t).unwrap()).collect();
        let (events, _) = read(&encode_batch(records.iter().map(Vec::as_slice), Payload::Json));
        prop_assert_eq!(events.len(), 1);
        prop_assert_eq!(&events[0].name, "data");
        prop_assert_eq!(serde_json::from_str::<Vec<String>>(&events[0].data).unwrap(), texts);
    }

    #[test]
    fn the_protocols_text_events_hold_the_text(text in hostile_text()) {
        let (events, _) = read(&encode_data(text.as_bytes(), Payload::Text));
        prop_assert_eq!(events.len(), 1);
        prop_assert_eq!(&events[0].data, &as_read(&text));
    }
}

#[test]
fn a_ticket_connection_shares_the_body_behind_its_own_id_line() {
    let tag = ResumeTag::generate(&OsEntropy);
    let at = Offset::new(42).unwrap();
    let record = encode_record(at, br#"{"type":"delta","text":"x"}"#, Payload::Json);
    let mut own = id_line(at, Some(&tag)).to_vec();
    own.extend_from_slice(&without_id(&record));
    let (events, _) = read(&own);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].name, "delta");
    assert_eq!(events[0].last_id, format!("0000000000000042.{}", tag.reveal()));
}

#[test]
fn control_events_carry_data_and_only_hello_an_id() {
    let path: StreamPath = "generations/a".parse().unwrap();
    let hello = Hello { stream: &path, up_to_date: false, ping_seconds: 15 };
    let (events, retry) = read(&encode_hello(&hello, Offset::new(41).unwrap(), None, 2_317));
    assert_eq!(retry, Some(2_317));
    assert_eq!(events[0].name, "tidegate.hello");
    assert_eq!(events[0].last_id, "0000000000000041");
    assert_eq!(events[0].data, r#"{"stream":"generations/a","up_to_date":false,"ping_seconds":15}"#);

    let now = Timestamp::from_millis(1_763_690_015_000);
    let others = [
        (encode_ping(now), "ping", r#"{"timestamp":1763690015.0}"#),
        (encode_end("eof", None), "tidegate.end", r#"{"reason":"eof"}"#),
        (
            encode_gap(Offset::START, Offset::new(3).unwrap(), "trimmed"),
            "tidegate.gap",
            r#"{"from":"0000000000000000","to":"0000000000000003","reason":"trimmed"}"#,
        ),
    ];
    for (frame, name, data) in others {
        let (events, _) = read(&frame);
        assert_eq!((events[0].name.as_str(), events[0].data.as_str()), (name, data));
        assert_eq!(events[0].last_id, "", "{name} must not move the reader's id");
    }
}

#[test]
fn a_control_event_of_the_protocol_leaves_the_cursor_out_at_the_end() {
    let open = Control { stream_cursor: Some(17), up_to_date: true, ..Control::default() };
    let text = encode_control(&open);
    assert_eq!(
        &text[..],
        b"event: control\ndata:{\"streamNextOffset\":\"0000000000000000\",\"streamCursor\":\"17\",\"upToDate\":true}\n\n"
    );
    let closed = encode_control(&Control { stream_closed: true, ..Control::default() });
    assert_eq!(read(&closed).0[0].data, r#"{"streamNextOffset":"0000000000000000","streamClosed":true}"#);
}

#[test]
fn media_types_decide_the_payload_whatever_their_case_and_parameters() {
    assert_eq!(Payload::of("Application/JSON; charset=utf-8"), Payload::Json);
    assert_eq!(Payload::of("TEXT/plain"), Payload::Text);
    assert_eq!(Payload::of("application/ndjson"), Payload::Base64);
    assert_eq!(Payload::of(""), Payload::Base64);
}
