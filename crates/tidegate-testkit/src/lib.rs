//! For tests only: the real server on port 0, people and keys for it, clients that show every
//! byte, a clock that is moved by hand, and the real binary as a process.
//!
//! Owns: how tests start, reach and stop a server. Must not: hold a path that only tests take;
//! [`TestServer`] runs the very code of `tidegate serve`.

mod api;
mod clock;
mod eventually;
mod people;
mod process;
mod raw;
mod server;
mod sse;

pub use api::{Api, TestAnswer};
pub use clock::ManualClock;
pub use eventually::{PATIENCE, eventually, within};
pub use people::{PASSWORD, TestKey, TestUser};
pub use process::{TEST_SECRET, TestProcess, binary, command};
pub use raw::{RawAnswer, RawConnection};
pub use server::{TestServer, TestServerBuilder};
pub use sse::{SseFrame, SseReader};
