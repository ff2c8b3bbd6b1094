//! The records of a turn's stream, and what they add up to.

use std::fmt::Write as _;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tidegate_types::ConversationId;

use super::model::{Ending, TurnFailure, TurnStatus};
use crate::answer::{Citation, Fault};

/// One record of a turn's stream (section 8 of the contract).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum TurnEvent {
    /// The first one.
    #[serde(rename = "start")]
    Start {
        /// The conversation.
        conversation_id: ConversationId,
        /// The turn's number, as text.
        turn_id: String,
        /// Where its stream is read.
        stream_url: String,
    },
    /// More text.
    #[serde(rename = "delta")]
    Delta {
        /// The text.
        text: String,
    },
    /// What the text before rests on.
    #[serde(rename = "citation")]
    Citation(Citation),
    /// The last one of an answer that is whole, or that was stopped.
    #[serde(rename = "done")]
    Done {
        /// The turn's number, as text.
        turn_id: String,
        /// SHA-256 of the whole text (UTF-8), in hexadecimal.
        text_sha256: String,
        /// Bytes of the whole text (UTF-8).
        length: usize,
        /// What the answer used.
        usage: Value,
        /// Whether somebody stopped it.
        #[serde(default, skip_serializing_if = "is_false")]
        stopped: bool,
    },
    /// The last one of an answer that failed.
    #[serde(rename = "turn.error")]
    Error {
        /// The turn's number, as text.
        turn_id: String,
        /// Stable, kebab-case.
        code: String,
        /// A sentence for people.
        detail: String,
        /// Whose fault it is.
        fault: Fault,
        /// SHA-256 of the text before (UTF-8), in hexadecimal.
        text_sha256: String,
        /// Bytes of the text before (UTF-8).
        length: usize,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl TurnEvent {
    pub(super) fn encode(&self) -> Result<Bytes, serde_json::Error> {
        serde_json::to_vec(self).map(Bytes::from)
    }

    pub(super) fn decode(data: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(data)
    }
}

/// What the records of a turn add up to.
#[derive(Clone, Debug, Default)]
pub(super) struct Projection {
    pub(super) answer: String,
    pub(super) citations: Vec<Citation>,
    pub(super) end: Option<(TurnStatus, Ending)>,
}

impl Projection {
    pub(super) fn add(&mut self, event: TurnEvent) {
        match event {
            TurnEvent::Start { .. } => {}
            TurnEvent::Delta { text } => self.answer.push_str(&text),
            TurnEvent::Citation(citation) => self.citations.push(citation),
            TurnEvent::Done { text_sha256, length, usage, stopped, .. } => {
                let status = if stopped { TurnStatus::Stopped } else { TurnStatus::Completed };
                let usage = Some(usage).filter(|usage| !usage.is_null());
                self.end = Some((status, Ending { text_sha256, length, usage, error: None }));
            }
            TurnEvent::Error { code, detail, fault, text_sha256, length, .. } => {
                let error = Some(TurnFailure { code, detail, fault });
                let ending = Ending { text_sha256, length, usage: None, error };
                self.end = Some((TurnStatus::Failed, ending));
            }
        }
    }
}

/// SHA-256 in hexadecimal.
pub(super) fn hex_sha256(text: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn records_look_as_the_contract_says() {
        let delta = TurnEvent::Delta { text: "é".into() };
        assert_eq!(&delta.encode().unwrap()[..], "{\"type\":\"delta\",\"text\":\"é\"}".as_bytes());
        let done = TurnEvent::Done {
            turn_id: "2".into(),
            text_sha256: hex_sha256(""),
            length: 0,
            usage: json!({}),
            stopped: false,
        };
        let value: Value = serde_json::from_slice(&done.encode().unwrap()).unwrap();
        assert_eq!(value["type"], "done");
        assert_eq!(value["text_sha256"], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert!(value.get("stopped").is_none());
        assert_eq!(TurnEvent::decode(&done.encode().unwrap()).unwrap(), done);
    }
}
