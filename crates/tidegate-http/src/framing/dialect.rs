//! Progress in the words of front ends that existed before.
//!
//! Owns: what a generation's status, progress and end are called there, in records and in events.
//! Must not: change what is stored. A record that is not shaped like progress goes out as it is.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use tidegate_generations::{Entry, Status};
use tidegate_types::UserId;

/// Whatever needs no cancelling of its own says this when it was cancelled.
const CANCELLED: &str = "cancelled";

#[derive(Serialize)]
struct MasterModeEvent<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    user_id: UserId,
    current_step: Option<&'a str>,
}

/// An event for "master mode": whose it is, its step by that name, 0 to 100, never `pending`.
pub(crate) fn as_master_mode(record: &Bytes, owner: UserId) -> Bytes {
    let Ok(mut entry) = Entry::decode(record) else { return record.clone() };
    entry.status = master_mode_status(entry.status);
    entry.progress = percent(entry.progress);
    let event = MasterModeEvent { current_step: entry.message.as_deref(), user_id: owner, entry: &entry };
    serde_json::to_vec(&event).map_or_else(|_| record.clone(), Bytes::from)
}

/// An event for "code generation", which stops on `completed` and `failed` only.
pub(crate) fn as_codegen(record: &Bytes) -> Bytes {
    let Ok(mut entry) = Entry::decode(record) else { return record.clone() };
    let status = codegen_status(entry.status);
    if status == entry.status {
        return record.clone();
    }
    if entry.status == Status::Cancelled {
        entry.rest.insert("error".to_owned(), cancelled_error(entry.message.as_deref()));
    }
    entry.status = status;
    entry.encode().unwrap_or_else(|_| record.clone())
}

/// What "master mode" calls a status.
pub(crate) const fn master_mode_status(status: Status) -> Status {
    match status {
        Status::Pending => Status::Processing,
        other => other,
    }
}

/// What "code generation" calls a status.
pub(crate) const fn codegen_status(status: Status) -> Status {
    match status {
        Status::Cancelling => Status::Processing,
        Status::Cancelled => Status::Failed,
        other => other,
    }
}

/// The error of something that was cancelled, for those who know failures only.
pub(crate) fn cancelled_error(message: Option<&str>) -> Value {
    json!({ "code": CANCELLED, "message": message.unwrap_or("Cancelled") })
}

/// 0 to 100, to two places: 0.29 is 29, not 28.999…
pub(crate) fn percent(progress: f64) -> f64 {
    (progress * 10_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use tidegate_types::{OsEntropy, Timestamp};

    fn record(status: &str, progress: f64) -> Bytes {
        json!({
            "generation_id": "g", "status": status, "stage": "s", "progress": progress, "message": "Drawing",
            "timestamp": 1_763_690_000.123, "attempt": 1, "steps": [1, {"a": null}],
        })
        .to_string()
        .into()
    }

    #[rstest]
    #[case("pending", 0.0, "processing", 0.0)]
    #[case("processing", 0.29, "processing", 29.0)]
    #[case("cancelled", 0.333_333, "cancelled", 33.33)]
    #[case("completed", 1.0, "completed", 100.0)]
    fn master_mode_reads_its_own_words(
        #[case] status: &str,
        #[case] progress: f64,
        #[case] read: &str,
        #[case] percent: f64,
    ) {
        let owner = UserId::generate(Timestamp::from_millis(0), &OsEntropy);
        let event: Value = serde_json::from_slice(&as_master_mode(&record(status, progress), owner)).unwrap();
        assert_eq!((event["status"].as_str(), event["progress"].as_f64()), (Some(read), Some(percent)));
        assert_eq!(event["current_step"], "Drawing");
        assert_eq!(event["user_id"], owner.to_string());
        assert_eq!(event["steps"], json!([1, {"a": null}]), "extras are kept");
    }

    #[rstest]
    #[case("cancelling", "processing", None)]
    #[case("cancelled", "failed", Some("cancelled"))]
    #[case("failed", "failed", None)]
    #[case("processing", "processing", None)]
    fn code_generation_reads_a_cancelled_one_as_failed(
        #[case] status: &str,
        #[case] read: &str,
        #[case] code: Option<&str>,
    ) {
        let event: Value = serde_json::from_slice(&as_codegen(&record(status, 0.5))).unwrap();
        assert_eq!((event["status"].as_str(), event["error"]["code"].as_str()), (Some(read), code));
        assert_eq!(event["progress"], 0.5);
    }

    #[test]
    fn what_is_not_progress_goes_out_as_it_is() {
        let other = Bytes::from_static(b"[1, 2]");
        let owner = UserId::generate(Timestamp::from_millis(0), &OsEntropy);
        assert_eq!(as_master_mode(&other, owner), other);
        assert_eq!(as_codegen(&other), other);
    }
}
