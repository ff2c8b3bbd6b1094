//! What the binary promises when things go wrong: restarts, revocation under many open streams,
//! racers, a full disk, readers that do not read.

mod disk;
mod people;
mod races;
mod readers;
mod restart;
mod revocation;
mod sse;
