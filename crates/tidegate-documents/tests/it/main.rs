//! One integration-test binary for the crate.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod conversations;
#[cfg(test)]
mod evaluation;
#[cfg(test)]
mod framework;
#[cfg(test)]
mod models;
#[cfg(test)]
mod process;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod search;
#[cfg(test)]
mod talks;
#[cfg(test)]
mod written;
