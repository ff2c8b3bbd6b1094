//! The gate's connection and the metrics' count in the hands of a tail.
//!
//! Owns: that both are told the same end, once.
//! Must not: decide when; dropping it without a reason means that the client left.

use std::task::{Context, Poll};

use tidegate_gate::{Connection, EndReason};
use tidegate_types::Offset;

use super::Counted;

/// A connection that serves its stream.
#[derive(Debug)]
pub(crate) struct Held {
    connection: Option<Connection>,
    counted: Counted,
}

impl Held {
    pub(super) fn new(connection: Connection, counted: Counted) -> Self {
        Self { connection: Some(connection), counted }
    }

    /// Notes whether bytes wait because the other end does not take them.
    pub(crate) fn progressed(&self, bytes_unacked: bool) {
        if let Some(connection) = &self.connection {
            connection.progressed(bytes_unacked);
        }
    }

    /// Notes where reading began and how far it came.
    pub(crate) fn note_offsets(&self, first: Offset, last: Offset) {
        if let Some(connection) = &self.connection {
            connection.note_offsets(first, last);
        }
    }

    /// Ready when the gate wants the connection to end.
    pub(crate) fn poll_ended(&self, context: &Context<'_>) -> Poll<EndReason> {
        self.connection.as_ref().map_or(Poll::Pending, |connection| connection.poll_ended(context))
    }

    /// Resolves when the gate wants the connection to end. Cancel-safe.
    pub(crate) async fn ended(&self) -> EndReason {
        std::future::poll_fn(|context| self.poll_ended(context)).await
    }

    /// Says how it ended; only the first reason counts.
    pub(crate) fn finish(&mut self, reason: EndReason) {
        if let Some(connection) = self.connection.take() {
            self.counted.ends(reason);
            connection.finish(reason);
        }
    }
}
