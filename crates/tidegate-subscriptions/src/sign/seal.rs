//! Private keys at rest: AES-256-GCM under a key of the server, bound to the name of the key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use tidegate_types::Entropy;
use zeroize::Zeroizing;

use crate::SubscriptionsError;

pub(super) fn seal(
    key: &[u8; 32],
    name: &str,
    secret: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SubscriptionsError> {
    let nonce: [u8; NONCE_LEN] = entropy.array();
    let mut sealed = secret.to_vec();
    let once = Nonce::assume_unique_for_key(nonce);
    cipher(key)?
        .seal_in_place_append_tag(once, Aad::from(name), &mut sealed)
        .map_err(|_| SubscriptionsError::Signing)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// Opens what [`seal`] made; `None` if another key made it.
pub(super) fn open(key: &[u8; 32], name: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut text = Zeroizing::new(ciphertext.to_vec());
    let length = cipher(key).ok()?.open_in_place(nonce, Aad::from(name), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, SubscriptionsError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| SubscriptionsError::Signing)
}
