//! Built-in frameworks: `brief` (a cited summary) and `blog` (an article) over documents, and
//! `master_mode` (a story) where there is a model to write it.
//!
//! Owns: reading the owner's documents for a job, choosing sentences, and the proof that each quote
//! stands where its citation says. Must not: read a document of anybody but the job's owner, or say
//! a sentence without a source.

mod article;
mod blog;
mod brief;
mod check;
mod cite;
mod draft;
mod load;
mod pick;
mod rank;
mod read;
mod report;
mod sections;
mod sentence;
mod story;
mod terms;
mod write;

pub use blog::Blog;
pub use brief::Brief;
pub use story::MasterMode;
pub use write::Writer;
