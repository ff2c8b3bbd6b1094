//! One stream of the bare loop: the frames of its records, end to end, and who reads them.

use super::connection::Connection;
use super::request::Begin;

/// Frames are forgotten past this, once every reader has them.
const KEPT_BYTES: usize = 8 << 20;

#[derive(Default)]
pub(super) struct Log {
    /// Position of the first byte that is kept.
    base: u64,
    bytes: Vec<u8>,
    /// Number of the first record that is kept.
    first: u64,
    /// Where each kept record ends.
    ends: Vec<u64>,
    readers: Vec<usize>,
}

impl Log {
    /// Builds the frame of a record, chunk header included: the only time that it is built.
    pub(super) fn append(&mut self, record: &[u8]) {
        let number = self.first + self.ends.len() as u64;
        let head = format!("id: {number}\ndata: ");
        let size = head.len() + record.len() + 2;
        self.bytes.extend_from_slice(format!("{size:x}\r\n{head}").as_bytes());
        self.bytes.extend_from_slice(record);
        self.bytes.extend_from_slice(b"\n\n\r\n");
        self.ends.push(self.end());
    }

    pub(super) fn position(&self, from: Begin) -> u64 {
        match from {
            Begin::Start => self.base,
            Begin::End => self.end(),
            Begin::After(number) => usize::try_from(number.saturating_sub(self.first))
                .ok()
                .and_then(|at| self.ends.get(at).copied())
                .unwrap_or(self.base),
        }
    }

    /// What lies after a position.
    pub(super) fn after(&self, position: u64) -> &[u8] {
        let at = usize::try_from(position.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.bytes.get(at..).unwrap_or_default()
    }

    pub(super) fn reader(&self, slot: usize) -> Option<usize> {
        self.readers.get(slot).copied()
    }

    pub(super) fn enter(&mut self, place: usize) -> usize {
        self.readers.push(place);
        self.readers.len() - 1
    }

    /// Frees a slot; the reader that takes it over, if there is one.
    pub(super) fn leave(&mut self, slot: usize) -> Option<usize> {
        if slot < self.readers.len() {
            self.readers.swap_remove(slot);
        }
        self.reader(slot)
    }

    pub(super) fn trim(&mut self, connections: &[Option<Connection>]) {
        let end = self.end();
        let behind = |place: &usize| {
            connections.get(*place).and_then(Option::as_ref).is_some_and(|reader| reader.cursor() < end)
        };
        if self.bytes.len() < KEPT_BYTES || self.readers.iter().any(behind) {
            return;
        }
        self.base = end;
        self.first += self.ends.len() as u64;
        self.bytes.clear();
        self.ends.clear();
    }

    fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }
}
