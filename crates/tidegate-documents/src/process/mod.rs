//! Processing: from a stored file to passages that can be searched, told on the way.
//!
//! Owns: which document is processed when, how often, and how its end is told. Must not: read a
//! file; the extractor does.

mod entry;
mod run;
mod start;
mod tell;
mod verdict;

pub(crate) use entry::Entry;
pub(crate) use verdict::Verdict;
