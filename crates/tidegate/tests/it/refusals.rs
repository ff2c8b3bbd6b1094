//! `serve` refuses what is not safe: exit 78, one line with setting, why and cure, within 2 s, no port open.

use std::time::Duration;

use rstest::rstest;

use crate::support::{SECRET, tidegate};

async fn refused(env: &[(&str, &str)], file: &str, wanted: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tidegate.toml"), file).unwrap();
    let data = folder.path().display().to_string();
    let ended = tidegate(folder.path(), env, &["serve", "--data", &data]).await.expect(78);
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:#?}");
    for words in wanted {
        assert!(ended.stderr.contains(words), "{words} is not in {}", ended.stderr);
    }
    assert!(ended.after < Duration::from_secs(2), "{:?}", ended.after);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}

#[rstest]
#[case::missing_secret(&[], &["auth.jwt_secret is missing", "openssl rand -hex 32"])]
#[case::empty_secret(&[("JWT_SECRET", "")], &["auth.jwt_secret is missing"])]
#[case::default_secret(&[("JWT_SECRET", "changeme")], &["auth.jwt_secret is a well-known default"])]
#[case::longer_default(&[("JWT_SECRET", "your-super-secret-jwt-key-hunter2-change-me")], &["well-known default"])]
#[case::short_secret(&[("JWT_SECRET", "hunter2-hunter2")], &["auth.jwt_secret is 15 bytes long", "32"])]
#[case::dull_secret(&[("JWT_SECRET", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")], &["easily guessed"])]
#[case::any_origin(&[("JWT_SECRET", SECRET), ("CORS_ORIGIN", "*")], &["cors.origins = *"])]
#[case::any_origin_in_a_list(&[("JWT_SECRET", SECRET), ("CORS_ORIGIN", "https://a.org,*")], &["cors.origins = *"])]
#[case::public_http(&[("JWT_SECRET", SECRET), ("TIDEGATE_SERVER_ADDR", "0.0.0.0:0")], &["server.addr = 0.0.0.0:0", "plain http"])]
#[case::public_http_url(&[("JWT_SECRET", SECRET), ("TIDEGATE_SERVER_PUBLIC_URL", "http://a.org")], &["server.public_url", "https://"])]
#[case::postgres(&[("JWT_SECRET", SECRET), ("DATABASE_URL", "postgres://u:hunter2@h/d")], &["database.url", "stores in SQLite"])]
#[case::postgresql(&[("JWT_SECRET", SECRET), ("DATABASE_URL", "postgresql://u:hunter2@h/d")], &["stores in SQLite"])]
#[case::redis(&[("JWT_SECRET", SECRET), ("REDIS_URL", "redis://:hunter2@h")], &["REDIS_URL", "stores in SQLite"])]
#[case::no_folder(&[("JWT_SECRET", SECRET), ("DATABASE_URL", "sqlite:/nowhere/at/all/x.db")], &["database.url = /nowhere/at/all/x.db is unreachable"])]
#[case::unwritable_folder(&[("JWT_SECRET", SECRET), ("DATABASE_URL", "sqlite:/proc/x.db")], &["database.url = /proc/x.db is unreachable"])]
#[case::misspelt_variable(&[("JWT_SECRET", SECRET), ("TIDEGATE_SERVER_PUBLIC_ULR", "x")], &["TIDEGATE_SERVER_PUBLIC_ULR", "did you mean TIDEGATE_SERVER_PUBLIC_URL?"])]
#[case::bad_port(&[("JWT_SECRET", SECRET), ("PORT", "eighty")], &["PORT = eighty"])]
#[case::bad_limit(&[("JWT_SECRET", SECRET), ("TIDEGATE_LIMITS_TICKET_SECONDS", "0")], &["limits.ticket_seconds = 0", "10 to 60"])]
#[case::bad_lifetime(&[("JWT_SECRET", SECRET), ("JWT_EXPIRES_IN", "soon")], &["auth.jwt_expires_in", "JWT_EXPIRES_IN"])]
#[case::half_tls(&[("JWT_SECRET", SECRET), ("TIDEGATE_SERVER_TLS_KEY", "/etc/hostname")], &["server.tls_cert is missing"])]
#[case::no_certificate(&[("JWT_SECRET", SECRET), ("TIDEGATE_SERVER_TLS_KEY", "/no.pem"), ("TIDEGATE_SERVER_TLS_CERT", "/no.pem")], &["server.tls_cert = /no.pem cannot be read"])]
#[case::bad_level(&[("JWT_SECRET", SECRET), ("TIDEGATE_LOG_LEVEL", "loud")], &["log.level = loud"])]
#[tokio::test]
async fn unsafe_settings_are_refused(#[case] env: &[(&str, &str)], #[case] wanted: &[&str]) {
    refused(env, "", wanted).await;
}

#[rstest]
#[case::misspelt_key("[server]\nadress = \"x\"\n", &["server.adress", "did you mean `server.addr`?"])]
#[case::misspelt_section("[servr]\naddr = \"x\"\n", &["[servr]", "did you mean `[server]`?"])]
#[case::not_toml("[server\n", &["tidegate.toml", "line 1"])]
#[case::wrong_type("[limits]\nticket_seconds = \"ten\"\n", &["limits.ticket_seconds"])]
#[case::a_list_for_a_time("[auth]\njwt_expires_in = [\"hunter2\"]\n", &["auth.jwt_expires_in"])]
#[case::reserved_rule("[[access]]\npath = \"users/**\"\nread = \"anyone\"\n", &["[[access]] path = users/**", "reserved"])]
#[case::symmetric_issuer("[[issuer]]\niss = \"https://i\"\njwks_url = \"https://i/k\"\naudience = \"t\"\nalgorithms = [\"HS256\"]\n", &["HS256"])]
#[case::plain_issuer("[[issuer]]\niss = \"https://i\"\njwks_url = \"http://i/k\"\naudience = \"t\"\n", &["jwks_url", "https"])]
#[tokio::test]
async fn files_that_say_something_else_are_refused(#[case] file: &str, #[case] wanted: &[&str]) {
    refused(&[("JWT_SECRET", SECRET)], file, wanted).await;
}

#[tokio::test]
async fn a_named_file_has_to_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let ended =
        tidegate(folder.path(), &[("JWT_SECRET", SECRET)], &["serve", "--config", "/no/such.toml"]).await;
    assert!(ended.expect(78).stderr.contains("/no/such.toml cannot be read"));
}

#[tokio::test]
async fn a_key_file_that_others_may_read_is_refused_with_the_command_that_mends_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("jwt.pem");
    std::fs::write(&key, "x").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let key = key.display().to_string();
    let ended = tidegate(folder.path(), &[("TIDEGATE_AUTH_JWT_KEY_FILE", &key)], &["serve"]).await.expect(78);
    assert!(ended.stderr.contains("chmod 600"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_port_in_use_and_a_folder_in_use_are_refused() {
    let mut server = tidegate_testkit::TestProcess::start().await.unwrap();
    let data = server.data().display().to_string();
    let addr = server.addr().to_string();
    let folder = tempfile::tempdir().unwrap();
    let env = [("JWT_SECRET", SECRET)];
    let second = tidegate(folder.path(), &env, &["serve", "--data", &data, "--addr", "127.0.0.1:0"]).await;
    assert!(second.expect(78).stderr.contains("is in use by another server (process"));
    let other = folder.path().join("other").display().to_string();
    let second = tidegate(folder.path(), &env, &["serve", "--data", &other, "--addr", &addr]).await;
    assert!(second.expect(78).stderr.contains("can't be listened on"));
    server.kill().await.unwrap();
}

#[tokio::test]
async fn dev_listens_on_loopback_only() {
    let folder = tempfile::tempdir().unwrap();
    let env = [("TIDEGATE_SERVER_ADDR", "0.0.0.0:0"), ("TIDEGATE_SERVER_PUBLIC_URL", "https://a.org")];
    let ended = tidegate(folder.path(), &env, &["dev"]).await.expect(78);
    assert!(ended.stderr.contains("loopback only"), "{}", ended.stderr);
}
