//! One integration-test binary for the crate.

#[cfg(test)]
mod broadcast;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod publish;
#[cfg(test)]
mod rig;
