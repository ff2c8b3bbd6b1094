//! Signing secrets at rest: AES-256-GCM under a key of the server, bound to the API key they
//! belong to.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use tidegate_types::{Entropy, KeyId};
use zeroize::Zeroizing;

/// The sealed text could not be made or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SealError;

/// Seals a secret: nonce, then ciphertext with its tag.
pub(crate) fn seal(
    key: &[u8; 32],
    owner: KeyId,
    secret: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    let nonce: [u8; NONCE_LEN] = entropy.array();
    let mut sealed = secret.to_vec();
    let aad = Aad::from(*owner.as_uuid().as_bytes());
    let nonce_of_this = Nonce::assume_unique_for_key(nonce);
    cipher(key)?.seal_in_place_append_tag(nonce_of_this, aad, &mut sealed).map_err(|_| SealError)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// Opens what [`seal`] made for the same owner.
pub(crate) fn open(key: &[u8; 32], owner: KeyId, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
    let aad = Aad::from(*owner.as_uuid().as_bytes());
    let mut text = Zeroizing::new(ciphertext.to_vec());
    let length = cipher(key)?.open_in_place(nonce, aad, &mut text).map_err(|_| SealError)?.len();
    text.truncate(length);
    Ok(text)
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, SealError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| SealError)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_types::{OsEntropy, Timestamp};

    #[test]
    fn a_sealed_secret_opens_for_its_owner_and_key_only() {
        let now = Timestamp::from_millis(1_763_690_000_123);
        let (owner, other) = (KeyId::generate(now, &OsEntropy), KeyId::generate(now, &OsEntropy));
        let sealed = seal(&[1; 32], owner, b"whsec", &OsEntropy).unwrap();
        assert_eq!(open(&[1; 32], owner, &sealed).unwrap().as_slice(), b"whsec");
        assert_eq!(open(&[1; 32], other, &sealed), Err(SealError));
        assert_eq!(open(&[2; 32], owner, &sealed), Err(SealError));
        assert_eq!(open(&[1; 32], owner, &sealed[..10]), Err(SealError));
        assert!(!sealed.windows(5).any(|part| part == b"whsec"));
    }
}
