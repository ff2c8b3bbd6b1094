//! The edge over real sockets: one server per test on a free port, raw bytes in, raw bytes out.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod admin;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod both_ways;
#[cfg(test)]
mod cors;
#[cfg(test)]
mod cross_site;
#[cfg(test)]
mod door;
#[cfg(test)]
mod events;
#[cfg(test)]
mod feeds;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod forks;
#[cfg(test)]
mod generations;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod legacy;
#[cfg(test)]
mod live;
#[cfg(test)]
mod members;
#[cfg(test)]
mod ops;
#[cfg(test)]
mod people;
#[cfg(test)]
mod shared_sockets;
#[cfg(test)]
mod sockets;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod subscriptions;
#[cfg(test)]
mod tails;
#[cfg(test)]
mod tickets;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod work;
