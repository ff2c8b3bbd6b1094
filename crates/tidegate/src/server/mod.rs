//! Putting the parts together, and running them.
//!
//! Owns: the order in which parts are opened, the lock on the data, background work, signals, logs.
//! Must not: know a verb of the command line. Tests call the same [`Server`] as `tidegate serve`.

mod banner;
mod directory;
mod feed;
mod fetch;
mod goodbye;
mod lock;
mod logs;
mod serve;
mod settings;
mod signals;
mod supervisor;
mod talk;
mod upstream;
mod webhook;
mod wire;

pub use banner::Banner;
pub use lock::DataLock;
pub use logs::{hook_panics, start as start_logs};
pub use serve::{ServeError, Server};
pub use signals::{keep_files_private, raise_file_limit, shutdown_token};
pub use wire::{Setup, make_folder, open_gate};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Opens a server and serves on a listener until the token is cancelled.
///
/// # Errors
/// A setting that can't be used, or sockets or storage that failed.
pub async fn run_server(
    setup: Setup,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let server = Server::open(setup).await?;
    Ok(server.serve(listener, shutdown).await?)
}
