//! Running the binary once.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tidegate_testkit::command;
use tokio::io::AsyncWriteExt as _;

/// A secret that is accepted.
pub(crate) const SECRET: &str = tidegate_testkit::TEST_SECRET;

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) after: Duration,
}

impl Ended {
    /// The JSON that it printed, one value a line.
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        let lines = self.stdout.lines();
        lines.map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
    }

    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
}

/// Runs the binary in a folder with these variables and nothing of the developer's.
pub(crate) async fn tidegate(folder: &Path, env: &[(&str, &str)], args: &[&str]) -> Ended {
    let mut command = command(folder).unwrap();
    command.args(args).envs(env.iter().copied());
    finish(command, "").await
}

/// Runs a command to its end with this input.
pub(crate) async fn finish(mut command: tokio::process::Command, stdin: &str) -> Ended {
    let started = tokio::time::Instant::now();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // A verb that reads no input may be gone already.
    let _ = input.write_all(stdin.as_bytes()).await;
    drop(input);
    let ended = tokio::time::timeout(Duration::from_secs(30), child.wait_with_output());
    let output = ended.await.expect("the verb ends").unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        after: started.elapsed(),
    }
}
