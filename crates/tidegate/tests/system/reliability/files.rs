//! A server that may open no more files.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use reqwest::Client;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::support::{Installation, Server};

const PATIENCE: Duration = Duration::from_secs(20);
const SPARE: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_out_of_files_says_so_and_comes_back_when_some_are_closed() {
    let installation = Installation::new("");
    let server = installation.serve();
    let url = server.url("/healthz");
    let get = async || Client::new().get(&url).timeout(PATIENCE).send().await.map(|answer| answer.status());
    assert_eq!(get().await.unwrap(), 200);
    allow(&server, open_files(&server) + SPARE);
    let waiting: Vec<_> = (0..3 * SPARE).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    let began = Instant::now();
    while !server.log().contains("can't accept") {
        assert!(began.elapsed() < PATIENCE, "it never ran out of files");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(waiting);
    assert_eq!(get().await.unwrap(), 200);
}

fn pid(server: &Server) -> Pid {
    i32::try_from(server.pid()).ok().and_then(Pid::from_raw).unwrap()
}

fn open_files(server: &Server) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count()
}

fn allow(server: &Server, files: usize) {
    let most = Some(files as u64);
    prlimit(Some(pid(server)), Resource::Nofile, Rlimit { current: most, maximum: most }).unwrap();
}
