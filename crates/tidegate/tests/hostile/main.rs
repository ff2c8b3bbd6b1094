//! The hostile requests of `corpus.toml`, over HTTP/1.1 and HTTP/2, against the real binary.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod run;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod world;
