//! Conversations, and what is written over documents: over HTTP and in the terminal, against the real
//! server.

mod ask;
mod conversations;
mod kills;
mod model;
mod models;
mod terminal;
mod world;
mod written;
