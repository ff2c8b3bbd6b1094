//! Searching what was uploaded.

use proptest::prelude::*;
use tidegate_documents::{Matching, Search as _, SearchQuery};
use tidegate_types::{OsEntropy, Timestamp, UserId};

use crate::rig::Rig;

fn query(rig: &Rig, text: &str) -> SearchQuery {
    SearchQuery {
        owner: rig.owner,
        documents: Vec::new(),
        text: text.to_owned(),
        matching: Matching::All,
        limit: 10,
    }
}

async fn found(rig: &Rig, text: &str) -> Vec<String> {
    let hits = rig.documents.search(query(rig, text)).await.unwrap();
    hits.into_iter().map(|hit| hit.passage.text).collect()
}

#[tokio::test]
async fn words_are_found_in_other_forms_and_by_their_beginning() {
    let rig = Rig::start().await;
    rig.ready(
        "a.md",
        b"# Gates\n\nThe tide gate lets water through one way.\n\n# Cakes\n\nBaking takes an hour.",
    )
    .await;
    assert_eq!(found(&rig, "gates").await.len(), 1);
    assert_eq!(found(&rig, "baked").await.len(), 1, "stems meet");
    assert_eq!(found(&rig, "wat").await.len(), 1, "the last word is a beginning");
    assert_eq!(found(&rig, "wat ").await.len(), 0, "unless it is over");
    assert_eq!(found(&rig, "water baking").await.len(), 0, "every word counts");
    let any = SearchQuery { matching: Matching::Any, ..query(&rig, "water baking") };
    assert_eq!(rig.documents.search(any).await.unwrap().len(), 2);
}

#[tokio::test]
async fn highlights_are_the_words_that_were_found() {
    let rig = Rig::start().await;
    rig.ready("a.txt", "Größe: the gates, the Gate.".as_bytes()).await;
    let hit = rig.documents.search(query(&rig, "gate")).await.unwrap().remove(0);
    let words: Vec<_> = hit.highlights.iter().map(|range| &hit.passage.text[range.clone()]).collect();
    assert_eq!(words, ["gates", "Gate"]);
    assert!(hit.score > 0.0);
}

#[tokio::test]
async fn nobody_finds_what_is_anothers_and_only_the_named_documents_are_searched() {
    let rig = Rig::start().await;
    let one = rig.ready("one.txt", b"the common word").await;
    let two = rig.ready("two.txt", b"the common word again").await;
    let stranger = UserId::generate(Timestamp::from_millis(1), &OsEntropy);
    let foreign = SearchQuery { owner: stranger, ..query(&rig, "common") };
    assert!(rig.documents.search(foreign).await.unwrap().is_empty());
    let foreign = SearchQuery { owner: stranger, documents: vec![one.id], ..query(&rig, "common") };
    assert!(rig.documents.search(foreign).await.unwrap().is_empty());
    let named = SearchQuery { documents: vec![two.id], ..query(&rig, "common") };
    let hits = rig.documents.search(named).await.unwrap();
    assert_eq!(hits.iter().map(|hit| hit.passage.document_id).collect::<Vec<_>>(), [two.id]);
    rig.documents.delete(&two.id).await.unwrap();
    assert_eq!(found(&rig, "common").await.len(), 1);
}

#[test]
fn no_text_is_a_query_language_error() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let rig = runtime.block_on(Rig::start());
    runtime.block_on(rig.ready("a.txt", b"alpha beta gamma 42"));
    let search = |text: &str, matching| {
        let query = SearchQuery { matching, ..query(&rig, text) };
        runtime.block_on(rig.documents.search(query))
    };
    for text in [
        "\"",
        "a\"b",
        "NEAR(a b)",
        "a AND",
        "OR",
        "-a",
        "scope : x",
        "{text}:a",
        "*",
        "a*",
        "^a",
        "(",
        "\0",
        "a\0b",
        "'; DROP TABLE passages; --",
    ] {
        for matching in [Matching::All, Matching::Any] {
            search(text, matching).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        }
    }
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(300));
    runner
        .run(&any::<String>(), |text| {
            prop_assert!(search(&text, Matching::All).is_ok());
            prop_assert!(search(&text, Matching::Any).is_ok());
            Ok(())
        })
        .unwrap();
    let _guard = runtime.enter();
    drop(rig);
}
