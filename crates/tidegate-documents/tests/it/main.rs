//! One integration-test binary for the crate.

#[cfg(test)]
mod framework;
#[cfg(test)]
mod process;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod search;
