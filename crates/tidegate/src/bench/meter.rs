//! The marker inside of every record: who sent it, its number, and when it was meant to be sent.

/// The longest text of a marker.
pub(super) const MARKER_MAX: usize = 64;

/// The lane of the record that ends a load for its readers.
pub(super) const LAST_LANE: u8 = u8::MAX;

const OPEN: &[u8] = b"\"m\":\"";

/// `"m":"<lane>.<number>.<nanoseconds>"` inside of a JSON record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    /// Which publisher; each numbers its own records from 0.
    pub(super) lane: u8,
    pub(super) number: u64,
    /// Nanoseconds from the start of the load to the intended send time.
    pub(super) sent_ns: u64,
}

impl Marker {
    /// The marker of a load with one publisher.
    pub(super) const fn new(number: u64, sent_ns: u64) -> Self {
        Self { lane: 0, number, sent_ns }
    }

    /// A record of about `size` bytes that carries this marker.
    pub(super) fn record(self, size: usize) -> Vec<u8> {
        let Self { lane, number, sent_ns } = self;
        let mut record = format!("{{\"m\":\"{lane:03}.{number:010}.{sent_ns:018}\",\"p\":\"").into_bytes();
        record.resize(size.saturating_sub(2).max(record.len()), b'x');
        record.extend_from_slice(b"\"}");
        record
    }

    /// How many bytes behind a record's marker belong to the same record for certain.
    pub(super) fn padding(size: usize) -> usize {
        const HEAD_AND_TAIL: usize = 52;
        size.saturating_sub(HEAD_AND_TAIL)
    }

    /// The next marker in the text at or after `from`, and where to look on.
    pub(super) fn find(text: &[u8], from: usize) -> Option<(Self, usize)> {
        let rest = text.get(from..)?;
        let open = rest.windows(OPEN.len()).position(|w| w == OPEN)?;
        let start = open + OPEN.len();
        let body = rest.get(start..)?;
        let end = body.iter().take(MARKER_MAX).position(|b| *b == b'"')?;
        let mut parts = std::str::from_utf8(body.get(..end)?).ok()?.splitn(3, '.');
        let lane = parts.next()?.parse().ok()?;
        let (number, sent_ns) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some((Self { lane, number, sent_ns }, from + start + end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_in_any_wrapping_and_a_cut_one_is_not() {
        let marker = Marker { lane: 3, number: 7, sent_ns: 99 };
        let record = marker.record(200);
        assert_eq!(record.len(), 200);
        let wrapped = [b"data: [", record.as_slice(), b"]\n\n"].concat();
        assert_eq!(Marker::find(&wrapped, 0).unwrap().0, marker);
        assert_eq!(Marker::find(&wrapped[..30], 0), None);
    }

    #[test]
    fn skipping_the_padding_never_skips_into_the_next_record() {
        for size in [64, 65, 200, 2_000] {
            let one = Marker::new(1, u64::MAX / 100).record(size);
            let two = Marker::new(2, 1);
            let text = [one.as_slice(), &two.record(size)].concat();
            let (_, end) = Marker::find(&text, 0).unwrap();
            assert_eq!(Marker::find(&text, end + Marker::padding(size)).unwrap().0, two);
        }
    }
}
