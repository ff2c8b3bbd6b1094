//! The size of the binary that is shipped.
//!
//! Owns: the limit and the sentence when it is passed. Must not: build; what is measured is the
//! file that somebody would ship.

use std::path::Path;

use anyhow::Context as _;

/// What a shipped binary may weigh.
const LIMIT_BYTES: u64 = 40_000_000;

/// Fails when the binary is larger than what may be shipped.
pub(crate) fn check(binary: &Path) -> anyhow::Result<()> {
    let found = std::fs::metadata(binary).with_context(|| {
        format!("no binary at {}: run `cargo build --release --package tidegate` first", binary.display())
    })?;
    println!("{}", verdict(found.len()).map_err(anyhow::Error::msg)?);
    Ok(())
}

fn verdict(bytes: u64) -> Result<String, String> {
    let sentence = format!("the binary is {}, of {} allowed", megabytes(bytes), megabytes(LIMIT_BYTES));
    if bytes <= LIMIT_BYTES {
        return Ok(sentence);
    }
    Err(format!(
        "{sentence}: look for what grew it with `cargo bloat --release --crates`, and for features of dependencies that nothing uses"
    ))
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_at_the_limit_passes_and_one_byte_more_does_not() {
        assert_eq!(verdict(LIMIT_BYTES).unwrap(), "the binary is 40.0 MB, of 40.0 MB allowed");
        assert!(verdict(LIMIT_BYTES + 1).unwrap_err().contains("what grew it"));
    }
}
