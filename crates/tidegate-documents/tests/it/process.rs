//! From an upload to passages, told on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tidegate_documents::suite::InProcess;
use tidegate_documents::{Documents, ExtractError, ExtractJob, Extracted, Extractor, MediaType, Status};
use tidegate_types::{ErrorCode, Limits, StreamPath};
use tokio::sync::mpsc;

use crate::rig::{Rig, new};

/// Loses or holds the first extractions.
#[derive(Debug, Default)]
struct Shaky {
    to_lose: AtomicUsize,
    to_hold: AtomicUsize,
}

#[async_trait]
impl Extractor for Shaky {
    async fn extract(&self, job: ExtractJob, pieces: mpsc::Sender<Extracted>) -> Result<(), ExtractError> {
        let spend = |count: &AtomicUsize| {
            count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok()
        };
        if spend(&self.to_lose) {
            return Err(ExtractError::Lost("planted".to_owned()));
        }
        if spend(&self.to_hold) {
            std::future::pending::<()>().await;
        }
        InProcess.extract(job, pieces).await
    }
}

#[tokio::test]
async fn a_document_is_told_from_its_receipt_to_its_end() {
    let rig = Rig::start().await;
    let document = rig.ready("notes.md", b"# One\n\nFirst.\n\n# Two\n\nSecond.").await;
    assert_eq!(document.media_type, MediaType::Markdown);
    assert_eq!((document.passages, document.progress), (2, 1.0));
    let (records, closed) = rig.records(&Documents::stream_path(document.id)).await;
    assert!(closed);
    let stages: Vec<_> = records.iter().map(|record| record["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["received", "opening", "extracting", "ready"]);
    assert_eq!(records[3]["status"], "ready");
    assert_eq!(records[3]["passages"], 2);
    // The feed is told after the stream.
    let told = async {
        while rig.log.lookup(&StreamPath::of_feed(rig.owner)).await.unwrap().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), told).await.unwrap();
    let (feed, _) = rig.records(&StreamPath::of_feed(rig.owner)).await;
    assert_eq!(feed.len(), 1);
    assert_eq!(feed[0]["type"], "document.ready");
    assert_eq!(feed[0]["data"]["document_id"], document.id.to_string());
}

#[tokio::test]
async fn passages_are_the_bytes_of_the_text_that_they_say() {
    let rig = Rig::start().await;
    let text = "Ein Satz über Gezeiten. ".repeat(400) + "\n\nThe end.";
    let document = rig.ready("a.txt", text.as_bytes()).await;
    let whole = rig.documents.text(&document.id).await.unwrap().unwrap();
    assert_eq!(whole.len() as u64, document.text_bytes);
    let passages = rig.documents.passages(&document.id, 0..u32::MAX).await.unwrap();
    assert_eq!(passages.len(), document.passages as usize);
    assert!(passages.len() > 5);
    for passage in &passages {
        assert_eq!(&whole[passage.start..passage.end], passage.text);
    }
    let some = rig.documents.passages(&document.id, 2..4).await.unwrap();
    assert_eq!(some, passages[2..4]);
}

#[tokio::test]
async fn a_file_that_does_not_open_is_refused_at_once_and_leaves_nothing() {
    let rig = Rig::start().await;
    for (filename, bytes) in [("a.pdf", &b"%PDF-1.7\nnothing"[..]), ("b.txt", b" \n\t ")] {
        let error = rig.upload(filename, bytes).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::DocumentUnprocessable, "{filename}: {error}");
    }
    let list = rig.documents.list(rig.owner, None, 10).await.unwrap();
    assert!(list.items.is_empty());
    assert_eq!(std::fs::read_dir(rig.folder().join("files")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(rig.folder().join("incoming")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_dropped_or_too_large_upload_leaves_nothing() {
    let limits = Limits { upload_bytes: 2_000, ..Limits::default() };
    let rig = Rig::with(limits, Arc::new(InProcess)).await;
    let mut upload = rig.documents.begin_upload(new(rig.owner, "a.txt")).await.unwrap();
    upload.write(b"half").await.unwrap();
    drop(upload);
    let error = rig.upload("a.txt", &[b'x'; 2_001]).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::BodyTooLarge);
    assert_eq!(std::fs::read_dir(rig.folder().join("incoming")).unwrap().count(), 0);
}

#[tokio::test]
async fn an_owner_has_room_for_so_many_documents() {
    let limits = Limits { documents_per_user: 1, ..Limits::default() };
    let rig = Rig::with(limits, Arc::new(InProcess)).await;
    let first = rig.ready("a.txt", b"one").await;
    assert_eq!(rig.upload("b.txt", b"two").await.unwrap_err().code(), ErrorCode::DocumentLimit);
    rig.documents.delete(&first.id).await.unwrap();
    rig.ready("b.txt", b"two").await;
}

#[tokio::test]
async fn a_lost_extraction_is_begun_again_and_not_for_ever() {
    let shaky = Arc::new(Shaky::default());
    shaky.to_lose.store(1, Ordering::SeqCst);
    let rig = Rig::with(Limits::default(), shaky.clone()).await;
    let document = rig.ready("a.txt", b"one").await;
    assert_eq!((document.attempt, document.passages), (2, 1));
    shaky.to_lose.store(100, Ordering::SeqCst);
    let document = rig.upload("b.txt", b"two").await.unwrap();
    let ended = rig.ended(document.id).await;
    assert_eq!(ended.status, Status::Failed);
    assert_eq!(ended.attempt, 4);
}

#[tokio::test]
async fn a_restart_in_the_middle_takes_it_up_again() {
    let shaky = Arc::new(Shaky::default());
    shaky.to_hold.store(1, Ordering::SeqCst);
    let rig = Rig::with(Limits::default(), shaky).await;
    let document = rig.upload("a.txt", b"one").await.unwrap();
    assert_eq!(document.status, Status::Processing);
    let rig = rig.restart(Arc::new(InProcess)).await;
    let ended = rig.ended(document.id).await;
    assert_eq!((ended.status, ended.passages), (Status::Ready, 1));
}

#[tokio::test]
async fn deleting_removes_record_file_stream_and_passages() {
    let rig = Rig::start().await;
    let document = rig.ready("a.txt", b"one").await;
    rig.documents.delete(&document.id).await.unwrap();
    assert!(rig.documents.lookup(&document.id).await.unwrap().is_none());
    assert!(rig.log.lookup(&Documents::stream_path(document.id)).await.unwrap().is_none());
    assert_eq!(std::fs::read_dir(rig.folder().join("files")).unwrap().count(), 0);
    assert!(rig.documents.delete(&document.id).await.is_err());
    let count = || {
        rig.db.read(|conn| {
            let count = "SELECT (SELECT count(*) FROM passages) + (SELECT count(*) FROM document_removals)";
            Ok::<i64, tidegate_db::DbError>(conn.query_row(count, [], |row| row.get(0))?)
        })
    };
    let gone = async {
        while count().await.unwrap() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), gone).await.unwrap();
}
