//! Every file of the corpus against one server, two at a time, as many as it reads at once.

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};

use super::corpus::{Case, Fate, cases};
use super::world::{Ended, World};

/// How much the server may grow over all of them.
const GROWTH_KIB: u64 = 100 * 1_024;
/// Files that would be read for ever are given up sooner than by default: the rule is the same.
const SETTINGS: &str =
    "[limits]\ndocuments_per_user = 1000\nextraction_cpu_seconds = 4\nextraction_wall_seconds = 6\n";
/// A file that takes longer is named.
const SLOW: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_hostile_files_leave_the_server_alive_and_each_gets_its_answer() {
    let world = World::new(SETTINGS).await;
    let before = world.memory_kib("VmRSS");
    let pid = world.server.pid();
    let all = cases();
    assert!(all.len() >= 60, "{} files", all.len());
    let ended = stream::iter(all).map(|case| check(&world, case)).buffer_unordered(2);
    let wrong: Vec<String> = ended.filter_map(|wrong| async { wrong }).collect().await;
    assert!(wrong.is_empty(), "{} wrong answers:\n{}\n{}", wrong.len(), wrong.join("\n"), world.server.log());
    assert_eq!(world.server.pid(), pid);
    let grown = world.memory_kib("VmRSS").saturating_sub(before);
    assert!(grown <= GROWTH_KIB, "the server grew by {grown} KiB");
    nothing_is_left(&world);
    assert!(!Path::new("/tmp/tidegate-climbed").exists());
}

/// Uploads one file; `Some` says what is wrong with the answer.
async fn check(world: &World, case: Case) -> Option<String> {
    let Case { name, filename, bytes, fate } = case;
    let began = Instant::now();
    let ended = world.upload(&filename, bytes).await;
    if began.elapsed() > SLOW {
        eprintln!("{name} ({filename:.40}) took {:?}", began.elapsed());
    }
    if let Some(id) = ended.record["id"].as_str() {
        world.delete(id).await;
    }
    let why = judge(fate, &ended)?;
    Some(format!("- {name} ({filename:.40}): {why}: {} {} {}", ended.status, ended.code, ended.record))
}

fn judge(fate: Fate, ended: &Ended) -> Option<String> {
    if ended.answered_after > Duration::from_secs(25) {
        return Some(format!("answered after {:?}", ended.answered_after));
    }
    let is_failure = ended.code == "document-unprocessable";
    let is_right = match (fate, ended.status) {
        (Fate::Refused(code), 200..) => ended.status >= 400 && ended.code == code,
        (Fate::Useless, 202) => ended.record["status"] == "failed" && is_failure,
        (Fate::Useless, 422) => is_failure,
        (Fate::Ready, 202) => ended.record["status"] == "ready",
        (Fate::Ends, 202) => ended.record["status"] == "ready" || is_failure,
        (Fate::Ends, 422) => is_failure,
        (Fate::Useless | Fate::Ends, 413 | 415) => true,
        _ => false,
    };
    (!is_right).then(|| format!("not {fate:?}"))
}

/// Nothing of them lies anywhere: not in the store, not beside it.
fn nothing_is_left(world: &World) {
    let strange = world.files().into_iter().filter(|file| {
        let known = ["tidegate.db", "tidegate.toml", "stderr.log", "tidegate.lock"];
        !known.iter().any(|name| file.starts_with(name))
    });
    let strange: Vec<_> = strange.collect();
    assert!(strange.is_empty(), "{strange:?}");
}
