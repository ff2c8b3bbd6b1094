//! Integration tests of the gate, in one binary.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod audit_lists;
#[cfg(test)]
mod audit_stored;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod issuers;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod leases;
#[cfg(test)]
mod live;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod revocation;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tickets;
#[cfg(test)]
mod tokens;
