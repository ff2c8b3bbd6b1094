//! Integration tests of the gate, in one binary.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod leases;
#[cfg(test)]
mod live;
#[cfg(test)]
mod revocation;
#[cfg(test)]
mod tickets;
