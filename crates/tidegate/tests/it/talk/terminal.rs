//! The real program as a server, a user's key, and verbs of the same program.

use std::process::Stdio;

use reqwest::Method;
use serde_json::{Value, json};
use tidegate_testkit::{Api, TestProcess, within};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::{Ended, finish};

/// Builds for debugging read slowly.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

pub(super) struct Terminal {
    pub(super) server: TestProcess,
    pub(super) api: Api,
    key: String,
}

impl Terminal {
    pub(super) async fn start(file: &str, env: &[(&str, &str)]) -> Self {
        let server = TestProcess::start_with(file, env).await.unwrap();
        let add = ["--json", "user", "add", "--email", "a@example.org", "--password-stdin"];
        finish(server.verb(&add).unwrap(), "difference-engine-3\n").await.expect(0);
        let create = ["--json", "key", "create", "--owner", "a@example.org", "--scope", "generations:work"];
        let key = finish(server.verb(&create).unwrap(), "").await.expect(0).json().remove(0);
        let key = key["secret"].as_str().unwrap().to_owned();
        let api = Api::new(server.url(), Some(key.clone())).unwrap();
        Self { server, api, key }
    }

    /// A verb with the user's key.
    pub(super) fn verb(&self, args: &[&str]) -> Command {
        let mut command = self.server.verb(args).unwrap();
        command.env("TIDEGATE_KEY", &self.key);
        command
    }

    pub(super) async fn run(&self, args: &[&str]) -> Ended {
        finish(self.verb(args), "").await
    }

    /// Uploads a file; it is read meanwhile.
    pub(super) async fn upload(&self, filename: &str, bytes: &[u8]) -> String {
        let head =
            format!("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\r\n");
        let body = [head.as_bytes(), bytes, b"\r\n--b--\r\n"].concat();
        let request = self.api.request(Method::POST, "/api/v1/documents/upload");
        let request = request.header("content-type", "multipart/form-data; boundary=b").body(body);
        let uploaded = self.api.send(request).await.unwrap();
        assert_eq!(uploaded.status, 202, "{}", uploaded.text);
        uploaded.member("id")
    }

    /// The document as soon as it is as wanted.
    pub(super) async fn document(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        within(PATIENCE, "the document gets there", || async {
            let record = self.api.get(&format!("/api/v1/documents/{id}")).await.ok()?.json();
            wanted(&record).then_some(record)
        })
        .await
    }

    pub(super) async fn ready(&self, filename: &str, bytes: &[u8]) -> String {
        let id = self.upload(filename, bytes).await;
        let record = self.document(&id, |record| record["status"] != "processing").await;
        assert_eq!(record["status"], "ready", "{record}");
        id
    }

    /// A conversation over the document.
    pub(super) async fn conversation(&self, document: &str) -> String {
        let body = json!({ "document_ids": [document] });
        let made = self.api.post("/api/v1/conversations", &body).await.unwrap();
        assert_eq!(made.status, 201, "{}", made.text);
        made.member("id")
    }
}

/// A verb that is watched while it runs.
pub(super) struct Running {
    child: Child,
    stdout: ChildStdout,
    pub(super) said: String,
}

impl Running {
    pub(super) fn start(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        Self { child, stdout, said: String::new() }
    }

    /// Reads on until it has said this.
    pub(super) async fn until(&mut self, text: &str) {
        let read = async {
            let mut buffer = [0; 1_024];
            while !self.said.contains(text) {
                let count = self.stdout.read(&mut buffer).await.unwrap();
                assert!(count > 0, "it ended after {:?}", self.said);
                self.said.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
            }
        };
        tokio::time::timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("it never said {text:?}"));
    }

    /// As Ctrl-C does.
    pub(super) async fn interrupt(&self) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
    }

    /// Its exit code, all that it said, and its notes.
    pub(super) async fn end(mut self) -> (i32, String, String) {
        let read = async {
            self.stdout.read_to_string(&mut self.said).await.unwrap();
            let output = self.child.wait_with_output().await.unwrap();
            (output.status.code().unwrap_or(-1), self.said, String::from_utf8(output.stderr).unwrap())
        };
        tokio::time::timeout(PATIENCE, read).await.expect("the verb ends")
    }
}

/// A way to the server whose connections can be cut.
pub(super) struct Relay {
    port: u16,
    cuts: watch::Sender<u32>,
    serving: JoinHandle<()>,
}

impl Relay {
    pub(super) async fn to(server: &TestProcess) -> Self {
        let (target, listener) = (server.addr(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let port = listener.local_addr().unwrap().port();
        let (cuts, _) = watch::channel(0);
        let seen = cuts.clone();
        let serving = tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let mut cut = seen.subscribe();
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(target).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Self { port, cuts, serving }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends every connection there is.
    pub(super) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
