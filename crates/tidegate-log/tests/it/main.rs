//! One integration-test binary for the crate.

#[cfg(test)]
mod smoke;
