//! Citations: each quote with its number and its place.

use serde::Serialize;
use tidegate_types::DocumentId;

use super::sentence::Sentence;
use crate::Document;

/// Where a sentence stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Citation {
    /// The number that stands for it in the text, as in `[2]`.
    pub(super) number: usize,
    pub(super) document_id: DocumentId,
    /// What the document is called.
    pub(super) filename: String,
    /// From 1, where the document has pages.
    pub(super) page: Option<u32>,
    /// The heading that it stands under.
    pub(super) heading: Option<String>,
    /// Exactly the bytes `start..end` of the document's text.
    pub(super) quote: String,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The citations of a text, numbered as they come.
#[derive(Debug)]
pub(super) struct Citations<'a> {
    shelf: &'a [Document],
    pub(super) all: Vec<Citation>,
}

impl<'a> Citations<'a> {
    pub(super) const fn new(shelf: &'a [Document]) -> Self {
        Self { shelf, all: Vec::new() }
    }

    /// The number of a sentence's citation.
    pub(super) fn cite(&mut self, sentence: &Sentence) -> Option<usize> {
        let document = self.shelf.get(sentence.document)?;
        let known = |cited: &&Citation| {
            cited.document_id == document.id
                && (cited.start, cited.end) == (sentence.place.start, sentence.place.end)
        };
        if let Some(known) = self.all.iter().find(known) {
            return Some(known.number);
        }
        let number = self.all.len() + 1;
        self.all.push(Citation {
            number,
            document_id: document.id,
            filename: document.filename.clone(),
            page: sentence.page,
            heading: sentence.heading.as_deref().map(str::to_owned),
            quote: sentence.text.clone(),
            start: sentence.place.start,
            end: sentence.place.end,
        });
        Some(number)
    }
}

impl Citation {
    /// The place in words: `report.pdf, page 3` or `notes.md, “Tickets”`.
    pub(super) fn place(&self) -> String {
        match (self.page, &self.heading) {
            (Some(page), _) => format!("{}, page {page}", self.filename),
            (None, Some(heading)) => format!("{}, “{heading}”", self.filename),
            (None, None) => self.filename.clone(),
        }
    }
}
