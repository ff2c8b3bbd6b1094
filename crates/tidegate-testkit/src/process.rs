//! The real binary as a child process: started, killed, started again on the same folder.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::process::{Child, Command};

use crate::eventually::PATIENCE;
use crate::raw::RawConnection;

/// A secret that `serve` accepts.
pub const TEST_SECRET: &str = "5c1f0d7be2a94386bd01c7f2e6a8394d7f60b5e1";

/// `tidegate serve` in a temporary folder.
#[derive(Debug)]
pub struct TestProcess {
    child: Option<Child>,
    folder: tempfile::TempDir,
    addr: SocketAddr,
    env: Vec<(String, String)>,
}

/// The binary under test: `TIDEGATE_BIN`, else the one that cargo built beside this test.
///
/// # Errors
/// There is none: build it with `cargo build -p tidegate`.
pub fn binary() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("TIDEGATE_BIN") {
        return Ok(path.into());
    }
    let test = std::env::current_exe()?;
    let found = test.ancestors().skip(1).take(3).map(|folder| folder.join("tidegate")).find(|p| p.is_file());
    found.context("no `tidegate` beside this test: run `cargo build -p tidegate` or set TIDEGATE_BIN")
}

/// The binary with an environment that holds nothing of the developer's.
///
/// # Errors
/// As for [`binary`].
pub fn command(folder: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(binary()?);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", folder).current_dir(folder).kill_on_drop(true);
    Ok(command)
}

impl TestProcess {
    /// Starts a server on a free port and waits until it is ready.
    ///
    /// # Errors
    /// It did not become ready.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with("", &[]).await
    }

    /// The same with a configuration file and variables.
    ///
    /// # Errors
    /// It did not become ready.
    pub async fn start_with(file: &str, env: &[(&str, &str)]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("data"))?;
        std::fs::write(folder.path().join("data/tidegate.toml"), file)?;
        let addr = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let mut env: Vec<(String, String)> =
            env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if !env.iter().any(|(name, _)| name == "JWT_SECRET") {
            env.push(("JWT_SECRET".to_owned(), TEST_SECRET.to_owned()));
        }
        let mut process = Self { child: None, folder, addr, env };
        process.restart().await?;
        Ok(process)
    }

    /// Starts the server again on the same folder and port.
    ///
    /// # Errors
    /// It did not become ready.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.kill().await?;
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_path())?;
        let child = command(self.folder.path())?
            .args(["serve", "--data"])
            .arg(self.data())
            .args(["--addr", &self.addr.to_string()])
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        self.child = Some(child);
        self.wait_until_ready().await
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            if let Some(status) = self.child.as_mut().map(Child::try_wait).transpose()?.flatten() {
                bail!("the server stopped at once ({status}): {}", self.log());
            }
            if is_ready(self.addr).await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("the server was not ready in time: {}", self.log())
    }

    /// `kill -9`: no drain, no flush.
    ///
    /// # Errors
    /// The system lost track of the process.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// SIGTERM, and how it ended.
    ///
    /// # Errors
    /// It did not end while a test waits.
    pub async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        let mut child = self.child.take().context("no process")?;
        let pid = child.id().context("it has ended")?.to_string();
        Command::new("kill").args(["-TERM", &pid]).status().await?;
        Ok(tokio::time::timeout(PATIENCE + Duration::from_secs(5), child.wait())
            .await
            .context("still there")??)
    }

    /// A verb of the same binary on the same data folder, with the same environment.
    ///
    /// # Errors
    /// As for [`binary`].
    pub fn verb(&self, args: &[&str]) -> anyhow::Result<Command> {
        let mut command = command(self.folder.path())?;
        command.args(args).env("TIDEGATE_SERVER_DATA", self.data()).env("TIDEGATE_URL", self.url());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    /// The server's URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Its address.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The process id while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }
}

async fn is_ready(addr: SocketAddr) -> bool {
    let ask = async {
        let mut connection = RawConnection::open(addr).await?;
        connection.request("GET /readyz", &[("connection", "close")], b"").await?;
        connection.answer().await
    };
    ask.await.is_ok_and(|answer| answer.status == 200)
}
