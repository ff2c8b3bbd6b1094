//! Claims about where values come from and which are refused.

use rstest::rstest;

use super::*;
use crate::config::show;

const SECRET: &str = "0f8e7c6b5a4938271605f4e3d2c1b0a9";

fn env(pairs: &[(&str, &str)]) -> Env {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Env::from_parts(pairs.chain([("HOME".to_owned(), "/srv/nobody".to_owned())]), None)
}

fn with_file(text: &str) -> (tempfile::TempDir, Overrides) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tidegate.toml"), text).unwrap();
    let overrides = Overrides { data: Some(folder.path().to_owned()), ..Overrides::default() };
    (folder, overrides)
}

#[test]
fn a_flag_beats_the_environment_the_environment_the_file_and_the_file_the_default() {
    let (_folder, mut overrides) = with_file("[server]\naddr = \"127.0.0.1:1\"\n[log]\nlevel = \"warn\"\n");
    let addr = |overrides: &Overrides, env: &Env| {
        load(overrides, env, Mode::Serve).unwrap().config.server.addr.to_string()
    };
    assert_eq!(addr(&overrides, &env(&[])), "127.0.0.1:1");
    assert_eq!(addr(&overrides, &env(&[("PORT", "2")])), "127.0.0.1:2");
    let both = env(&[("PORT", "2"), ("TIDEGATE_SERVER_ADDR", "localhost:3")]);
    assert_eq!(addr(&overrides, &both), "127.0.0.1:3");
    overrides.addr = Some("127.0.0.1:4".to_owned());
    assert_eq!(addr(&overrides, &both), "127.0.0.1:4");
    assert_eq!(addr(&Overrides::default(), &env(&[])), "127.0.0.1:8000");
}

#[test]
fn show_names_every_source_and_masks_secrets() {
    let (_folder, overrides) = with_file("[log]\nlevel = \"warn\"\n");
    let loaded = load(
        &overrides,
        &env(&[("JWT_SECRET", SECRET), ("CORS_ORIGIN", "http://a:1, http://b:2/")]),
        Mode::Serve,
    );
    let text: Vec<String> = show(&loaded.unwrap()).iter().map(ToString::to_string).collect();
    let has = |wanted: &str| assert!(text.iter().any(|line| line.starts_with(wanted)), "{wanted}: {text:#?}");
    has("auth.jwt_secret = \"********\"  (env JWT_SECRET)");
    has("cors.origins = [\"http://a:1\",\"http://b:2\"]  (env CORS_ORIGIN)");
    has("log.level = \"warn\"  (file ");
    has("server.addr = \"127.0.0.1:8000\"  (default)");
    assert!(!text.join("\n").contains(SECRET));
}

#[rstest]
#[case("[server]\nadr = \"x\"", "did you mean `server.addr`?")]
#[case("[sever]\naddr = \"x\"", "did you mean `[server]`?")]
#[case("addr = \"x\"", "did you mean `server.addr`?")]
#[case("[limits]\nticket_second = 5", "did you mean `limits.ticket_seconds`?")]
#[case("[server]\naddr = 5", "server.addr")]
#[case("[server]\naddr = \"nowhere\"", "127.0.0.1:8000")]
#[case("[server\n", "in line 1")]
#[case("[server]\n\nlegacy_routes = \"yes\"", "server.legacy_routes")]
#[case("[auth]\njwt_secret = 5", "auth.jwt_secret")]
#[case("[[access]]\npath = \"a/**\"\nread = \"everyone\"", "access")]
#[case("[[access]]\npath = \"a/**\"\nwho = \"user\"", "access")]
fn a_file_that_says_something_else_is_refused_on_one_line(#[case] text: &str, #[case] wanted: &str) {
    let (_folder, overrides) = with_file(text);
    let refusal = load(&overrides, &env(&[]), Mode::Serve).unwrap_err().to_string();
    assert!(refusal.contains(wanted), "{refusal}");
    assert!(!refusal.contains('\n'), "{refusal}");
}

#[rstest]
#[case("TIDEGATE_SERVER_ADR", "x", "did you mean TIDEGATE_SERVER_ADDR?")]
#[case("TIDEGATE_JWT_SECRET", "x", "did you mean TIDEGATE_AUTH_JWT_SECRET?")]
#[case("TIDEGATE_LIMITS_TICKET_SECONDS", "soon", "limits.ticket_seconds")]
#[case("TIDEGATE_SERVER_LEGACY_ROUTES", "maybe", "true or false")]
#[case("PORT", "http", "PORT")]
#[case("REDIS_URL", "redis://r", "stores in SQLite")]
#[case("REDIS_HOST", "r", "stores in SQLite")]
fn a_variable_that_says_something_else_is_refused(
    #[case] name: &str,
    #[case] value: &str,
    #[case] wanted: &str,
) {
    let refusal = load(&Overrides::default(), &env(&[(name, value)]), Mode::Serve).unwrap_err().to_string();
    assert!(refusal.contains(wanted), "{refusal}");
}

#[rstest]
#[case(&[], "auth.jwt_secret is missing")]
#[case(&[("JWT_SECRET", "")], "auth.jwt_secret is missing")]
#[case(&[("JWT_SECRET", "short")], "auth.jwt_secret is 5 bytes long")]
#[case(&[("JWT_SECRET", "your-secret-key-change-me-in-production")], "well-known default")]
#[case(&[("JWT_SECRET", SECRET), ("CORS_ORIGIN", "*")], "cors.origins = *")]
#[case(&[("JWT_SECRET", SECRET), ("CORS_ORIGIN", "localhost:3000")], "cors.origins = localhost:3000 is not an origin")]
#[case(&[("JWT_SECRET", SECRET), ("DATABASE_URL", "postgres://h/d")], "stores in SQLite")]
#[case(&[("JWT_SECRET", SECRET), ("TIDEGATE_SERVER_ADDR", "0.0.0.0:8000")], "server.addr = 0.0.0.0:8000")]
#[case(&[("JWT_SECRET", SECRET), ("TIDEGATE_SERVER_PUBLIC_URL", "http://example.org")], "server.public_url")]
#[case(&[("JWT_SECRET", SECRET), ("TIDEGATE_SERVER_PUBLIC_URL", "example.org")], "server.public_url")]
#[case(&[("JWT_SECRET", SECRET), ("TIDEGATE_SERVER_TLS_CERT", "/nowhere.pem")], "server.tls_key")]
#[case(&[("JWT_SECRET", SECRET), ("TIDEGATE_LIMITS_TICKET_SECONDS", "3600")], "limits.ticket_seconds = 3600")]
#[case(&[("JWT_SECRET", SECRET), ("JWT_EXPIRES_IN", "0")], "auth.jwt_expires_in")]
#[case(&[("JWT_SECRET", SECRET), ("TIDEGATE_LOG_LEVEL", "lots!!")], "log.level")]
#[case(&[("JWT_SECRET", SECRET), ("TIDEGATE_AUTH_JWT_KEY_FILE", "/x.pem")], "auth.jwt_key_file")]
fn serve_refuses_what_is_not_safe(#[case] pairs: &[(&str, &str)], #[case] wanted: &str) {
    let loaded = load(&Overrides::default(), &env(pairs), Mode::Serve).unwrap();
    let refusals = loaded.config.refusals(Mode::Serve, &loaded.data);
    let first =
        refusals.first().unwrap_or_else(|| panic!("nothing was refused, wanted {wanted}")).to_string();
    assert!(first.contains(wanted), "{first}");
    assert!(!first.contains('\n') && first.contains("; "), "{first}");
}

#[test]
fn a_safe_configuration_is_not_refused() {
    for pairs in [
        &[("JWT_SECRET", SECRET)][..],
        &[
            ("JWT_SECRET", SECRET),
            ("TIDEGATE_SERVER_ADDR", "0.0.0.0:80"),
            ("TIDEGATE_SERVER_PUBLIC_URL", "https://x.org"),
        ],
        &[
            ("JWT_SECRET", SECRET),
            ("JWT_EXPIRES_IN", "7d"),
            ("DATABASE_URL", "sqlite:x.db"),
            ("OPENAI_API_KEY", "k"),
        ],
    ] {
        let loaded = load(&Overrides::default(), &env(pairs), Mode::Serve).unwrap();
        assert_eq!(loaded.config.refusals(Mode::Serve, &loaded.data), [], "{pairs:?}");
    }
}

#[test]
fn paths_in_the_file_are_relative_to_the_file() {
    let (folder, overrides) = with_file("[server]\ntls_cert = \"cert.pem\"\n");
    let loaded = load(&overrides, &env(&[]), Mode::Serve).unwrap();
    assert_eq!(loaded.config.server.tls_cert, Some(folder.path().join("cert.pem")));
}
