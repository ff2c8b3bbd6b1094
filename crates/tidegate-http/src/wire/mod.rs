//! Shapes that several areas put on the wire.
//!
//! Owns: cursors and validators of polling, pages of records, and how the OpenAPI
//! document names refusals.
//! Must not: hold a shape that only one area speaks; those stand beside their handlers.

mod gap;
mod items;
mod params;
mod poll;
mod refusals;
mod same;
mod told;

pub(crate) use gap::refuse_gap;
pub(crate) use items::{ItemsQuery, RecordsPage, read_records};
pub(crate) use params::{PageParams, StreamParams};
pub(crate) use poll::{Validators, read_from, wait_seconds};
pub(crate) use refusals::{Conflicting, Missing, Mistaken, Refused, Unprocessable};
pub(crate) use same::same_body;
pub(crate) use told::{told, told_as_they_are};
