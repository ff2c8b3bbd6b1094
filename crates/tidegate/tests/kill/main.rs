//! `kill -9` under load. The journal of what was acknowledged lives in this process, outside of
//! the one that is killed.

#[cfg(test)]
mod rounds;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
