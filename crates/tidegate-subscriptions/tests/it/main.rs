//! Claims about subscriptions over a real database and a real log.

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod pull;
#[cfg(test)]
mod rig;
#[cfg(test)]
mod urls;
#[cfg(test)]
mod webhook;
