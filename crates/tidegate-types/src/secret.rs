//! Secrets that cross the wire: API keys, tickets, refresh tokens, claim tokens.
//!
//! Shape: kind prefix, 256 random bits as unpadded base64url, and a four-byte checksum in the
//! same alphabet, so that junk is refused without a look-up and scanners can find leaks.
//! Only the SHA-256 of a secret is ever stored.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::Entropy;

/// What a secret opens, told by its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecretKind {
    /// `tgk_`: an API key of a service.
    Key,
    /// `tgt_`: a single-use stream ticket.
    Ticket,
    /// `tgl_`: a worker's lease on a generation.
    WorkerLease,
    /// `tgh_`: the handle of a lease, as the feed's cookie carries it.
    LeaseHandle,
    /// `tgw_`: a claim on, or a callback of, one wake of a subscription.
    Wake,
}

impl SecretKind {
    /// The four characters in front.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Key => "tgk_",
            Self::Ticket => "tgt_",
            Self::WorkerLease => "tgl_",
            Self::LeaseHandle => "tgh_",
            Self::Wake => "tgw_",
        }
    }
}

const RANDOM_BYTES: usize = 32;
const CHECKSUM_BYTES: usize = 4;
const PAYLOAD_BYTES: usize = RANDOM_BYTES + CHECKSUM_BYTES;
const ENCODED_LEN: usize = 48; // base64url of 36 bytes, no padding

/// A secret in the clear: shown once to whom it belongs, then only its digest is kept.
///
/// `Debug` shows the kind alone. There is no `Display` and no `Serialize`; whoever really means
/// to put the secret on the wire calls [`Secret::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    kind: SecretKind,
    text: Box<str>,
}

/// The text is not a secret of the wanted kind. Says nothing of the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a well-formed secret of this kind")]
pub struct SecretParseError;

impl Secret {
    /// Draws a new secret.
    pub fn generate(kind: SecretKind, entropy: &dyn Entropy) -> Self {
        Self::of_bytes(kind, &entropy.array())
    }

    /// A secret of these bytes, for kinds that are derived and not drawn; nobody may be able to guess them.
    #[must_use]
    pub fn of_bytes(kind: SecretKind, bytes: &[u8; RANDOM_BYTES]) -> Self {
        let mut payload = [0; PAYLOAD_BYTES];
        payload.iter_mut().zip(bytes.iter().chain(&checksum(kind, bytes))).for_each(|(to, from)| *to = *from);
        let mut text = String::with_capacity(kind.prefix().len() + ENCODED_LEN);
        text.push_str(kind.prefix());
        URL_SAFE_NO_PAD.encode_string(payload, &mut text);
        Self { kind, text: text.into() }
    }

    /// The bytes that the text stands for, without the checksum.
    #[must_use]
    pub fn bytes(&self) -> [u8; RANDOM_BYTES] {
        let encoded = self.text.strip_prefix(self.kind.prefix()).unwrap_or_default();
        // The text was made or checked here, so it decodes.
        let payload = URL_SAFE_NO_PAD.decode(encoded).unwrap_or_default();
        let mut bytes = [0; RANDOM_BYTES];
        bytes.iter_mut().zip(payload).for_each(|(to, from)| *to = from);
        bytes
    }

    /// Reads a secret of one kind; the checksum must hold.
    ///
    /// # Errors
    /// Wrong prefix, length, alphabet or checksum.
    pub fn parse(kind: SecretKind, text: &str) -> Result<Self, SecretParseError> {
        let encoded = text.strip_prefix(kind.prefix()).ok_or(SecretParseError)?;
        if encoded.len() != ENCODED_LEN {
            return Err(SecretParseError);
        }
        let mut payload = [0; PAYLOAD_BYTES];
        URL_SAFE_NO_PAD.decode_slice(encoded, &mut payload).map_err(|_| SecretParseError)?;
        let (random, sum) = payload.split_at_checked(RANDOM_BYTES).ok_or(SecretParseError)?;
        if sum != checksum(kind, random) {
            return Err(SecretParseError);
        }
        Ok(Self { kind, text: text.into() })
    }

    /// What it opens.
    #[must_use]
    pub const fn kind(&self) -> SecretKind {
        self.kind
    }

    /// The SHA-256 that stands for it at rest (fast hashing is right for 256 random bits).
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.text.as_bytes()).into()
    }

    /// The text itself, for the one answer that hands it out.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}…)", self.kind.prefix())
    }
}

fn checksum(kind: SecretKind, random: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = Sha256::new().chain_update(kind.prefix()).chain_update(random).finalize();
    let mut sum = [0; CHECKSUM_BYTES];
    sum.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    sum
}

const TAG_BYTES: usize = 16;
const TAG_LEN: usize = 22;

/// The rotating half of a lease: 128 random bits, 22 base64url characters, carried in the SSE id
/// and in `Last-Event-ID`, never in a URL.
#[derive(Clone, PartialEq, Eq)]
pub struct ResumeTag([u8; TAG_LEN]);

impl ResumeTag {
    /// Draws a new tag.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let random: [u8; TAG_BYTES] = entropy.array();
        let mut text = [b'A'; TAG_LEN];
        // Sixteen bytes become just so many letters, so this can't fail.
        let _ = URL_SAFE_NO_PAD.encode_slice(random, &mut text);
        Self(text)
    }

    /// Reads a tag as a browser sends it back.
    ///
    /// # Errors
    /// Wrong length or alphabet.
    pub fn parse(text: &str) -> Result<Self, SecretParseError> {
        let well_formed =
            text.len() == TAG_LEN && URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == TAG_BYTES);
        let text = text.as_bytes().try_into().map_err(|_| SecretParseError)?;
        if well_formed { Ok(Self(text)) } else { Err(SecretParseError) }
    }

    /// The SHA-256 that stands for it at rest.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// The text, for the id line of the connection that it was issued to.
    #[must_use]
    pub fn reveal(&self) -> &str {
        // Letters of the alphabet alone.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for ResumeTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResumeTag(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;

    #[test]
    fn a_secret_survives_its_own_text_and_no_other_kind_reads_it() {
        let secret = Secret::generate(SecretKind::Ticket, &OsEntropy);
        assert_eq!(Secret::parse(SecretKind::Ticket, secret.reveal()).unwrap(), secret);
        assert_eq!(Secret::parse(SecretKind::Key, secret.reveal()), Err(SecretParseError));
        assert_eq!(Secret::of_bytes(SecretKind::Ticket, &secret.bytes()), secret);
    }

    #[test]
    fn one_changed_character_breaks_the_checksum() {
        let secret = Secret::generate(SecretKind::Key, &OsEntropy);
        for at in 4..secret.reveal().len() {
            let mut text = secret.reveal().to_owned();
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            text.replace_range(at..=at, other);
            assert_eq!(Secret::parse(SecretKind::Key, &text), Err(SecretParseError));
        }
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let secret = Secret::generate(SecretKind::Ticket, &OsEntropy);
        assert_eq!(format!("{secret:?}"), "Secret(tgt_…)");
        assert_eq!(format!("{:?}", ResumeTag::generate(&OsEntropy)), "ResumeTag(…)");
    }
}
