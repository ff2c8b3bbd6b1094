//! Where the journal's rows lie in its table: a new one over an old one that was moved on.
//!
//! Owns: the sizes of rows, so that one fits in the place of another, and which slots hold nothing that is needed.
//! Must not: know SQL. A slot that is free here may be gone from the table; one that is not must never be written over.

use std::collections::{BTreeMap, VecDeque};

/// The smallest row that is given a place of its own.
const SMALLEST: usize = 256;
/// What a leaf page of the table has beside the only row on it, and a page with more of a row's bytes beside these
/// (SQLite's file format, "B-tree Cell Format").
const LEAF_BYTES: usize = 35;
const OVERFLOW_BYTES: usize = 4;
/// A row's header but for its body's length, and the largest such length.
const HEADER_BYTES: usize = 3;
const LENGTH_BYTES: usize = 4;

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) number: i64,
    /// Its size, as [`row_bytes`] says.
    bytes: usize,
}

/// The journal's place in its table.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// Of the rows that are held, in their order.
    live: VecDeque<(u64, Slot)>,
    /// The others, by their size.
    free: BTreeMap<usize, Vec<i64>>,
    free_bytes: usize,
    last: i64,
}

impl Slots {
    /// A place for a row of this size. While the free ones have more than `free_max` bytes, none is added.
    pub(super) fn take(&mut self, seq: u64, bytes: usize, free_max: usize) -> Slot {
        let other =
            || self.free.last_key_value().map(|(size, _)| *size).filter(|_| self.free_bytes > free_max);
        let size = if self.free.contains_key(&bytes) { Some(bytes) } else { other() };
        let number = size.and_then(|size| self.pop(size)).unwrap_or_else(|| {
            self.last += 1;
            self.last
        });
        let slot = Slot { number, bytes };
        self.live.push_back((seq, slot));
        slot
    }

    fn pop(&mut self, size: usize) -> Option<i64> {
        let slots = self.free.get_mut(&size)?;
        let number = slots.pop();
        if slots.is_empty() {
            self.free.remove(&size);
        }
        self.free_bytes = self.free_bytes.saturating_sub(size);
        number
    }

    /// Takes in a row of the table as it was found, in the order of their numbers.
    pub(super) fn found(&mut self, seq: u64, number: i64, bytes: usize, is_live: bool) {
        self.last = self.last.max(number);
        let slot = Slot { number, bytes };
        if is_live { self.live.push_back((seq, slot)) } else { self.put(slot) }
    }

    fn put(&mut self, slot: Slot) {
        self.free.entry(slot.bytes).or_default().push(slot.number);
        self.free_bytes = self.free_bytes.saturating_add(slot.bytes);
    }

    /// A row's transaction failed.
    pub(super) fn give_back(&mut self, seq: u64) {
        if let Some(at) = self.live.iter().rposition(|(of, _)| *of == seq)
            && let Some((_, slot)) = self.live.remove(at)
        {
            self.put(slot);
        }
    }

    /// The rows up to this one were moved on.
    pub(super) fn free_up_to(&mut self, seq: u64) {
        while let Some((_, slot)) = self.live.pop_front_if(|(of, _)| *of <= seq) {
            self.put(slot);
        }
    }

    /// The table has no rows but those that are held.
    pub(super) fn drop_free(&mut self) {
        self.free.clear();
        self.free_bytes = 0;
    }

    /// The newest rows, the newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = (u64, i64)> {
        self.live.iter().rev().map(|(seq, slot)| (*seq, slot.number))
    }
}

/// The size of a row whose body has at least so many bytes: rows of nearly the same size have the same, and large ones
/// fill their pages.
pub(super) fn row_bytes(seq: u64, body_bytes: usize, page_bytes: usize) -> usize {
    let wanted = body_bytes.saturating_add(HEADER_BYTES + LENGTH_BYTES + number_bytes(seq));
    let small = wanted.max(SMALLEST).next_power_of_two();
    if small <= page_bytes / 2 {
        return small;
    }
    let leaf = page_bytes.saturating_sub(LEAF_BYTES);
    let overflow = page_bytes.saturating_sub(OVERFLOW_BYTES).max(1);
    leaf.saturating_add(wanted.saturating_sub(leaf).div_ceil(overflow).saturating_mul(overflow))
}

/// The bytes of a body that makes a row this large.
pub(super) fn body_bytes(seq: u64, row_bytes: usize) -> usize {
    row_bytes.saturating_sub(HEADER_BYTES + number_bytes(seq) + length_bytes(row_bytes))
}

/// The size of a row with a body of exactly so many bytes.
pub(super) fn row_bytes_of(seq: u64, body_bytes: usize) -> usize {
    body_bytes.saturating_add(HEADER_BYTES + number_bytes(seq) + length_bytes(body_bytes))
}

/// Bytes that SQLite takes for a number ("Record Format").
const fn number_bytes(number: u64) -> usize {
    match 64 - number.leading_zeros() {
        0..=1 => 0,
        2..=7 => 1,
        8..=15 => 2,
        16..=23 => 3,
        24..=31 => 4,
        32..=47 => 6,
        _ => 8,
    }
}

/// Bytes of the length of a body.
const fn length_bytes(body_bytes: usize) -> usize {
    match body_bytes.saturating_mul(2).saturating_add(12) {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => LENGTH_BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGE: usize = 4_096;

    #[test]
    fn large_rows_fill_their_pages_and_small_ones_share_one() {
        let size = |body| row_bytes(1_000, body, PAGE);
        assert_eq!((size(10), size(300), size(1_100)), (256, 512, 2_048));
        assert_eq!((size(3_700), size(4_050)), (PAGE - 35, PAGE - 35));
        assert_eq!((size(4_061), size(14_600)), (PAGE - 35 + 4_092, PAGE - 35 + 3 * 4_092));
    }

    #[test]
    fn a_row_is_written_over_once_it_was_moved_on() {
        let mut slots = Slots::default();
        let take = |slots: &mut Slots, seq, bytes| slots.take(seq, bytes, 1_000).number;
        assert_eq!((take(&mut slots, 1, 256), take(&mut slots, 2, 512), take(&mut slots, 3, 256)), (1, 2, 3));
        slots.free_up_to(1);
        assert_eq!((take(&mut slots, 4, 512), take(&mut slots, 5, 256)), (4, 1), "of its own size only");
        assert_eq!(slots.newest().collect::<Vec<_>>(), [(5, 1), (4, 4), (3, 3), (2, 2)]);
        slots.give_back(5);
        assert_eq!(take(&mut slots, 5, 256), 1);
        slots.free_up_to(4);
        assert_eq!(take(&mut slots, 6, 2_048), 4, "too many bytes are free");
        slots.drop_free();
        assert_eq!(take(&mut slots, 7, 256), 5);
    }

    proptest! {
        #[test]
        fn a_body_fits_and_its_row_is_found_again_by_its_length(
            seq in prop_oneof![0..300_u64, any::<u64>()], body in 0..200_000_usize, page in prop_oneof![Just(2_048_usize), Just(4_096)],
        ) {
            let row = row_bytes(seq, body, page);
            let padded = body_bytes(seq, row);
            prop_assert!(padded >= body);
            // Where a length takes one byte less than the row's would, the row is one byte shorter.
            prop_assert!(row - row_bytes_of(seq, padded) <= 1);
        }
    }
}
