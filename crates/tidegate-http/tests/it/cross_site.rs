//! Cookies that a foreign page makes the browser send.

use rstest::rstest;

use crate::fixture::Server;

const LISTED: &str = "https://app.example.org";

/// The status and code of a request with a session cookie that no session has. A 403 means that the
/// page was refused before anyone looked at the cookie.
async fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String, bool) {
    let server = Server::with(|setup| setup.config.cors_origins = vec![LISTED.to_owned()]).await;
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let answer = server
        .send(&format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nCookie: tidegate=made-up\r\n{headers}\
             Content-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
        ))
        .await;
    let allowed = answer.header("access-control-allow-origin").is_some();
    assert_eq!(answer.header("set-cookie"), None);
    (answer.status, answer.code(), allowed)
}

#[rstest]
#[case(&[("Sec-Fetch-Site", "cross-site")], "cross-site-request")]
#[case(&[("Sec-Fetch-Site", "same-site")], "cross-site-request")]
#[case(&[("Sec-Fetch-Site", "none")], "cross-site-request")]
#[case(&[("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.test")], "cross-site-request")]
#[case(&[], "cross-site-request")]
#[case(&[("Origin", "null")], "origin-not-allowed")]
#[case(&[("Origin", "https://app.example.org.evil.test")], "origin-not-allowed")]
#[case(&[("Origin", "https://localhost")], "origin-not-allowed")]
#[tokio::test]
async fn a_foreign_page_changes_nothing_and_opens_no_stream(
    #[case] headers: &[(&str, &str)],
    #[case] code: &str,
    #[values("GET", "POST", "PUT", "DELETE")] method: &str,
) {
    let (status, given, allowed) = ask(method, "/v1/stream/a/b", headers).await;
    assert_eq!((status, given.as_str(), allowed), (403, code, false));
}

#[rstest]
#[case(&[("Sec-Fetch-Site", "same-origin")])]
#[case(&[("Origin", "http://localhost")])]
#[case(&[("Origin", LISTED)])]
#[case(&[("Sec-Fetch-Site", "cross-site"), ("Origin", LISTED)])]
#[tokio::test]
async fn own_and_listed_pages_are_heard(
    #[case] headers: &[(&str, &str)],
    #[values("GET", "POST")] method: &str,
) {
    let (status, code, _) = ask(method, "/v1/stream/a/b", headers).await;
    assert_ne!(status, 403, "{code}");
}
