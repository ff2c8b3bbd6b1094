//! The real binary as a child process, in a folder of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The signing secret of every test installation.
pub(crate) const SECRET: &str = "k7k7k7k7k7k7k7k7k7k7k7k7k7k7k7k7-a-secret-for-tests-only";

/// More than any small disk of these tests.
const SMALL_DISK_MAX: u64 = 256 << 20;

/// The server chooses, and says what it chose.
const ANY_PORT: &str = "127.0.0.1:0";

const READY_WITHIN: Duration = Duration::from_secs(30);

/// A data folder with a configuration; servers come and go on it.
pub(crate) struct Installation {
    folder: tempfile::TempDir,
}

impl Installation {
    /// A fresh folder whose `open/**` streams anyone may read and write; `more` is appended to
    /// its configuration.
    pub(crate) fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = format!(
            "[auth]\njwt_secret = \"{SECRET}\"\n\n[[access]]\npath = \"open/**\"\nread = \"anyone\"\nwrite = \"anyone\"\n\n{more}\n"
        );
        std::fs::write(folder.path().join("tidegate.toml"), config).expect("a configuration file");
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a verb on the data folder and reads its JSON answer.
    pub(crate) fn verb(&self, words: &[&str], stdin: &str) -> Value {
        use std::io::Write as _;
        let mut child = command(binary())
            .arg("--json")
            .args(words)
            .arg("--data")
            .arg(self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        child.stdin.take().expect("a pipe").write_all(stdin.as_bytes()).expect("the verb reads its input");
        let output = child.wait_with_output().expect("the verb ends");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("one JSON answer")
    }

    /// Starts a server and waits until it is ready.
    pub(crate) fn serve(&self) -> Server {
        let mut serve = command(binary());
        serve.args(["serve", "--addr", ANY_PORT, "--data"]).arg(self.path());
        self.start(serve, self.path().to_owned()).expect("the binary starts")
    }

    /// Starts a server by this command and waits until it is ready. `disk`: its data folder as it sees it.
    fn start(&self, mut serve: Command, disk: PathBuf) -> std::io::Result<Server> {
        let log = self.path().join("stderr.log");
        let mut child = serve.stdout(Stdio::null()).stderr(std::fs::File::create(&log)?).spawn()?;
        let address = wait_until_ready(&mut child, &log);
        Ok(Server { child, address, log, disk })
    }
}

impl Installation {
    /// Starts a server whose data folder is a file system of `mebibytes`, in a mount namespace of
    /// its own, so that nothing stays mounted when it is gone.
    pub(crate) fn serve_on_small_disk(&self, mebibytes: u32) -> Server {
        let disk = self.path().join("disk");
        std::fs::create_dir(&disk).expect("a folder");
        let script = "mount -t tmpfs -o size=\"$1\" tidegate-test \"$2\" && cp \"$3\" \"$2\" && exec \"$4\" serve --addr \"$5\" --data \"$2\"";
        let mut serve = command("unshare");
        serve
            .args(["--map-root-user", "--mount", "sh", "-c", script, "sh"])
            .arg(format!("{mebibytes}m"))
            .arg(&disk)
            .arg(self.path().join("tidegate.toml"))
            .arg(binary())
            .arg(ANY_PORT);
        self.start(serve, disk).expect("`unshare` of util-linux is needed to give the server a small disk")
    }
}

impl Installation {
    /// Starts a server of which the `nth` sync of a file in its folder fails, each thread counted by itself.
    pub(crate) fn serve_with_a_failing_sync(&self, file: &str, nth: usize) -> Server {
        let mut serve = command("strace");
        serve
            // `-D`: the child is the server itself, and `strace` only looks on.
            .args(["-D", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-e"])
            .arg(format!("inject=fsync,fdatasync:error=EIO:when={nth}"))
            .arg("-o")
            .arg(self.path().join("syncs.log"))
            .arg("-P")
            .arg(self.path().join(file))
            .arg(binary())
            .args(["serve", "--addr", ANY_PORT, "--data"])
            .arg(self.path());
        self.start(serve, self.path().to_owned())
            .expect("`strace` is needed to make a sync fail: apt-get install strace")
    }

    /// What `strace` saw of the file's syncs.
    pub(crate) fn syncs(&self) -> String {
        std::fs::read_to_string(self.path().join("syncs.log")).unwrap_or_default()
    }
}

/// A running server; killed without a word when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    log: PathBuf,
    /// The data folder as the server sees it.
    disk: PathBuf,
}

impl Server {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// `SIGKILL`: no drain, no last word, no sync.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("the server can be killed");
        self.child.wait().expect("the server ends");
    }

    /// `SIGTERM`, and waits for the end.
    pub(crate) fn stop(mut self) {
        rustix::process::kill_process(
            rustix::process::Pid::from_child(&self.child),
            rustix::process::Signal::TERM,
        )
        .expect("the server can be told");
        let status = self.child.wait().expect("the server ends");
        assert!(status.success(), "{}", self.log());
    }

    /// How it ended, if it has.
    pub(crate) fn status(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().expect("the server can be asked for")
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything that the server has said.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Fills the server's disk but for some bytes; the answer is the file to remove.
    pub(crate) fn fill_disk_but(&self, bytes: u64) -> PathBuf {
        use std::io::Write as _;
        // The folder as the server sees it: its mount is not visible from here.
        let inside = format!("/proc/{}/root{}", self.child.id(), self.disk.display());
        let path = PathBuf::from(inside).join("filler");
        let mut filler = std::fs::File::create(&path).expect("a file on the small disk");
        let mut size = 0;
        while size < SMALL_DISK_MAX && filler.write_all(&[1; 4_096]).is_ok() {
            size += 4_096;
        }
        assert!(size < SMALL_DISK_MAX, "the disk is not small");
        filler.set_len(size.saturating_sub(bytes)).expect("a shorter filler");
        path
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already ended is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that hears nothing of the settings of whoever runs the tests.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TIDEGATE_") {
            command.env_remove(name);
        }
    }
    command
}

fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_tidegate")
}

/// The address that the server says it listens on.
fn wait_until_ready(child: &mut Child, log: &Path) -> SocketAddr {
    let until = Instant::now() + READY_WITHIN;
    let said = || std::fs::read_to_string(log).unwrap_or_default();
    while Instant::now() < until && child.try_wait().expect("the server can be asked for").is_none() {
        if let Some(address) = said().lines().find_map(ready_at) {
            return address;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    panic!("the server did not start:\n{}", said());
}

/// Of the first words that every start says, whatever its logs may.
fn ready_at(line: &str) -> Option<SocketAddr> {
    let (_scheme, rest) = line.trim().strip_prefix("API ")?.split_once("://")?;
    rest.strip_suffix("/api/v1")?.parse().ok()
}
