//! The rule for ambient credentials: a cookie counts only where its own page, or a listed one, asks.
//!
//! Owns: `Sec-Fetch-Site` first, else `Origin`, else refusal.
//! Must not: be asked for header credentials, which no foreign page can send by accident.

use http::header::ORIGIN;
use http::request::Parts;
use tidegate_gate::FetchSite;
use tidegate_types::ErrorCode;

use super::facts::fetch_site;
use crate::HttpConfig;
use crate::edge::{RequestInfo, host_of};
use crate::problem::Problem;

/// Refuses a cookie request that a foreign page may have sent.
pub(super) fn check(config: &HttpConfig, parts: &Parts, info: Option<&RequestInfo>) -> Result<(), Problem> {
    let headers = &parts.headers;
    let origin = headers.get(ORIGIN).map(|value| value.to_str().unwrap_or("null"));
    let is_listed = origin.is_some_and(|origin| config.lists_origin(origin));
    match fetch_site(headers) {
        Some(FetchSite::SameOrigin) => Ok(()),
        Some(FetchSite::SameSite | FetchSite::CrossSite) if is_listed => Ok(()),
        Some(FetchSite::SameSite | FetchSite::CrossSite) => Err(ErrorCode::CrossSiteRequest.into()),
        // `none` is a person at the address bar: no page vouches for it, so `Origin` decides.
        Some(FetchSite::None) | None => match origin {
            Some(origin) if is_listed || is_own(config, parts, info, origin) => Ok(()),
            Some(_) => Err(ErrorCode::OriginNotAllowed.into()),
            None => Err(ErrorCode::CrossSiteRequest.into()),
        },
    }
}

fn is_own(config: &HttpConfig, parts: &Parts, info: Option<&RequestInfo>, origin: &str) -> bool {
    if config.public_url.as_deref().is_some_and(|url| url.trim_end_matches('/') == origin) {
        return true;
    }
    let (Some(info), Some(host)) = (info, host_of(&parts.uri, &parts.headers)) else { return false };
    let scheme = if info.https { "https" } else { "http" };
    origin.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://")).is_some_and(|own| own == host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Some("same-origin"), None, None)]
    #[case(Some("same-origin"), Some("http://127.0.0.1:8000"), None)]
    #[case(Some("cross-site"), Some("https://listed.example"), None)]
    #[case(None, Some("https://listed.example"), None)]
    #[case(None, Some("http://127.0.0.1:8000"), None)]
    #[case(None, Some("https://public.example"), None)]
    #[case(Some("cross-site"), None, Some(ErrorCode::CrossSiteRequest))]
    #[case(Some("same-site"), None, Some(ErrorCode::CrossSiteRequest))]
    #[case(Some("cross-site"), Some("https://evil.example"), Some(ErrorCode::CrossSiteRequest))]
    #[case(Some("none"), None, Some(ErrorCode::CrossSiteRequest))]
    #[case(Some("made-up"), None, Some(ErrorCode::CrossSiteRequest))]
    #[case(None, None, Some(ErrorCode::CrossSiteRequest))]
    #[case(None, Some("null"), Some(ErrorCode::OriginNotAllowed))]
    #[case(None, Some("https://listed.example.evil.test"), Some(ErrorCode::OriginNotAllowed))]
    #[case(None, Some("https://127.0.0.1:8000"), Some(ErrorCode::OriginNotAllowed))]
    #[case(None, Some("http://127.0.0.1:8001"), Some(ErrorCode::OriginNotAllowed))]
    fn cookies_count_only_from_own_and_listed_pages(
        #[case] site: Option<&str>,
        #[case] origin: Option<&str>,
        #[case] expected: Option<ErrorCode>,
    ) {
        let config = HttpConfig {
            cors_origins: vec!["https://listed.example".into()],
            public_url: Some("https://public.example/".into()),
            ..HttpConfig::default()
        };
        let request_id = "r".parse().unwrap();
        let info = RequestInfo { request_id, address: [127, 0, 0, 1].into(), https: false, stream: None };
        let (mut parts, ()) =
            http::Request::get("/").header("host", "127.0.0.1:8000").body(()).unwrap().into_parts();
        let headers = &mut parts.headers;
        site.map(|site| headers.insert("sec-fetch-site", site.parse().unwrap()));
        origin.map(|origin| headers.insert(ORIGIN, origin.parse().unwrap()));
        assert_eq!(check(&config, &parts, Some(&info)).err().map(|problem| problem.code()), expected);
    }
}
