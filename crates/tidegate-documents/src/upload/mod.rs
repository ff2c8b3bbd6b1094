//! Taking a file in: to disk piece by piece, then its kind by its bytes, then the record.
//!
//! Owns: what is accepted, and under which name it is shown. Must not: parse a file's structure
//! beyond its first bytes and an archive's list of members; the child does.

mod filename;
mod receive;
mod sniff;
mod zip;

pub use receive::{NewUpload, Upload};
