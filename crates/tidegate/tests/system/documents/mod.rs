//! Uploads by strangers: files that are bombs, loops, lies and rubbish, and what they may cost.

mod archive;
mod corpus;
mod memory;
mod office;
mod pdf;
mod run;
mod text;
mod world;
