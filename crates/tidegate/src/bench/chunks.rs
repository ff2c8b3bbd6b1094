//! The chunk framing of an HTTP/1.1 answer, taken off as it comes.
//!
//! Owns: where in a chunk the next byte belongs. Must not: hold bytes; what is unframed is
//! handed on at once.

use anyhow::bail;

/// Where the next byte belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In a size line; the value so far.
    Size(usize),
    /// In a size line behind its digits.
    SizeEnd(usize),
    /// In a chunk; bytes left.
    Data(usize),
    /// In the line end behind a chunk; bytes left.
    DataEnd(usize),
}

/// The unframing of one answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunks {
    place: Place,
}

impl Chunks {
    pub(super) const fn new() -> Self {
        Self { place: Place::Size(0) }
    }

    /// Takes raw bytes and hands on what they frame.
    ///
    /// # Errors
    /// A size that is none, or the chunk that ends the body.
    pub(super) fn feed(&mut self, mut raw: &[u8], mut out: impl FnMut(&[u8])) -> anyhow::Result<()> {
        while !raw.is_empty() {
            match self.place {
                Place::Data(left) => {
                    let (piece, rest) = raw.split_at_checked(left.min(raw.len())).unwrap_or((raw, &[]));
                    out(piece);
                    raw = rest;
                    let left = left - piece.len();
                    self.place = if left == 0 { Place::DataEnd(2) } else { Place::Data(left) };
                }
                _ => {
                    let Some((byte, rest)) = raw.split_first() else { break };
                    raw = rest;
                    self.place = self.step(*byte)?;
                }
            }
        }
        Ok(())
    }

    fn step(self, byte: u8) -> anyhow::Result<Place> {
        Ok(match (self.place, byte) {
            (Place::DataEnd(left), _) if left > 1 => Place::DataEnd(left - 1),
            (Place::DataEnd(_), _) => Place::Size(0),
            (Place::SizeEnd(0), b'\n') => bail!("the server ended the answer"),
            (Place::SizeEnd(size), b'\n') => Place::Data(size),
            (Place::SizeEnd(_), _) => self.place,
            (Place::Size(size), b'\r') => Place::SizeEnd(size),
            (Place::Size(size), digit) => match char::from(digit).to_digit(16) {
                Some(value) if size < 1 << 28 => Place::Size(size * 16 + usize::try_from(value)?),
                _ => bail!("a chunk of no size"),
            },
            (Place::Data(_), _) => self.place,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_split_of_the_bytes_unframes_alike() {
        let raw = b"5\r\nhello\r\nb\r\n, big world\r\n";
        for cut in 0..raw.len() {
            let (mut chunks, mut text) = (Chunks::new(), Vec::new());
            for piece in [&raw[..cut], &raw[cut..]] {
                chunks.feed(piece, |bytes| text.extend_from_slice(bytes)).unwrap();
            }
            assert_eq!(text, b"hello, big world");
        }
    }

    #[test]
    fn the_last_chunk_is_an_end_and_a_word_is_no_size() {
        assert!(Chunks::new().feed(b"0\r\n\r\n", |_| ()).is_err());
        assert!(Chunks::new().feed(b"hello\r\n", |_| ()).is_err());
    }
}
