//! Making, showing, changing and deleting subscriptions.

mod create;
mod lookup;
mod matching;
mod streams;

use tidegate_types::{Offset, StreamPath};

use crate::Subscription;

/// A subscription with its streams as they are now.
#[derive(Clone, Debug)]
pub struct View {
    /// The subscription.
    pub subscription: Subscription,
    /// Its streams, by path.
    pub streams: Vec<ViewedStream>,
}

/// One stream of a subscription, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewedStream {
    /// Where it lives.
    pub path: StreamPath,
    /// `explicit` or `glob`.
    pub kind: &'static str,
    /// Everything up to here was worked on.
    pub acked: Offset,
    /// Its end.
    pub tail: Offset,
    /// Whether there is something between the two that its owner may read.
    pub pending: bool,
}

impl ViewedStream {
    /// As workers and webhooks are told of it.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "path": self.path.as_str(),
            "link_type": self.kind,
            "acked_offset": self.acked.to_string(),
            "tail_offset": self.tail.to_string(),
            "has_pending": self.pending,
        })
    }
}

/// The answer to a creation.
#[derive(Clone, Debug)]
pub struct Confirmed {
    /// The subscription.
    pub view: View,
    /// Whether it was made now; else it was there, as asked for.
    pub created: bool,
}
