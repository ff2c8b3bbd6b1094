//! Putting the parts together, and running them.

mod lock;
mod logs;
mod signals;
mod supervisor;

pub use lock::DataLock;
pub use logs::{hook_panics, start as start_logs};
pub use signals::{raise_file_limit, shutdown_token};
pub use supervisor::{Work, start as start_work};
