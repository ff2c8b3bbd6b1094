//! Help, completions, the API's description and usage errors.

use rstest::rstest;

use crate::support::tidegate;

#[tokio::test]
async fn the_front_page_of_the_help_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let help = tidegate(folder.path(), &[], &["--help"]).await.expect(0).stdout;
    insta::assert_snapshot!("help", help);
}

#[rstest]
#[case("bash")]
#[case("zsh")]
#[case("fish")]
#[tokio::test]
async fn completions_name_every_verb(#[case] shell: &str) {
    let folder = tempfile::tempdir().unwrap();
    let script = tidegate(folder.path(), &[], &["completions", shell]).await.expect(0).stdout;
    for verb in [
        "serve", "dev", "demo", "run", "tail", "publish", "upload", "ticket", "user", "key", "config",
        "doctor",
    ] {
        assert!(script.contains(verb), "{shell}: {verb}");
    }
}

#[tokio::test]
async fn openapi_prints_a_document_of_version_3_1() {
    let folder = tempfile::tempdir().unwrap();
    let text = tidegate(folder.path(), &[], &["openapi"]).await.expect(0).stdout;
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[rstest]
#[case(&["no-such-verb"])]
#[case(&["run"])]
#[case(&["serve", "--no-such-flag"])]
#[case(&["key", "create", "--scope", "everything"])]
#[case(&["publish", "a", "-d", "{"])]
#[case(&["tail", "x", "--url", "not a url"])]
#[tokio::test]
async fn a_command_line_that_makes_no_sense_is_a_usage_error(#[case] args: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let ended = tidegate(folder.path(), &[("TIDEGATE_KEY", "k")], args).await.expect(2);
    assert!(!ended.stderr.is_empty());
}

#[tokio::test]
async fn an_unreachable_server_and_a_missing_credential_have_exit_codes_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = ["--url", "http://127.0.0.1:1"];
    let env = [("TIDEGATE_KEY", "k")];
    for verb in [&["tail", "x"][..], &["run", "--", "true"], &["publish", "a/b", "-d", "1"], &["ticket", "x"]]
    {
        let args: Vec<&str> = nowhere.iter().chain(verb).copied().collect();
        tidegate(folder.path(), &env, &args).await.expect(5);
    }
    tidegate(folder.path(), &[], &["--url", "http://127.0.0.1:1", "tail", "x"]).await.expect(3);
    let ended = tidegate(folder.path(), &env, &["--url", "http://127.0.0.1:1", "doctor"]).await.expect(1);
    assert!(ended.stdout.contains("can't be reached"), "{ended:#?}");
}
