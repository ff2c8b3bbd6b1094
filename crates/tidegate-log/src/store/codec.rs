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

/// Bytes of a chunk of these records.
pub(crate) fn chunk_bytes(records: &[Bytes]) -> usize {
    let bytes = |record: &Bytes| varint::len(record.len() as u64) + record.len();
    records.iter().map(bytes).fold(HEADER, usize::saturating_add)
}

/// The chunk of records that one commit writes, in the memory that is free in `room`: many small chunks may share it.
pub(crate) fn encode(room: &mut BytesMut, first: Offset, at: Timestamp, records: &[Bytes]) -> Chunk {
    room.put_bytes(0, HEADER);
    records.iter().for_each(|record| varint::put_bytes(room, record));
    let records = u32::try_from(records.len()).unwrap_or(u32::MAX);
    seal(ONE_COMMIT, Place { first, records, at }, room.split())
}

/// What the checksum covers beside the records.
#[derive(Clone, Copy, Debug)]
struct Place {
    first: Offset,
    records: u32,
    at: Timestamp,
}

/// Chunks of one stream that are being joined.
#[derive(Debug)]
pub(crate) struct Joiner {
    place: Place,
    body: BytesMut,
    /// The time of the last commit that was joined.
    last: i64,
}

impl Joiner {
    /// Bytes that a chunk takes in another beside its own, about.
    pub(crate) const RUN_BYTES: usize = 8;

    /// Begins where a chunk does, with room for so many bytes.
    pub(crate) fn begin(chunk: &Chunk, bytes: usize) -> Self {
        let mut body = BytesMut::with_capacity(HEADER.saturating_add(bytes));
        body.put_bytes(0, HEADER);
        let place = Place { first: chunk.first, records: 0, at: chunk.at };
        Self { place, body, last: 0 }
    }

    /// Joins the chunk that follows, as it was read from a store.
    ///
    /// # Errors
    /// What does not fit in it; nothing was joined.
    pub(crate) fn push(&mut self, chunk: &Chunk) -> Result<(), &'static str> {
        check(chunk)?;
        self.push_own(chunk)
    }

    /// The same for one that this process made, or that was checked when it was read.
    ///
    /// # Errors
    /// What does not fit in it; nothing was joined.
    pub(crate) fn push_own(&mut self, chunk: &Chunk) -> Result<(), &'static str> {
        match payload(chunk)? {
            (ONE_COMMIT, payload) => self.push_run(chunk.at, chunk.records, payload),
            (_, _) => {
                for Run { at, records, payload } in runs(chunk)? {
                    self.push_run(at, records, &payload);
                }
            }
        }
        self.place.at = self.place.at.max(chunk.at);
        Ok(())
    }

    fn push_run(&mut self, at: Timestamp, records: u32, payload: &[u8]) {
        let Self { place, body, last } = self;
        let before = std::mem::replace(last, at.as_millis());
        varint::put_signed(body, last.wrapping_sub(before));
        varint::put(body, u64::from(records));
        varint::put_bytes(body, payload);
        place.records += records;
    }

    /// Whether a chunk with a body of this size should rather begin the next one.
    pub(crate) fn is_full_for(&self, body_bytes: usize, chunk_bytes: usize) -> bool {
        self.place.records > 0 && self.body.len().saturating_add(body_bytes) > chunk_bytes
    }

    pub(crate) fn finish(self) -> Chunk {
        seal(JOINED, self.place, self.body)
    }
}

fn seal(version: u8, place: Place, mut body: BytesMut) -> Chunk {
    let crc = checksum(place, body.get(HEADER..).unwrap_or_default());
    if let Some(mut header) = body.get_mut(..HEADER) {
        header.put_u8(version);
        header.put_u32_le(crc);
    }
    let Place { first, records, at } = place;
    Chunk { first, records, at, body: body.freeze() }
}

/// The records of a chunk, as slices of its body, each with the time of its commit.
///
/// # Errors
/// What does not fit.
pub(crate) fn decode(chunk: &Chunk) -> Result<Vec<(Timestamp, Bytes)>, &'static str> {
    check(chunk)?;
    decode_own(chunk)
}

/// The same for a chunk that this process made a moment ago.
///
/// # Errors
/// What does not fit.
pub(crate) fn decode_own(chunk: &Chunk) -> Result<Vec<(Timestamp, Bytes)>, &'static str> {
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
    let (version, _) = payload(chunk)?;
    let payload = chunk.body.slice(HEADER..);
    match version {
        ONE_COMMIT => Ok(vec![Run { at: chunk.at, records: chunk.records, payload }]),
        _ => joined_runs(payload),
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

fn check(chunk: &Chunk) -> Result<(), &'static str> {
    let (_, payload) = payload(chunk)?;
    let place = Place { first: chunk.first, records: chunk.records, at: chunk.at };
    let is_right = chunk.body.get(1..HEADER) == Some(&checksum(place, payload).to_le_bytes()[..]);
    if is_right { Ok(()) } else { Err("the checksum is wrong") }
}

/// The chunk's version, and what stands behind its header.
fn payload(chunk: &Chunk) -> Result<(u8, &[u8]), &'static str> {
    match chunk.body.split_at_checked(HEADER) {
        Some(([version @ (ONE_COMMIT | JOINED), ..], payload)) => Ok((*version, payload)),
        Some(_) => Err("the chunk's version is unknown"),
        None => Err("the chunk is cut off"),
    }
}

fn checksum(place: Place, payload: &[u8]) -> u32 {
    // The place goes in as one piece: of small ones each costs as much.
    let mut bytes = [0; PLACE];
    {
        let mut bytes = &mut bytes[..];
        bytes.put_u64_le(place.first.get());
        bytes.put_u32_le(place.records);
        bytes.put_i64_le(place.at.as_millis());
    }
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&bytes);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(first: u64, at: i64, records: &[Vec<u8>]) -> Chunk {
        let records: Vec<Bytes> = records.iter().cloned().map(Bytes::from).collect();
        let mut room = BytesMut::with_capacity(chunk_bytes(&records));
        let chunk =
            super::encode(&mut room, Offset::new(first).unwrap(), Timestamp::from_millis(at), &records);
        assert_eq!((chunk.body.len(), room.capacity()), (chunk_bytes(&records), 0), "nothing grew");
        chunk
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
                joiner.get_or_insert_with(|| Joiner::begin(&chunk, 0)).push(&chunk).unwrap();
            }
            let joined = joiner.unwrap().finish();
            prop_assert_eq!(decode(&joined).unwrap(), expected.clone());
            let mut again = Joiner::begin(&joined, joined.body.len());
            again.push_own(&joined).unwrap();
            prop_assert_eq!(decode(&again.finish()).unwrap(), expected);
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
            let _ = decode_own(&chunk);
            let _ = Joiner::begin(&chunk, 0).push_own(&chunk);
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
