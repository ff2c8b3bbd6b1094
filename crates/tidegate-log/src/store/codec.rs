//! How records lie in a chunk.
//!
//! Version 1, what one commit wrote: `1 · CRC-32 (4 bytes, little endian) · records`, where records are
//! `{ length · bytes }*`. Version 2, chunks that were joined: `2 · CRC-32 · { time after the one
//! before · number of records · length · records }*`. Numbers are `varint`s. The checksum also covers the chunk's
//! place, count and time, so that a chunk in the wrong place is noticed.

use bytes::{BufMut as _, Bytes, BytesMut};
use tidegate_types::{Offset, Timestamp};

use super::{Chunk, varint};

const ONE_COMMIT: u8 = 1;
const JOINED: u8 = 2;
const HEADER: usize = 5;
/// Bytes of a chunk's place, count and time in its checksum.
const PLACE: usize = 20;

/// A chunk that is being filled.
#[derive(Debug)]
pub(crate) struct Encoder {
    first: Offset,
    at: Timestamp,
    records: u32,
    body: BytesMut,
}

impl Encoder {
    /// `record_bytes`: of the first record, which is often the only one: its memory then fits.
    pub(crate) fn new(first: Offset, at: Timestamp, record_bytes: usize) -> Self {
        let mut body = BytesMut::with_capacity(HEADER + varint::len(record_bytes as u64) + record_bytes);
        body.put_bytes(0, HEADER);
        Self { first, at, records: 0, body }
    }

    pub(crate) fn push(&mut self, record: &[u8]) {
        varint::put_bytes(&mut self.body, record);
        self.records += 1;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Whether a record of this size should rather begin the next chunk.
    pub(crate) fn is_full_for(&self, record_bytes: usize, chunk_bytes: usize) -> bool {
        self.records > 0 && self.body.len().saturating_add(record_bytes) > chunk_bytes
    }

    pub(crate) fn finish(self) -> Chunk {
        seal(ONE_COMMIT, self)
    }
}

/// Chunks of one stream that are being joined.
#[derive(Debug)]
pub(crate) struct Joiner {
    into: Encoder,
    /// The time of the last commit that was joined.
    last: i64,
}

impl Joiner {
    /// Begins with a chunk.
    ///
    /// # Errors
    /// What does not fit in it.
    pub(crate) fn begin(chunk: &Chunk) -> Result<Self, &'static str> {
        let mut joiner = Self { into: Encoder::new(chunk.first, chunk.at, chunk.body.len()), last: 0 };
        joiner.push(chunk)?;
        Ok(joiner)
    }

    /// Joins the chunk that follows.
    ///
    /// # Errors
    /// What does not fit in it; nothing was joined.
    pub(crate) fn push(&mut self, chunk: &Chunk) -> Result<(), &'static str> {
        match checked_payload(chunk)? {
            (ONE_COMMIT, payload) => self.push_run(chunk.at, chunk.records, &payload),
            (_, payload) => {
                for Run { at, records, payload } in joined_runs(payload)? {
                    self.push_run(at, records, &payload);
                }
            }
        }
        self.into.at = self.into.at.max(chunk.at);
        Ok(())
    }

    fn push_run(&mut self, at: Timestamp, records: u32, payload: &[u8]) {
        let Self { into, last } = self;
        let before = std::mem::replace(last, at.as_millis());
        varint::put_signed(&mut into.body, last.wrapping_sub(before));
        varint::put(&mut into.body, u64::from(records));
        varint::put_bytes(&mut into.body, payload);
        into.records += records;
    }

    /// Whether a chunk with a body of this size should rather begin the next one.
    pub(crate) fn is_full_for(&self, body_bytes: usize, chunk_bytes: usize) -> bool {
        self.into.is_full_for(body_bytes, chunk_bytes)
    }

    pub(crate) fn finish(self) -> Chunk {
        seal(JOINED, self.into)
    }
}

fn seal(version: u8, encoder: Encoder) -> Chunk {
    let Encoder { first, at, records, mut body } = encoder;
    let crc = checksum(first, records, at, body.get(HEADER..).unwrap_or_default());
    if let Some(mut header) = body.get_mut(..HEADER) {
        header.put_u8(version);
        header.put_u32_le(crc);
    }
    Chunk { first, records, at, body: body.freeze() }
}

/// The records of a chunk, as slices of its body, each with the time of its commit.
///
/// # Errors
/// What does not fit.
pub(crate) fn decode(chunk: &Chunk) -> Result<Vec<(Timestamp, Bytes)>, &'static str> {
    let runs = runs(chunk)?;
    let mut records = Vec::with_capacity((chunk.records as usize).min(chunk.body.len()));
    for mut run in runs {
        let before = records.len();
        while !run.payload.is_empty() {
            records.push((run.at, varint::take_bytes(&mut run.payload)?));
        }
        if records.len() - before != run.records as usize {
            return Err("the number of records is wrong");
        }
    }
    if records.len() == chunk.records as usize { Ok(records) } else { Err("the number of records is wrong") }
}

/// Records of one commit.
struct Run {
    at: Timestamp,
    records: u32,
    payload: Bytes,
}

fn runs(chunk: &Chunk) -> Result<Vec<Run>, &'static str> {
    match checked_payload(chunk)? {
        (ONE_COMMIT, payload) => Ok(vec![Run { at: chunk.at, records: chunk.records, payload }]),
        (_, payload) => joined_runs(payload),
    }
}

fn joined_runs(mut payload: Bytes) -> Result<Vec<Run>, &'static str> {
    let (mut runs, mut at) = (Vec::new(), 0_i64);
    while !payload.is_empty() {
        at = at.wrapping_add(varint::take_signed(&mut payload)?);
        let records =
            u32::try_from(varint::take(&mut payload)?).map_err(|_| "the number of records is wrong")?;
        let payload = varint::take_bytes(&mut payload)?;
        runs.push(Run { at: Timestamp::from_millis(at), records, payload });
    }
    Ok(runs)
}

fn checked_payload(chunk: &Chunk) -> Result<(u8, Bytes), &'static str> {
    let Some((header, payload)) = chunk.body.split_at_checked(HEADER) else {
        return Err("the chunk is cut off");
    };
    let Ok([version, a, b, c, d]) = <[u8; HEADER]>::try_from(header) else {
        return Err("the chunk is cut off");
    };
    if !matches!(version, ONE_COMMIT | JOINED) {
        return Err("the chunk's version is unknown");
    }
    if u32::from_le_bytes([a, b, c, d]) != checksum(chunk.first, chunk.records, chunk.at, payload) {
        return Err("the checksum is wrong");
    }
    Ok((version, chunk.body.slice(HEADER..)))
}

fn checksum(first: Offset, records: u32, at: Timestamp, payload: &[u8]) -> u32 {
    // The place goes in as one piece: of small ones each costs as much.
    let mut place = [0; PLACE];
    {
        let mut place = &mut place[..];
        place.put_u64_le(first.get());
        place.put_u32_le(records);
        place.put_i64_le(at.as_millis());
    }
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&place);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(first: u64, at: i64, records: &[Vec<u8>]) -> Chunk {
        let mut encoder = Encoder::new(Offset::new(first).unwrap(), Timestamp::from_millis(at), 0);
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
            prop_assert_eq!(decoded.iter().map(|(_, r)| r.to_vec()).collect::<Vec<_>>(), records);
        }

        #[test]
        fn joined_chunks_have_the_same_records_at_the_same_times(
            first in 0..1_000_u64,
            commits in proptest::collection::vec((-5_000..5_000_i64, any_records()), 1..8),
        ) {
            let (mut next, mut expected, mut joiner) = (first, Vec::new(), None::<Joiner>);
            for (at, records) in &commits {
                let chunk = encode(next, *at, records);
                next += u64::from(chunk.records);
                expected.extend(decode(&chunk).unwrap());
                joiner = Some(match joiner {
                    None => Joiner::begin(&chunk).unwrap(),
                    Some(mut joiner) => {
                        joiner.push(&chunk).unwrap();
                        joiner
                    }
                });
            }
            let joined = joiner.unwrap().finish();
            prop_assert_eq!(decode(&joined).unwrap(), expected.clone());
            let again = Joiner::begin(&joined).unwrap().finish();
            prop_assert_eq!(decode(&again).unwrap(), expected);
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
