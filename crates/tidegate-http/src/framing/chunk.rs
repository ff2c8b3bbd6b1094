//! The chunked coding of HTTP/1.1, for streams whose socket is written by us.
//!
//! Owns: the size line before a chunk and the line after it. A record's chunk is made once and shared.
//! Must not: be used where the HTTP server frames bodies itself; [`unchunked`] is for those.

use bytes::Bytes;

/// What ends a chunked body that has no trailers.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
const LINE_END: &[u8] = b"\r\n";
/// Sixteen hexadecimal digits and two line ends.
const FRAMING_MAX: usize = 20;

/// One chunk of these bytes; none for no bytes, since an empty chunk would end the body.
pub(crate) fn chunked(body: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(body.len().saturating_add(FRAMING_MAX));
    if !body.is_empty() {
        push_size(&mut out, body.len());
        out.extend_from_slice(body);
        push_end(&mut out);
    }
    Bytes::from(out)
}

/// Begins a chunk of so many bytes.
pub(crate) fn push_size(out: &mut Vec<u8>, size: usize) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = (usize::BITS - size.leading_zeros()).div_ceil(4).max(1);
    for at in (0..digits).rev() {
        let digit = (size >> (at * 4)) & 0xf;
        out.push(DIGITS.get(digit).copied().unwrap_or(b'0'));
    }
    out.extend_from_slice(LINE_END);
}

/// Ends a chunk.
pub(crate) fn push_end(out: &mut Vec<u8>) {
    out.extend_from_slice(LINE_END);
}

/// The bytes inside of one chunk, shared with it.
pub(crate) fn unchunked(chunk: &Bytes) -> Bytes {
    let line = chunk.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let end = chunk.len().saturating_sub(LINE_END.len()).max(line);
    chunk.slice(line..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_says_its_size_in_hexadecimal_and_gives_its_bytes_back() {
        for (size, line) in
            [(1, "1\r\n"), (15, "f\r\n"), (16, "10\r\n"), (255, "ff\r\n"), (65_536, "10000\r\n")]
        {
            let body = vec![b'\n'; size];
            let chunk = chunked(&body);
            assert!(chunk.starts_with(line.as_bytes()) && chunk.ends_with(b"\r\n"));
            assert_eq!(unchunked(&chunk), body);
        }
        assert!(chunked(b"").is_empty());
        assert!(unchunked(&Bytes::new()).is_empty());
    }
}
