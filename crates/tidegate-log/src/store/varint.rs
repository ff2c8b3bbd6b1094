//! Numbers of few bytes: LEB128, and zigzag for those that may be negative.
//!
//! Owns: how numbers lie in chunks and in the journal. Must not: trust what it reads.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

/// Bytes of the largest number.
const BYTES_MAX: usize = 10;

/// Bytes that a number takes.
pub(crate) const fn len(number: u64) -> usize {
    let bits = 64 - (number | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

pub(crate) fn put(into: &mut BytesMut, mut number: u64) {
    while number >= 0x80 {
        into.put_u8((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    into.put_u8((number & 0x7f) as u8);
}

pub(crate) fn put_signed(into: &mut BytesMut, number: i64) {
    put(into, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

/// Takes a number off the front.
///
/// # Errors
/// There is none.
pub(crate) fn take(from: &mut Bytes) -> Result<u64, &'static str> {
    let mut number = 0_u64;
    for shift in (0..BYTES_MAX).map(|n| 7 * n) {
        let byte = from.try_get_u8().map_err(|_| "a number is cut off")?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("a number is too long")
}

/// Takes a number off the front that may be negative.
///
/// # Errors
/// There is none.
pub(crate) fn take_signed(from: &mut Bytes) -> Result<i64, &'static str> {
    let number = take(from)?;
    Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
}

/// Takes bytes off the front whose number stands before them.
///
/// # Errors
/// There are fewer.
pub(crate) fn take_bytes(from: &mut Bytes) -> Result<Bytes, &'static str> {
    let length = usize::try_from(take(from)?).map_err(|_| "a length is too long")?;
    if length > from.len() {
        return Err("bytes are cut off");
    }
    Ok(from.split_to(length))
}

pub(crate) fn put_bytes(into: &mut BytesMut, bytes: &[u8]) {
    into.reserve(len(bytes.len() as u64) + bytes.len());
    put(into, bytes.len() as u64);
    into.put_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_and_bytes_survive(a: u64, b: i64, bytes: Vec<u8>) {
            let mut into = BytesMut::new();
            put(&mut into, a);
            prop_assert_eq!(into.len(), len(a));
            put_signed(&mut into, b);
            put_bytes(&mut into, &bytes);
            let mut from = into.freeze();
            prop_assert_eq!((take(&mut from), take_signed(&mut from)), (Ok(a), Ok(b)));
            prop_assert_eq!(take_bytes(&mut from).map(|found| found.to_vec()), Ok(bytes));
            prop_assert!(from.is_empty());
        }
    }

    #[test]
    fn a_number_that_does_not_end_is_an_error() {
        assert!(take(&mut Bytes::from_static(&[0x80; 3])).is_err());
        assert!(take(&mut Bytes::from_static(&[0x80; 30])).is_err());
        assert!(take_bytes(&mut Bytes::from_static(&[9, 1])).is_err());
    }
}
