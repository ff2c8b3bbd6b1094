//! Randomness as a parameter.

use std::fmt;

use rand::RngCore as _;

/// Where random bytes come from. Secrets, ids and jitter all ask here.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills the slice with random bytes that nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}

/// A generator for secrets (ChaCha), seeded by the operating system in each thread and again and
/// again: a system call per id would be a good part of an append's cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that draws random bytes")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

impl dyn Entropy + '_ {
    /// An array of random bytes.
    pub fn array<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A number in `low..=high`, evenly spread (bias below 2^-32 for ranges of this use).
    pub fn in_range(&self, low: u32, high: u32) -> u32 {
        let span = u64::from(high.saturating_sub(low)) + 1;
        let draw = u64::from_le_bytes(self.array());
        low.saturating_add(u32::try_from(draw % span).unwrap_or(0))
    }
}
