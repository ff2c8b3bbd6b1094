//! Memory of connections that are over, for those that come.
//!
//! Owns: that opening a live stream asks the allocator for nothing large: what reads its request and writes
//! its head goes on to the next connection.
//! Must not: keep more than a few, or what one connection made large.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use bytes::BytesMut;
use http::HeaderMap;

const KEPT: usize = 64;
const WRITTEN_BYTES_MAX: usize = 16 * 1_024;
const HEADERS_MAX: usize = 64;

/// What waits for the next connection.
#[derive(Debug, Default)]
pub(super) struct Spares(Mutex<Vec<Spare>>);

/// What a connection reads and writes with.
#[derive(Debug, Default)]
pub(super) struct Spare {
    pub(super) buffer: BytesMut,
    pub(super) written: Vec<u8>,
    /// The memory of an answer's headers, for the next request's.
    pub(super) headers: HeaderMap,
}

/// One of them, given back when it is dropped.
pub(super) struct Lent<'s> {
    spare: Spare,
    home: &'s Spares,
}

impl Spares {
    pub(super) fn lend(&self) -> Lent<'_> {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        Lent { spare, home: self }
    }
}

impl Spare {
    /// Without anything in it; nothing is left of what is still in use elsewhere, or large.
    fn emptied(mut self, read_bytes: usize) -> Self {
        self.buffer.clear();
        if !self.buffer.try_reclaim(read_bytes) {
            self.buffer = BytesMut::new();
        }
        self.written.clear();
        if self.written.capacity() > WRITTEN_BYTES_MAX {
            self.written = Vec::new();
        }
        self.headers.clear();
        if self.headers.capacity() > HEADERS_MAX {
            self.headers = HeaderMap::new();
        }
        self
    }
}

impl Deref for Lent<'_> {
    type Target = Spare;

    fn deref(&self) -> &Spare {
        &self.spare
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut Spare {
        &mut self.spare
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let spare = std::mem::take(&mut self.spare).emptied(super::direct::READ_BYTES);
        let mut kept = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(spare);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http::header::HOST;

    #[test]
    fn what_one_connection_leaves_is_the_next_ones_without_a_trace() {
        let spares = Spares::default();
        let mut lent = spares.lend();
        lent.buffer.extend_from_slice(&[b'x'; 9_000]);
        lent.written.extend_from_slice(b"secret");
        lent.headers.insert(HOST, HeaderValue::from_static("h"));
        let at = lent.buffer.as_ptr();
        drop(lent);
        let next = spares.lend();
        assert!(next.buffer.is_empty() && next.written.is_empty() && next.headers.is_empty());
        assert!(next.buffer.capacity() >= 9_000 && next.written.capacity() >= 6);
        assert_eq!(next.buffer.as_ptr(), at);
        assert!(spares.0.lock().unwrap().is_empty(), "one connection has it");
    }

    #[test]
    fn what_is_still_read_from_or_large_is_not_given_on() {
        let spares = Spares::default();
        let mut lent = spares.lend();
        lent.buffer.extend_from_slice(b"request");
        let request = lent.buffer.split().freeze();
        lent.written = vec![0; WRITTEN_BYTES_MAX + 1];
        drop(lent);
        let mut next = spares.lend();
        assert!(next.written.capacity() == 0);
        next.buffer.extend_from_slice(b"another");
        assert_eq!(request, "request");
        let many: Vec<_> = (0..KEPT + 5).map(|_| spares.lend()).collect();
        drop(many);
        assert_eq!(spares.0.lock().unwrap().len(), KEPT);
    }
}
