//! Searching passages: what may be asked, what comes back, who answers.
//!
//! Owns: the question and its answer as types. Must not: know how an index is asked; whoever asks
//! one makes sure that no text of a user can be an error of its query language.

use std::ops::Range;

use async_trait::async_trait;
use tidegate_types::{DocumentId, UserId};

use crate::{Passage, SearchError};

/// Which passages match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// Those with every word; the last word counts as the beginning of one, for those who type.
    /// Words that say nothing ("the") don't count beside others, but the words side by side as they
    /// were typed come first.
    #[default]
    All,
    /// Those with any of the words, best first: for questions in a sentence. Where few have one, words
    /// that begin like one count too.
    Any,
}

/// What is looked for, and where.
#[derive(Clone, Debug)]
pub struct SearchQuery {
    /// Whose documents; nobody else's are ever found.
    pub owner: UserId,
    /// In these documents; empty for all of the owner's.
    pub documents: Vec<DocumentId>,
    /// The user's text, as it came. Words beyond `limits.search_words` don't count.
    pub text: String,
    /// Which passages match.
    pub matching: Matching,
    /// At most so many.
    pub limit: usize,
}

/// A passage that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The passage.
    pub passage: Passage,
    /// How well it fits (BM25 over what may be searched): greater is better, comparable within one
    /// answer only.
    pub score: f64,
    /// Where the words stand: byte ranges of `passage.text`, in order, not overlapping.
    pub highlights: Vec<Range<usize>>,
}

/// Finds passages.
#[async_trait]
pub trait Search: Send + Sync {
    /// The best passages, best first. Only documents that are ready are searched. A text without
    /// words finds nothing.
    ///
    /// # Errors
    /// The index cannot be read. The text itself is never an error.
    async fn search(&self, query: SearchQuery) -> Result<Vec<Hit>, SearchError>;
}
