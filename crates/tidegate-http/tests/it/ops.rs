//! What the server says about itself.

use serde_json::Value;
use tidegate_types::ErrorCode;

use crate::fixture::{Server, get};

#[tokio::test]
async fn readiness_follows_the_database() {
    let server = Server::start().await;
    assert_eq!(server.send(&get("/readyz", &[])).await.status, 200);
    server.fail_database("disk is on fire");
    let answer = server.send(&get("/readyz", &[])).await;
    assert_eq!((answer.status, answer.code()), (503, "database-unavailable".to_owned()));
    assert!(answer.header("retry-after").is_some());
    assert!(!answer.raw.contains("on fire"));
    assert_eq!(server.send(&get("/healthz", &[])).await.status, 200);
}

#[tokio::test]
async fn metrics_count_by_route_template_and_code() {
    let server = Server::start().await;
    server.send(&get("/problems/not-found", &[])).await;
    server.send(&get("/nowhere/secret-path", &[])).await;
    let page = server.send(&get("/metrics", &[])).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("tidegate_requests_total{route=\"/problems/{code}\",status=\"200\"} 1"));
    assert!(page.body.contains("tidegate_requests_total{route=\"unmatched\",status=\"404\"} 1"));
    assert!(page.body.contains("tidegate_problems_total{code=\"not-found\"} 1"));
    assert!(!page.body.contains("secret-path"));
    assert!(page.header("content-type").unwrap().starts_with("text/plain"));
    let asked = server.send(&get("/metrics", &[("Accept", "application/openmetrics-text")])).await;
    assert!(asked.body.trim_end().ends_with("# EOF"));
}

#[tokio::test]
async fn metrics_with_a_listener_of_their_own_are_not_here() {
    let server = Server::with(|setup| setup.config.serve_metrics = false).await;
    assert_eq!(server.send(&get("/metrics", &[])).await.status, 404);
}

#[tokio::test]
async fn every_problem_has_a_page_for_people_and_for_programs() {
    let server = Server::start().await;
    for code in ErrorCode::ALL {
        let page =
            server.send(&get(&format!("/problems/{code}"), &[("Accept", "text/html,*/*;q=0.8")])).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(page.body.contains(code.title()));
        let json = server.send(&get(&format!("/problems/{code}"), &[("Accept", "application/json")])).await;
        let kind: Value = serde_json::from_str(&json.body).unwrap();
        assert_eq!(kind["status"], code.status());
    }
    assert_eq!(server.send(&get("/problems/made-up", &[])).await.status, 404);
    let list: Value = serde_json::from_str(&server.send(&get("/problems", &[])).await.body).unwrap();
    assert_eq!(list.as_array().unwrap().len(), ErrorCode::ALL.len());
}

#[tokio::test]
async fn the_openapi_document_is_3_1_and_lists_the_routes() {
    let server = Server::start().await;
    let answer = server.send(&get("/api/v1/openapi.json", &[])).await;
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(document["paths"]["/healthz"]["get"].is_object());
    assert!(document["components"]["schemas"]["ProblemBody"].is_object());
    assert!(document["components"]["securitySchemes"]["bearer"].is_object());
    assert_eq!(document, serde_json::to_value(tidegate_http::openapi()).unwrap());
}

#[tokio::test]
async fn the_docs_page_asks_no_other_host() {
    let server = Server::start().await;
    let page = server.send(&get("/docs", &[])).await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("http"));
    assert!(!page.body.contains("//"), "a reference to another host");
    let references: Vec<&str> = page.body.split(['"']).filter(|part| part.starts_with("/docs/")).collect();
    assert!(references.len() >= 3);
    for path in references {
        let part = server.send(&get(path, &[])).await;
        assert_eq!(part.status, 200, "{path}");
        assert_eq!(part.header("x-content-type-options"), Some("nosniff"));
    }
    let start = server.send(&get("/docs/start.js", &[])).await;
    assert!(start.body.contains("validatorUrl: null"));
}

#[tokio::test]
async fn the_docs_script_is_packed_only_for_those_who_unpack() {
    let server = Server::start().await;
    let script = "/docs/swagger-ui-bundle.js";
    let packed = server.send(&get(script, &[("Accept-Encoding", "br, gzip;q=0.8")])).await;
    assert_eq!((packed.status, packed.header("content-encoding")), (200, Some("gzip")));
    assert_eq!(packed.header("vary").map(str::to_ascii_lowercase).as_deref(), Some("accept-encoding"));
    for without in [&[][..], &[("Accept-Encoding", "identity, gzip;q=0")]] {
        let plain = server.send(&get(script, without)).await;
        assert_eq!((plain.status, plain.header("content-encoding")), (200, None));
        assert!(plain.body.contains("SwaggerUIBundle"), "{without:?}");
    }
}

#[tokio::test]
async fn small_pages_load_nothing() {
    let server = Server::start().await;
    for path in ["/", "/problems", "/problems/gone"] {
        let page = server.send(&get(path, &[("Accept", "text/html")])).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        assert!(!page.body.contains("src="));
    }
    let notes = server.send(&get("/llms.txt", &[])).await;
    assert!(notes.body.starts_with("# Tidegate"));
    assert!(server.send(&get("/", &[])).await.body.contains("/docs"));
}

#[tokio::test]
async fn the_public_keys_need_no_credential() {
    let server = Server::start().await;
    let answer = server.send(&get("/.well-known/jwks.json", &[])).await;
    assert_eq!(answer.status, 200);
    assert!(serde_json::from_str::<Value>(&answer.body).unwrap()["keys"].is_array());
}
