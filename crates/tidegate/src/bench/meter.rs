//! The marker inside of every record: its number and when it was meant to be sent.

/// The longest text of a marker.
pub(super) const MARKER_MAX: usize = 64;

const OPEN: &[u8] = b"\"m\":\"";

/// `"m":"<number>.<nanoseconds>"` inside of a JSON record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) number: u64,
    /// Nanoseconds from the start of the load to the intended send time.
    pub(super) sent_ns: u64,
}

impl Marker {
    /// A record of about `size` bytes that carries this marker.
    pub(super) fn record(self, size: usize) -> Vec<u8> {
        let mut record =
            format!("{{\"m\":\"{:010}.{:018}\",\"p\":\"", self.number, self.sent_ns).into_bytes();
        record.resize(size.saturating_sub(2).max(record.len()), b'x');
        record.extend_from_slice(b"\"}");
        record
    }

    /// The next marker in the text at or after `from`, and where to look on.
    pub(super) fn find(text: &[u8], from: usize) -> Option<(Self, usize)> {
        let rest = text.get(from..)?;
        let open = rest.windows(OPEN.len()).position(|w| w == OPEN)?;
        let start = open + OPEN.len();
        let body = rest.get(start..)?;
        let end = body.iter().take(MARKER_MAX).position(|b| *b == b'"')?;
        let (number, sent) = std::str::from_utf8(body.get(..end)?).ok()?.split_once('.')?;
        let marker = Self { number: number.parse().ok()?, sent_ns: sent.parse().ok()? };
        Some((marker, from + start + end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_in_any_wrapping_and_a_cut_one_is_not() {
        let marker = Marker { number: 7, sent_ns: 99 };
        let record = marker.record(200);
        assert_eq!(record.len(), 200);
        let wrapped = [b"data: [", record.as_slice(), b"]\n\n"].concat();
        assert_eq!(Marker::find(&wrapped, 0).unwrap().0, marker);
        assert_eq!(Marker::find(&wrapped[..30], 0), None);
    }
}
