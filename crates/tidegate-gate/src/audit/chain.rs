//! The chain: each row's hash covers its fields and the hash of the row before. The first row
//! follows 32 zero bytes.

use sha2::{Digest as _, Sha256};

use super::row::Fields;

/// The hash of a row. Every field is length-prefixed, so that no two rows share their bytes.
pub(crate) fn chain_hash(previous: &[u8; 32], seq: u64, row: &Fields<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"tidegate audit 1");
    hash.update(previous);
    hash.update(seq.to_le_bytes());
    hash.update(row.at.to_le_bytes());
    let fields = [
        Some(row.kind),
        Some(row.actor),
        row.subject,
        row.address,
        row.request_id,
        row.stream,
        Some(row.detail),
    ];
    for field in fields {
        match field {
            None => hash.update([0]),
            Some(text) => {
                hash.update([1]);
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text.as_bytes());
            }
        }
    }
    hash.finalize().into()
}
