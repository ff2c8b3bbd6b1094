//! The hostile requests of `corpus.toml`, over HTTP/1.1 and HTTP/2, against the real binary.

mod corpus;
mod run;
mod world;
