//! The real binary, as strangers and accidents treat it: hostile requests, `kill -9`, a full
//! disk, restarts, crowds.

#[cfg(test)]
mod documents;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod reliability;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod subscriptions;
#[cfg(test)]
mod support;
