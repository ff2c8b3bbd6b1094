//! The corpus: each file with the answers that are right for it.

use super::{office, pdf, text};

/// What a file may come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Refused by the upload's own answer with this code.
    Refused(&'static str),
    /// Refused, or taken and then failed; never ready.
    Useless,
    /// Ready: harmless after all.
    Ready,
    /// Whatever it is, it ends.
    Ends,
}

/// One file.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) filename: String,
    pub(super) bytes: Vec<u8>,
    pub(super) fate: Fate,
}

pub(super) fn case(name: &'static str, filename: &str, bytes: impl Into<Vec<u8>>, fate: Fate) -> Case {
    Case { name, filename: filename.to_owned(), bytes: bytes.into(), fate }
}

pub(super) const TYPE: Fate = Fate::Refused("unsupported-media-type");
pub(super) const LARGE: Fate = Fate::Refused("body-too-large");
pub(super) const BROKEN: Fate = Fate::Refused("document-unprocessable");

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    let mut all = pdf::cases();
    all.extend(office::cases());
    all.extend(text::cases());
    all
}
