//! How records lie in a chunk.
//!
//! `version (1 byte) · CRC-32 (4 bytes, little endian) · { length (LEB128) · bytes }*`. The checksum
//! also covers the chunk's place, count and time, so that a chunk in the wrong place is noticed.

use bytes::{BufMut as _, Bytes, BytesMut};
use tidegate_types::{Offset, Timestamp};

use super::Chunk;

const VERSION: u8 = 1;
const HEADER: usize = 5;
const LENGTH_BYTES_MAX: usize = 5;

/// A chunk that is being filled.
#[derive(Debug)]
pub(crate) struct Encoder {
    first: Offset,
    at: Timestamp,
    records: u32,
    body: BytesMut,
}

impl Encoder {
    pub(crate) fn new(first: Offset, at: Timestamp) -> Self {
        let mut body = BytesMut::with_capacity(256);
        body.put_bytes(0, HEADER);
        Self { first, at, records: 0, body }
    }

    pub(crate) fn push(&mut self, record: &[u8]) {
        let mut length = record.len();
        self.body.reserve(LENGTH_BYTES_MAX + length);
        while length >= 0x80 {
            self.body.put_u8((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        self.body.put_u8((length & 0x7f) as u8);
        self.body.put_slice(record);
        self.records += 1;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Whether a record of this size should rather begin the next chunk.
    pub(crate) fn is_full_for(&self, record_bytes: usize, chunk_bytes: usize) -> bool {
        self.records > 0 && self.body.len().saturating_add(record_bytes) > chunk_bytes
    }

    pub(crate) fn finish(mut self) -> Chunk {
        let payload = self.body.get(HEADER..).unwrap_or_default();
        let crc = checksum(self.first, self.records, self.at, payload);
        if let Some(header) = self.body.get_mut(..HEADER) {
            let mut header = header;
            header.put_u8(VERSION);
            header.put_u32_le(crc);
        }
        Chunk { first: self.first, records: self.records, at: self.at, body: self.body.freeze() }
    }
}

/// The records of a chunk, as slices of its body.
///
/// # Errors
/// What does not fit.
pub(crate) fn decode(chunk: &Chunk) -> Result<Vec<Bytes>, &'static str> {
    let payload = checked_payload(chunk)?;
    let mut records = Vec::with_capacity(chunk.records as usize);
    let mut at = 0;
    while at < payload.len() {
        let length = read_length(&payload, &mut at)?;
        let end = at.checked_add(length).filter(|end| *end <= payload.len()).ok_or("a record is cut off")?;
        records.push(payload.slice(at..end));
        at = end;
    }
    if records.len() == chunk.records as usize { Ok(records) } else { Err("the number of records is wrong") }
}

fn checked_payload(chunk: &Chunk) -> Result<Bytes, &'static str> {
    let Some((header, payload)) = chunk.body.split_at_checked(HEADER) else {
        return Err("the chunk is cut off");
    };
    let Ok([version, a, b, c, d]) = <[u8; HEADER]>::try_from(header) else {
        return Err("the chunk is cut off");
    };
    if version != VERSION {
        return Err("the chunk's version is unknown");
    }
    if u32::from_le_bytes([a, b, c, d]) != checksum(chunk.first, chunk.records, chunk.at, payload) {
        return Err("the checksum is wrong");
    }
    Ok(chunk.body.slice(HEADER..))
}

fn read_length(payload: &[u8], at: &mut usize) -> Result<usize, &'static str> {
    let mut length = 0_usize;
    for shift in (0..LENGTH_BYTES_MAX).map(|n| 7 * n) {
        let byte = *payload.get(*at).ok_or("a length is cut off")?;
        *at += 1;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(length);
        }
    }
    Err("a length is too long")
}

fn checksum(first: Offset, records: u32, at: Timestamp, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&first.get().to_le_bytes());
    hasher.update(&records.to_le_bytes());
    hasher.update(&at.as_millis().to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(first: u64, at: i64, records: &[Vec<u8>]) -> Chunk {
        let mut encoder = Encoder::new(Offset::new(first).unwrap(), Timestamp::from_millis(at));
        records.iter().for_each(|record| encoder.push(record));
        encoder.finish()
    }

    fn any_records() -> impl Strategy<Value = Vec<Vec<u8>>> {
        proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..20)
    }

    proptest! {
        #[test]
        fn records_survive_the_codec(first in 0..=Offset::MAX.get(), at: i64, records in any_records()) {
            let decoded = decode(&encode(first, at, &records)).unwrap();
            prop_assert_eq!(decoded.iter().map(|r| r.to_vec()).collect::<Vec<_>>(), records);
        }

        #[test]
        fn one_flipped_bit_anywhere_is_noticed(records in any_records(), at: prop::sample::Index, bit in 0_u8..8) {
            let mut chunk = encode(7, 9, &records);
            let mut body = chunk.body.to_vec();
            let at = at.index(body.len());
            body[at] ^= 1_u8 << bit;
            chunk.body = Bytes::from(body);
            prop_assert!(decode(&chunk).is_err());
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(body in proptest::collection::vec(any::<u8>(), 0..100), records: u32) {
            let chunk = Chunk { first: Offset::START, records, at: Timestamp::from_millis(0), body: body.into() };
            let _ = decode(&chunk);
        }
    }

    #[test]
    fn a_chunk_in_the_wrong_place_is_noticed() {
        let chunk = encode(7, 9, &[b"a".to_vec()]);
        let elsewhere = Chunk { first: Offset::new(8).unwrap(), ..chunk.clone() };
        let at_another_time = Chunk { at: Timestamp::from_millis(10), ..chunk };
        assert!(decode(&elsewhere).is_err() && decode(&at_another_time).is_err());
    }
}
