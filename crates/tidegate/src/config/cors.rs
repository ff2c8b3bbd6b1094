//! `[cors]`: which pages may call the API with credentials.

use super::Refusal;
use super::spec::section;

section! {
    /// Pages of other origins that may call the API.
    CorsConfig in "cors" {
        /// Exact origins, e.g. http://localhost:5173; also CORS_ORIGIN (comma list).
        origins: Vec<String> = Vec::new(), List;
    }
}

impl CorsConfig {
    /// Origins as browsers send them: no slash at the end, host in lower case.
    pub(super) fn normalise(&mut self) {
        for origin in &mut self.origins {
            *origin = origin.trim().trim_end_matches('/').to_lowercase();
        }
        self.origins.retain(|origin| !origin.is_empty());
    }

    pub(super) fn check(&self, refusals: &mut Vec<Refusal>) {
        for origin in &self.origins {
            if origin.contains('*') || origin == "null" {
                refusals.push(Refusal::new(
                    "cors.origins",
                    format!("= {origin} would let any page act for a signed-in user"),
                    "list each origin, like https://app.example.org",
                ));
            } else if !is_origin(origin) {
                refusals.push(Refusal::new(
                    "cors.origins",
                    format!("= {origin} is not an origin"),
                    "write scheme, host and port only, like http://localhost:5173",
                ));
            }
        }
    }
}

fn is_origin(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    matches!(scheme, "http" | "https")
        && !rest.is_empty()
        && !rest.contains(['/', '?', '#', '@', ' '])
        && text.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some())
}
