//! `config show`, `check` and `init`: where values come from, and what is wrong with them.

use serde_json::Value;

use crate::support::{SECRET, tidegate};

fn setting<'a>(shown: &'a Value, name: &str) -> &'a Value {
    let settings = shown["settings"].as_array().unwrap();
    settings.iter().find(|s| s["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

#[tokio::test]
async fn show_names_the_source_of_every_value_and_masks_secrets() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("tidegate.toml"),
        "[log]\nlevel = \"debug\"\n[server]\naddr = \"127.0.0.1:1\"\n[cors]\norigins = [\"http://file\"]\n",
    )
    .unwrap();
    // A quoted value, a comment, a variable of somebody else.
    let env_file = format!("# ours\nJWT_SECRET='{SECRET}' # keep\nOPENAI_API_KEY=sk-1\nPORT=2\n");
    std::fs::write(folder.path().join(".env"), env_file).unwrap();
    let data = folder.path().display().to_string();
    let env = [("CORS_ORIGIN", "http://env:1,http://env:2")];
    let args = ["--json", "config", "show", "--data", &data, "--addr", "127.0.0.1:3"];
    let ended = tidegate(folder.path(), &env, &args).await.expect(0);
    assert!(!ended.stdout.contains(SECRET));
    let shown = &ended.json()[0];
    assert_eq!(setting(shown, "server.addr")["value"], "127.0.0.1:3");
    assert_eq!(setting(shown, "server.addr")["source"], "flag --addr");
    assert_eq!(setting(shown, "cors.origins")["value"], serde_json::json!(["http://env:1", "http://env:2"]));
    assert_eq!(setting(shown, "cors.origins")["source"], "env CORS_ORIGIN");
    assert_eq!(setting(shown, "auth.jwt_secret")["value"], "********");
    assert!(setting(shown, "auth.jwt_secret")["source"].as_str().unwrap().ends_with(".env JWT_SECRET"));
    assert!(setting(shown, "log.level")["source"].as_str().unwrap().starts_with("file "));
    assert_eq!(setting(shown, "limits.ticket_seconds")["source"], "default");
    assert!(shown["env_file"].as_str().unwrap().ends_with("/.env"));
}

#[tokio::test]
async fn the_env_file_is_found_upwards_and_changes_nothing_else_with_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), "PORT=4321\n").unwrap();
    let deep = folder.path().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    // A file with this name in the working folder means nothing.
    std::fs::write(deep.join("tidegate.toml"), "[server]\naddr = \"127.0.0.1:9\"\n").unwrap();
    let ended = tidegate(&deep, &[("HOME", "/srv/x")], &["--json", "config", "show"]).await.expect(0);
    let shown = &ended.json()[0];
    assert_eq!(setting(shown, "server.addr")["value"], "127.0.0.1:4321");
    assert_eq!(shown["data"], "/srv/x/.local/share/tidegate");
    assert_eq!(shown["file"], Value::Null);
}

#[tokio::test]
async fn check_lists_everything_that_serve_would_refuse() {
    let folder = tempfile::tempdir().unwrap();
    let env = [("CORS_ORIGIN", "*"), ("TIDEGATE_LIMITS_TICKET_SECONDS", "1")];
    let ended = tidegate(folder.path(), &env, &["config", "check"]).await.expect(78);
    for wanted in ["auth.jwt_secret", "cors.origins", "limits.ticket_seconds"] {
        assert!(ended.stdout.contains(wanted), "{wanted}: {}", ended.stdout);
    }
    tidegate(folder.path(), &[("JWT_SECRET", SECRET)], &["config", "check"]).await.expect(0);
}

#[tokio::test]
async fn init_prints_a_file_that_check_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let sample = tidegate(folder.path(), &[], &["config", "init"]).await.expect(0).stdout;
    for wanted in ["[server]", "[limits]", "# addr = \"127.0.0.1:8000\"", "# [[access]]", "# [[issuer]]"] {
        assert!(sample.contains(wanted), "{wanted}");
    }
    let path = folder.path().join("x.toml");
    std::fs::write(&path, sample).unwrap();
    let path = path.display().to_string();
    tidegate(folder.path(), &[("JWT_SECRET", SECRET)], &["config", "check", "--config", &path])
        .await
        .expect(0);
}

#[tokio::test]
async fn rules_of_retention_are_shown_and_those_that_keep_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    let named = path.display().to_string();
    let env = [("JWT_SECRET", SECRET)];
    write("[[retain]]\npath = \"public/**\"\nmax_age = \"7d\"\nmax_records = 5\n");
    let args = ["--json", "config", "show", "--config", &named];
    let shown = tidegate(folder.path(), &env, &args).await.expect(0).json();
    let rules = &setting(&shown[0], "retain")["value"];
    assert_eq!(rules, &serde_json::json!([{"path": "public/**", "max_age": "7d", "max_records": 5}]));
    for (rule, wanted) in [
        ("path = \"public/**\"\nmax_records = 0", "bound of 0"),
        ("path = \"users/*/events\"\nmax_age = \"1d\"", "reserved prefix"),
        ("path = \"public/**\"\nmax_age = \"soon\"", "7d"),
        ("path = \"public/**\"\nmax_rows = 5", "max_rows"),
    ] {
        write(&format!("[[retain]]\n{rule}\n"));
        let refused =
            tidegate(folder.path(), &env, &["config", "check", "--config", &named]).await.expect(78);
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(said.contains(wanted), "{rule}: {said}");
    }
}
