//! `tidegate serve`: the server.

use std::path::PathBuf;

use clap::Args;
use tokio::net::TcpListener;

use super::Context;
use super::exit::{CliError, Exit};
use crate::config::{self, Loaded, Mode, Overrides, Refusal};
use crate::server::{self, Server, Setup};

/// Runs the server. Refuses settings that are not safe, with the cure (exit code 78).
#[derive(Args, Debug)]
#[command(
    before_help = "Example:\n  export JWT_SECRET=$(openssl rand -hex 32)\n  tidegate serve --data /var/lib/tidegate --addr 127.0.0.1:8000"
)]
pub(crate) struct ServeArgs {
    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS")]
    addr: Option<String>,
    /// The configuration file; default: tidegate.toml in the data folder.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) async fn run(args: ServeArgs, context: Context) -> Result<Exit, CliError> {
    let started = tokio::time::Instant::now();
    let overrides = Overrides { config: args.config, addr: args.addr, ..context.overrides() };
    let loaded = config::load(&overrides, &context.env, Mode::Serve)?;
    if let Some(refusal) = loaded.config.refusals(Mode::Serve, &loaded.data).into_iter().next() {
        return Err(refusal.into());
    }
    server::start_logs(&loaded.config.log);
    server::hook_panics();
    server::raise_file_limit();
    server::keep_files_private();
    let shutdown =
        server::shutdown_token().map_err(|error| CliError::io("cannot listen for signals", error))?;
    // The port comes last: a server that is refused has opened none.
    let server = Server::open(Setup::of(&loaded)?).await?;
    let listener = listen(&loaded).await?;
    tell_sources(&loaded);
    let addr = listener.local_addr().map_err(|error| CliError::io("cannot listen", error))?;
    let banner = server::Banner {
        url: public_url(&loaded, addr),
        data: loaded.data.clone(),
        ready_in: started.elapsed(),
        remarks: Vec::new(),
    };
    context.output.note(&banner);
    tracing::info!(%addr, data = %loaded.data.display(), ready_ms = banner.ready_in.as_millis(), "ready");
    server.serve(listener, shutdown).await.map_err(|error| CliError::io("the server stopped", error))?;
    Ok(Exit::Ok)
}

/// Opens the port that the configuration names.
pub(super) async fn listen(loaded: &Loaded) -> Result<TcpListener, CliError> {
    let addr = loaded.config.server.addr;
    TcpListener::bind(addr.socket()).await.map_err(|error| {
        Refusal::new(
            "server.addr",
            format!("= {addr} can't be listened on: {error}"),
            "stop what uses it, or choose another with --addr (or PORT)",
        )
        .into()
    })
}

pub(super) fn public_url(loaded: &Loaded, addr: std::net::SocketAddr) -> String {
    let scheme = if loaded.config.server.has_tls() { "https" } else { "http" };
    loaded.config.server.public_url.clone().unwrap_or_else(|| format!("{scheme}://{addr}"))
}

/// Says which files were read, since a value from an unexpected one is the usual surprise.
pub(super) fn tell_sources(loaded: &Loaded) {
    if let Some(path) = &loaded.env_file {
        tracing::info!(path = %path.display(), "using .env");
    }
    if let Some(path) = &loaded.file {
        tracing::info!(path = %path.display(), "using configuration file");
    }
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
}
