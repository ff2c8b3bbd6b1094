//! One integration-test binary for the crate.

#[cfg(test)]
mod announce;
#[cfg(test)]
mod cancel;
#[cfg(test)]
mod claim;
#[cfg(test)]
mod create;
#[cfg(test)]
mod lapse;
#[cfg(test)]
mod list;
#[cfg(test)]
mod mend;
#[cfg(test)]
mod report;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod runner;
