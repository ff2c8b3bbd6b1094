//! Tokens of wakes (`tgw_…`): the generation and a MAC over it and the subscription's number.
//!
//! Derived, so that a call that is repeated after a restart carries the same token and nothing has
//! to be kept. Whether the generation is still under way is looked up each time.

use aws_lc_rs::{constant_time, hmac};
use tidegate_types::{Secret, SecretKind};
use zeroize::Zeroizing;

use crate::SubscriptionUid;

const GENERATION_BYTES: usize = 8;

pub(crate) struct TokenKey(hmac::Key);

impl TokenKey {
    pub(crate) fn derive(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &*derive(secret, b"tokens of wakes")))
    }

    /// The token of one wake.
    pub(crate) fn token(&self, uid: SubscriptionUid, generation: u64) -> Secret {
        let number = generation.to_be_bytes();
        let mac = hmac::sign(&self.0, &[uid.0.to_be_bytes(), number].concat());
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(number.iter().chain(mac.as_ref())).for_each(|(to, from)| *to = *from);
        Secret::of_bytes(SecretKind::Wake, &bytes)
    }

    /// The generation that a token was made for, if it is one of this subscription.
    pub(crate) fn generation(&self, uid: SubscriptionUid, token: &str) -> Option<u64> {
        let token = Secret::parse(SecretKind::Wake, token).ok()?;
        let bytes = token.bytes();
        let (number, _) = bytes.split_at_checked(GENERATION_BYTES)?;
        let generation = u64::from_be_bytes(number.try_into().ok()?);
        let genuine = self.token(uid, generation).bytes();
        constant_time::verify_slices_are_equal(&genuine, &bytes).ok().map(|()| generation)
    }
}

/// A key of its own for each purpose.
pub(super) fn derive(secret: &[u8; 32], purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), purpose);
    let mut key = Zeroizing::new([0; 32]);
    key.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_one_subscription_one_generation_and_one_server() {
        let key = TokenKey::derive(&[1; 32]);
        let (uid, other) = (SubscriptionUid(7), SubscriptionUid(8));
        let token = key.token(uid, 3);
        assert_eq!(key.generation(uid, token.reveal()), Some(3));
        assert_eq!(key.token(uid, 3), token, "the same after a restart");
        assert_eq!(key.generation(other, token.reveal()), None);
        assert_eq!(TokenKey::derive(&[2; 32]).generation(uid, token.reveal()), None);
        assert_ne!(key.token(uid, 4), token);
    }

    #[test]
    fn no_changed_bit_passes() {
        let (key, uid) = (TokenKey::derive(&[1; 32]), SubscriptionUid(7));
        let genuine = key.token(uid, 3).bytes();
        for bit in 0..256 {
            let mut bytes = genuine;
            bytes[bit / 8] ^= 1 << (bit % 8);
            let forged = Secret::of_bytes(SecretKind::Wake, &bytes);
            assert_eq!(key.generation(uid, forged.reveal()), None, "bit {bit}");
        }
    }
}
