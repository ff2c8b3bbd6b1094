//! What the binary promises when things go wrong: restarts, revocation under many open streams,
//! racers, a full or failing disk, no files left, readers that do not read.

mod disk;
mod files;
mod people;
mod races;
mod readers;
mod restart;
mod revocation;
mod sse;
mod syncs;
