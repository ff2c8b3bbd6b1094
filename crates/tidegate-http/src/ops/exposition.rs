//! The two texts that scrapers read: OpenMetrics, and Prometheus' own older format.
//!
//! Owns: which one a request gets.
//! Must not: know any metric.

use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The answer to a scrape. `text` is OpenMetrics; who does not ask for that gets the older format.
pub(super) fn page(text: String, headers: &HeaderMap) -> Response {
    let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    if accepted.any(|value| value.contains("application/openmetrics-text")) {
        return ([(CONTENT_TYPE, OPENMETRICS)], text).into_response();
    }
    ([(CONTENT_TYPE, PROMETHEUS)], prometheus(&text)).into_response()
}

/// The older format: no units, no end mark, and a counter is described by the name of its samples.
fn prometheus(text: &str) -> String {
    let counters: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut plain = String::with_capacity(text.len());
    for line in text.lines() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        plain.push_str(&described(line, &counters).unwrap_or_else(|| line.to_owned()));
        plain.push('\n');
    }
    plain
}

fn described(line: &str, counters: &[&str]) -> Option<String> {
    let mut words = line.splitn(4, ' ');
    let (hash, kind, name, rest) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let is_counter = hash == "#" && matches!(kind, "HELP" | "TYPE") && counters.contains(&name);
    is_counter.then(|| format!("# {kind} {name}_total {rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP a_requests Requests.\n# TYPE a_requests counter\na_requests_total{x=\"1\"} 2\n\
        # HELP a_seconds Time.\n# TYPE a_seconds histogram\n# UNIT a_seconds seconds\na_seconds_count 1\n# EOF\n";

    #[test]
    fn the_older_format_names_counters_as_their_samples() {
        assert_eq!(
            prometheus(TEXT),
            "# HELP a_requests_total Requests.\n# TYPE a_requests_total counter\na_requests_total{x=\"1\"} 2\n\
             # HELP a_seconds Time.\n# TYPE a_seconds histogram\na_seconds_count 1\n"
        );
    }

    #[test]
    fn openmetrics_is_for_those_who_ask_for_it() {
        let mut headers = HeaderMap::new();
        let plain = page(TEXT.to_owned(), &headers);
        assert_eq!(plain.headers()[CONTENT_TYPE], PROMETHEUS);
        let accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
        headers.insert(ACCEPT, accept.parse().unwrap());
        assert_eq!(page(TEXT.to_owned(), &headers).headers()[CONTENT_TYPE], OPENMETRICS);
    }
}
