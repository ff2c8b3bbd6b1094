//! The readers of each kind of document: bytes in, paragraphs and headings out.

pub(super) mod docx;
pub(super) mod html;
pub(super) mod markdown;
pub(super) mod pdf;
pub(super) mod text;
