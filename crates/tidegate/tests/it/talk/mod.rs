//! Conversations over HTTP, against the real server in this process.

mod ask;
mod conversations;
mod model;
mod models;
mod world;
