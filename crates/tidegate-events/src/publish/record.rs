//! The bytes of one event in a feed.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use tidegate_types::Timestamp;

use crate::{EventType, EventsError};

#[derive(Serialize)]
struct FeedRecord<'a> {
    r#type: &'a EventType,
    data: &'a RawValue,
    timestamp: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

/// `{"type":…,"data":…,"timestamp":…}`, plus `id` if the publisher gave one.
pub(crate) fn encode(
    event_type: &EventType,
    data: &RawValue,
    id: Option<&str>,
    now: Timestamp,
) -> Result<Bytes, EventsError> {
    let record = FeedRecord { r#type: event_type, data, timestamp: now.as_secs_f64(), id };
    serde_json::to_vec(&record).map(Bytes::from).map_err(|error| EventsError::internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_as_the_contract_says() {
        let data = RawValue::from_string(r#"{"title":"x"}"#.to_owned()).unwrap();
        let name: EventType = "novel.created".parse().unwrap();
        let at = Timestamp::from_millis(1_763_690_000_123);
        assert_eq!(
            encode(&name, &data, None, at).unwrap(),
            r#"{"type":"novel.created","data":{"title":"x"},"timestamp":1763690000.123}"#
        );
        assert_eq!(
            encode(&name, &data, Some("e-1"), at).unwrap(),
            r#"{"type":"novel.created","data":{"title":"x"},"timestamp":1763690000.123,"id":"e-1"}"#
        );
    }
}
