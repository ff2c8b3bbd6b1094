//! A server of our own to measure: this same binary, in a temporary folder, pinned to a core.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

use super::args::{Auth, BenchArgs, Dialect, Live};
use super::client::Connection;
use super::procfs;
use super::report::{Report, mebibytes};
use super::target::{Target, auth_of};

const READY_WITHIN: Duration = Duration::from_secs(20);

/// A running server and its folder.
pub(super) struct Started {
    child: Child,
    address: SocketAddr,
    ready_after: Duration,
    live: Live,
    auth: Auth,
    key: String,
    folder: tempfile::TempDir,
}

/// Starts a server whose `bench/**` streams anyone may write, and read unless that is asked to take a key.
pub(super) async fn start(args: &BenchArgs) -> anyhow::Result<Started> {
    // The key that is made here is nobody's who did not ask for one.
    let auth = auth_of(args, args.auth.is_some() || args.live == Live::Events)?;
    pin(std::process::id(), args.client_core).await;
    let folder = tempfile::tempdir()?;
    write_config(folder.path(), args, auth)?;
    let key = bench_key(folder.path()).await?;
    let started = Instant::now();
    let mut child = server_command(folder.path(), &std::env::current_exe()?, args.server_core).spawn()?;
    let address = address_of(&mut child).await?;
    let mut server =
        Started { child, address, ready_after: Duration::ZERO, live: args.live, auth, key, folder };
    server.wait_until_ready(started).await?;
    Ok(server)
}

impl Started {
    pub(super) fn target(&self) -> Target {
        Target {
            address: self.address,
            prefix: "/v1/stream/bench/".to_owned(),
            key: (self.auth != Auth::None).then(|| self.key.clone()),
            dialect: Dialect::Streams,
            live: self.live,
            auth: self.auth,
            pids: self.child.id().into_iter().collect(),
        }
    }

    pub(super) fn startup_report(&self) -> Report {
        let mib = self.child.id().and_then(procfs::usage).map(|u| mebibytes(u.resident_kib));
        Report::new("start", "an empty folder to the first ready answer", "starts")
            .rate(1, self.ready_after)
            .memory(None, mib)
    }

    pub(super) async fn stop(mut self) {
        // The load is over: nothing that this server holds is worth a drain.
        if self.child.kill().await.is_err() {
            tracing::debug!("the measured server was gone already");
        }
        drop(self.folder);
    }

    async fn wait_until_ready(&mut self, started: Instant) -> anyhow::Result<()> {
        let target = self.target();
        let request = target.request("GET", "/readyz", None);
        while started.elapsed() < READY_WITHIN {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server stopped at once ({status}); its words are above");
            }
            if let Ok(mut connection) = Connection::open(&target).await
                && connection.exchange(&request).await.is_ok_and(|answer| answer.status == 200)
            {
                self.ready_after = started.elapsed();
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        bail!("the server was not ready within {} s", READY_WITHIN.as_secs())
    }
}

/// The address that the server chose and says. What else it says goes on to our own standard error.
async fn address_of(child: &mut Child) -> anyhow::Result<SocketAddr> {
    let words = child.stderr.take().context("the server's words can't be heard")?.into_owned_fd()?;
    let (found, address) = oneshot::channel();
    // A thread, since a load keeps the runtime busy, and a server whose words nobody takes would stop.
    std::thread::Builder::new().name("bench-words".to_owned()).spawn(move || pass_on(words.into(), found))?;
    let heard = tokio::time::timeout(READY_WITHIN, address).await;
    let heard =
        heard.with_context(|| format!("the server did not start within {} s", READY_WITHIN.as_secs()))?;
    heard.context("the server stopped at once; its words are above")
}

fn pass_on(words: std::fs::File, found: oneshot::Sender<SocketAddr>) {
    let mut found = Some(found);
    for line in BufReader::new(words).lines().map_while(Result::ok) {
        match listens_at(&line) {
            // Whoever stopped waiting needs no address.
            Some(address) => found.take().into_iter().for_each(|found| {
                let _ = found.send(address);
            }),
            // The rest of the first words is for people.
            None if line.is_empty() || line.starts_with("  ") => {}
            None => drop(writeln!(std::io::stderr(), "{line}")),
        }
    }
}

fn listens_at(line: &str) -> Option<SocketAddr> {
    line.trim().strip_prefix("API ")?.trim().strip_prefix("http://")?.strip_suffix("/api/v1")?.parse().ok()
}

fn write_config(folder: &Path, args: &BenchArgs, auth: Auth) -> anyhow::Result<()> {
    let readers = if auth == Auth::Key { "nobody" } else { "anyone" };
    let many = 10_000_000.max(args.connections);
    let secret = random_secret();
    let config = format!(
        "[auth]\njwt_secret = \"{secret}\"\n\n[[access]]\npath = \"bench/**\"\nread = \"{readers}\"\nwrite = \"anyone\"\n\n\
         [limits]\nstreams_per_address = {many}\nconnections_per_address = {many}\nstreams_per_user = 1000000\n\
         anonymous_per_minute_per_address = 100000000\n\n[log]\nlevel = \"warn\"\n"
    );
    std::fs::write(folder.join("tidegate.toml"), config)?;
    Ok(())
}

/// A key that may read the load's streams, made as an operator makes one.
async fn bench_key(folder: &Path) -> anyhow::Result<String> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--json", "key", "create", "--name", "bench", "--data"])
        .arg(folder)
        .args(["--scope", "streams:read:bench/**", "--scope", "streams:write:bench/**"])
        .output()
        .await?;
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("no key was made: {}", String::from_utf8_lossy(&output.stderr).trim()))?;
    let secret = answer.get("secret").or_else(|| answer.get("key")).and_then(|s| s.as_str());
    Ok(secret.context("the answer of `key create` names no secret")?.to_owned())
}

fn server_command(folder: &Path, binary: &Path, core: usize) -> Command {
    let mut command = match which("taskset") {
        true => {
            let mut pinned = Command::new("taskset");
            pinned.arg("-c").arg(core.to_string()).arg(binary);
            pinned
        }
        false => Command::new(binary),
    };
    command.args(["serve", "--addr", "127.0.0.1:0", "--data"]).arg(folder);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Keeps this process on one core; without `taskset` the figures are of shared cores.
async fn pin(pid: u32, core: usize) {
    let pinned = Command::new("taskset")
        .args(["-a", "-cp", &core.to_string(), &pid.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await;
    if !pinned.is_ok_and(|status| status.success()) {
        tracing::warn!("could not pin to core {core}: server and load share their cores");
    }
}

fn which(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|paths| std::env::split_paths(&paths).any(|folder| folder.join(program).is_file()))
}

fn random_secret() -> String {
    use std::fmt::Write as _;
    let bytes: [u8; 32] = (&tidegate_types::OsEntropy as &dyn tidegate_types::Entropy).array();
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
