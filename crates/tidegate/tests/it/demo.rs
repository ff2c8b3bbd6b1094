//! The first thing that a stranger runs.

use crate::support::tidegate;

#[tokio::test]
async fn the_demo_runs_in_an_empty_folder_cuts_itself_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ended =
        tidegate(folder.path(), &[], &["--json", "demo", "--speed", "20x", "--exit", "--port", "0"]).await;
    let ended = ended.expect(0);
    let shown = ended.json().pop().unwrap();
    assert_eq!(shown["status"], "completed");
    assert!(shown["resumed"].as_u64().unwrap() >= 1);
    assert!(shown["events"].as_u64().unwrap() >= 3, "{shown}");
    assert!(ended.stderr.contains("the connection is cut on purpose"), "{}", ended.stderr);
    assert!(!ended.stdout.contains("tgt_") && !ended.stderr.contains("tgk_"), "{ended:#?}");
}
