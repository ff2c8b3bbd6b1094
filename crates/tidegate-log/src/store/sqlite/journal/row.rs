//! One row of the journal: what one group commit wrote about all of its streams.
//!
//! `2 · CRC-32 (4 bytes, little endian) · length of the rest (4 bytes) · time (8 bytes) · entries`, and whatever lies behind.
//! Version 1 has no length and nothing behind. The checksum also covers the row's number. An entry is a tag, the
//! stream and what it gained. Must not: know SQL.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use tidegate_types::{Offset, Timestamp};

use crate::StreamId;
use crate::store::{Chunk, ProducerState, varint};

const WHOLE: u8 = 1;
const PADDED: u8 = 2;
const HEADER: usize = 9;
/// Memory that an entry takes beside its bytes.
const ENTRY_OVERHEAD: usize = 192;
/// The smallest piece of memory that a chunk's body takes.
const BODY_MIN: usize = 256;

const CHUNK: u8 = 0;
const SEQ: u8 = 1;
const PRODUCER: u8 = 2;

/// What a stream gained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Chunk(StreamId, Chunk),
    Seq(StreamId, String),
    Producer(StreamId, String, ProducerState),
}

impl Entry {
    pub(super) const fn id(&self) -> StreamId {
        match self {
            Self::Chunk(id, _) | Self::Seq(id, _) | Self::Producer(id, ..) => *id,
        }
    }

    fn weight(&self) -> usize {
        ENTRY_OVERHEAD
            + match self {
                Self::Chunk(_, chunk) => chunk.body.len().max(BODY_MIN),
                Self::Seq(_, text) | Self::Producer(_, text, _) => text.len(),
            }
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) entries: Vec<Entry>,
}

impl Row {
    /// Memory that the row takes, about.
    pub(super) fn weight(&self) -> usize {
        self.entries.iter().map(Entry::weight).sum()
    }

    /// The row, without anything behind it.
    pub(super) fn encode(&self) -> BytesMut {
        let mut body = BytesMut::with_capacity(self.weight());
        body.put_bytes(0, HEADER);
        body.put_i64_le(self.at.as_millis());
        self.entries.iter().for_each(|entry| self.encode_entry(entry, &mut body));
        let rest = body.get(HEADER..).unwrap_or_default();
        let (crc, length) = (checksum(self.seq, rest), u32::try_from(rest.len()).unwrap_or(u32::MAX));
        if let Some(mut header) = body.get_mut(..HEADER) {
            header.put_u8(PADDED);
            header.put_u32_le(crc);
            header.put_u32_le(length);
        }
        body
    }

    fn encode_entry(&self, entry: &Entry, body: &mut BytesMut) {
        let (tag, id) = match entry {
            Entry::Chunk(id, _) => (CHUNK, id),
            Entry::Seq(id, _) => (SEQ, id),
            Entry::Producer(id, ..) => (PRODUCER, id),
        };
        body.put_u8(tag);
        varint::put_signed(body, id.get());
        match entry {
            Entry::Chunk(_, chunk) => {
                varint::put(body, chunk.first.get());
                varint::put(body, u64::from(chunk.records));
                varint::put_signed(body, chunk.at.as_millis().wrapping_sub(self.at.as_millis()));
                varint::put_bytes(body, &chunk.body);
            }
            Entry::Seq(_, last_seq) => varint::put_bytes(body, last_seq.as_bytes()),
            Entry::Producer(_, name, state) => {
                varint::put_bytes(body, name.as_bytes());
                varint::put(body, state.epoch);
                varint::put(body, state.last_seq);
            }
        }
    }

    /// # Errors
    /// What does not fit.
    pub(super) fn decode(seq: u64, mut body: Bytes) -> Result<Self, &'static str> {
        let cut_off = |_| "the row is cut off";
        let version = body.try_get_u8().map_err(cut_off)?;
        let crc = body.try_get_u32_le().map_err(cut_off)?;
        match version {
            WHOLE => {}
            PADDED => {
                let length = usize::try_from(body.try_get_u32_le().map_err(cut_off)?).unwrap_or(usize::MAX);
                if length > body.len() {
                    return Err("the row is cut off");
                }
                body.truncate(length);
            }
            _ => return Err("the row's version is unknown"),
        }
        if crc != checksum(seq, &body) {
            return Err("the checksum is wrong");
        }
        let at = Timestamp::from_millis(body.try_get_i64_le().map_err(cut_off)?);
        let mut entries = Vec::new();
        while !body.is_empty() {
            entries.push(decode_entry(at, &mut body)?);
        }
        Ok(Self { seq, at, entries })
    }
}

fn decode_entry(at: Timestamp, body: &mut Bytes) -> Result<Entry, &'static str> {
    let tag = body.try_get_u8().map_err(|_| "an entry is cut off")?;
    let id = StreamId::new(varint::take_signed(body)?);
    match tag {
        CHUNK => {
            let first = Offset::new(varint::take(body)?).ok_or("an offset is too large")?;
            let records = u32::try_from(varint::take(body)?).map_err(|_| "a number is too large")?;
            let at = at.as_millis().wrapping_add(varint::take_signed(body)?);
            let chunk =
                Chunk { first, records, at: Timestamp::from_millis(at), body: varint::take_bytes(body)? };
            Ok(Entry::Chunk(id, chunk))
        }
        SEQ => Ok(Entry::Seq(id, text(body)?)),
        PRODUCER => {
            let name = text(body)?;
            let state = ProducerState { epoch: varint::take(body)?, last_seq: varint::take(body)? };
            Ok(Entry::Producer(id, name, state))
        }
        _ => Err("an entry's kind is unknown"),
    }
}

fn text(body: &mut Bytes) -> Result<String, &'static str> {
    String::from_utf8(varint::take_bytes(body)?.into()).map_err(|_| "a text is no text")
}

fn checksum(seq: u64, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&seq.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_entry() -> impl Strategy<Value = Entry> {
        let id = any::<i64>().prop_map(StreamId::new);
        let body = proptest::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from);
        let chunk = (0..=Offset::MAX.get(), any::<u32>(), any::<i64>(), body).prop_map(
            |(first, records, at, body)| Chunk {
                first: Offset::new(first).unwrap(),
                records,
                at: Timestamp::from_millis(at),
                body,
            },
        );
        prop_oneof![
            (id.clone(), chunk).prop_map(|(id, chunk)| Entry::Chunk(id, chunk)),
            (id.clone(), ".{0,20}").prop_map(|(id, seq)| Entry::Seq(id, seq)),
            (id, ".{0,20}", any::<u64>(), any::<u64>()).prop_map(|(id, name, epoch, last_seq)| {
                Entry::Producer(id, name, ProducerState { epoch, last_seq })
            }),
        ]
    }

    fn any_row() -> impl Strategy<Value = Row> {
        (any::<u64>(), any::<i64>(), proptest::collection::vec(any_entry(), 0..9))
            .prop_map(|(seq, at, entries)| Row { seq, at: Timestamp::from_millis(at), entries })
    }

    proptest! {
        #[test]
        fn rows_survive_the_codec(row in any_row(), padding in 0..100_usize) {
            let mut body = row.encode();
            prop_assert_eq!(Row::decode(row.seq, body.clone().freeze()), Ok(row.clone()));
            body.resize(body.len() + padding, 0);
            prop_assert_eq!(Row::decode(row.seq, body.freeze()), Ok(row));
        }

        #[test]
        fn rows_of_the_first_version_are_read(row in any_row()) {
            let body = row.encode();
            let mut old = BytesMut::from(&[WHOLE][..]);
            old.extend_from_slice(&body[1..5]);
            old.extend_from_slice(&body[HEADER..]);
            prop_assert_eq!(Row::decode(row.seq, old.freeze()), Ok(row));
        }

        #[test]
        fn one_flipped_bit_or_another_number_is_noticed(
            row in any_row(), at: prop::sample::Index, bit in 0_u8..8,
        ) {
            let mut body = row.encode().to_vec();
            prop_assert!(Row::decode(row.seq.wrapping_add(1), body.clone().into()).is_err());
            let at = at.index(body.len());
            body[at] ^= 1_u8 << bit;
            prop_assert!(Row::decode(row.seq, body.into()).is_err());
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(payload in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut body = BytesMut::new();
            body.put_u8(WHOLE);
            body.put_u32_le(checksum(7, &payload));
            body.put_slice(&payload);
            let _ = Row::decode(7, body.clone().freeze());
            body[0] = PADDED;
            let _ = Row::decode(7, body.freeze());
        }
    }
}
