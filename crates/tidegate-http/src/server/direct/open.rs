//! A live stream that was opened without hyper: the head of its answer, its first bytes, and the
//! socket on its way to a shard.
//!
//! Owns: the head as hyper would write it: the answer's headers, chunks, the date.
//! Must not: decide anything about the stream; the handler has answered.

use axum::body::Body;
use bytes::Bytes;
use http::Response;
use http::header::{CONNECTION, DATE, TRANSFER_ENCODING};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

use super::super::depart::says_close;
use super::{Departing, Departures, Direct, Onward, put, put_head};
use crate::framing::{push_end, push_size};
use crate::tail::Tail;

/// Room for a head and a first record at once, instead of growing step by step.
const HEAD_BYTES: usize = 2 * 1_024;

impl<S: AsyncRead + AsyncWrite + Unpin> Direct<'_, S> {
    /// Writes the head with the tail's hello and lets the socket go; nothing when the client is gone.
    pub(super) async fn depart(
        mut self,
        response: Response<Body>,
        mut tail: Box<Tail>,
        departures: &Departures,
    ) -> Option<Onward<S>> {
        // From here on the socket may stall as long as a live stream may.
        let _mode = self.progress.tail_mode();
        let (head, body) = response.into_parts();
        drop(body);
        let is_last = self.client.settings.shutdown.is_cancelled();
        let date = self.date();
        let out = &mut self.spare.written;
        out.clear();
        out.reserve(HEAD_BYTES);
        put_head(out, head.status, &head.headers);
        put(out, TRANSFER_ENCODING.as_str(), b"chunked");
        if is_last && !head.headers.contains_key(CONNECTION) {
            put(out, CONNECTION.as_str(), b"close");
        }
        put(out, DATE.as_str(), date.as_bytes());
        out.extend_from_slice(b"\r\n");
        push_size(out, tail.hello.len());
        out.extend_from_slice(&tail.hello);
        push_end(out);
        // What is at hand goes out with the head: a write of its own costs more than all of it.
        if let Some(batch) = tail.take_ahead(self.client.entry.now()) {
            out.extend_from_slice(batch.bytes_for(&tail.writer, &mut Vec::new()));
            self.client.entry.count_delivered(batch.records);
        }
        self.io.write_all(&self.spare.written).await.ok()?;
        let keep_alive = !is_last && !says_close(&head.headers);
        self.spare.headers = head.headers;
        departures.put(Departing { tail, keep_alive });
        let read = if self.read.is_empty() { Bytes::new() } else { self.read };
        Some(Onward::ToShard(self.io.returned(read)))
    }
}
