//! The gate's connection in the hands of a tail.
//!
//! Owns: the reason of an end that no step of the tail sees: a reader who took nothing for too long
//! is cut by its socket, and the tail is dropped.

use tidegate_gate::{Connection, EndReason};
use tidegate_types::Offset;

use crate::server::SocketProgress;

/// A connection that knows its socket.
#[derive(Debug)]
pub(super) struct Held {
    connection: Option<Connection>,
    socket: SocketProgress,
}

impl Held {
    pub(super) fn new(connection: Connection, socket: SocketProgress) -> Self {
        Self { connection: Some(connection), socket }
    }

    pub(super) fn progressed(&self, bytes_unacked: bool) {
        if let Some(connection) = &self.connection {
            connection.progressed(bytes_unacked);
        }
    }

    pub(super) fn note_offsets(&self, first: Offset, last: Offset) {
        if let Some(connection) = &self.connection {
            connection.note_offsets(first, last);
        }
    }

    pub(super) fn finish(&mut self, reason: EndReason) {
        if let Some(connection) = self.connection.take() {
            connection.finish(reason);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.socket.is_write_blocked() {
            self.finish(EndReason::Slow);
        }
    }
}
