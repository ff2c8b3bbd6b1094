//! What owners do with their generations.

mod cancel;
mod create;
mod delete;
mod list;
mod retry;
mod wait;
