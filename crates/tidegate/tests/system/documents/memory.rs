//! What large files cost: the server's own process, and the disk.

use super::pdf::{illustrated, pages};
use super::world::World;

/// A few MiB: pieces on the way, and pages of the database.
const GROWTH_KIB: u64 = 12 * 1_024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_servers_memory_does_not_grow_with_the_size_of_a_text() {
    // A build for debugging reads slowly.
    let world = World::new("[limits]\nextraction_cpu_seconds = 500\nextraction_wall_seconds = 500\n").await;
    let words = |count: usize| "The tide gate lets water through one way. ".repeat(count).into_bytes();
    let large = words(590_000);
    assert!(large.len() > 24_000_000);
    little_is_kept_of(&world, ("first.txt", words(200_000)), ("large.txt", large)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_servers_memory_does_not_grow_with_the_size_of_a_pdf() {
    let world = World::new("").await;
    let texts = |count: usize| (0..count).map(|n| format!("Page {n} speaks of tides.")).collect::<Vec<_>>();
    // Most of a large PDF is pictures.
    let large = illustrated(&texts(60), 24_000_000);
    little_is_kept_of(&world, ("first.pdf", illustrated(&texts(20), 2_000_000)), ("large.pdf", large)).await;
}

/// Buffers, pools and the database's caches are filled by a file of some size first.
async fn little_is_kept_of(world: &World, first: (&str, Vec<u8>), large: (&str, Vec<u8>)) {
    assert_eq!(world.upload(first.0, first.1).await.record["status"], "ready");
    let before = world.memory_kib("VmHWM");
    let (name, size) = (large.0, large.1.len());
    let began = std::time::Instant::now();
    let ended = world.upload(name, large.1).await;
    let took = began.elapsed();
    assert_eq!(ended.record["status"], "ready", "{ended:?}");
    let grown = world.memory_kib("VmHWM").saturating_sub(before);
    eprintln!(
        "{name}, {size} bytes, ready after {took:.1?}: VmHWM before {before} KiB, grown by {grown} KiB"
    );
    assert!(grown <= GROWTH_KIB, "the server grew by {grown} KiB over {size} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pdf_is_searchable_page_by_page() {
    let world = World::new("").await;
    let text = |n: usize| {
        let lines = (0..40).map(|line| {
            format!("Line {line} of page {n} speaks of tides and gates number {}.", n * 40 + line)
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let texts: Vec<_> = (1..=20).map(text).collect();
    let ended = world.upload("book.pdf", pages(&texts)).await;
    assert_eq!(ended.record["status"], "ready", "{ended:?}");
    assert_eq!(ended.record["pages"], 20);
    let id = ended.record["id"].as_str().unwrap();
    let found = world.get(&format!("/api/v1/documents/{id}/passages?query=number%20487")).await;
    assert_eq!(found["items"][0]["page"], 12, "{found}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_does_not_fit_on_the_disk_is_refused_and_leaves_nothing() {
    let world = World::on_small_disk(16).await;
    let ended = world.upload("large.txt", b"tide gate ".repeat(2_000_000)).await;
    assert_eq!((ended.status, ended.code.as_str()), (507, "storage-full"));
    let list = world.get("/api/v1/documents").await;
    assert_eq!(list["items"], serde_json::json!([]));
    assert_eq!(world.upload("small.txt", b"tide gate ".repeat(1_000)).await.record["status"], "ready");
}
