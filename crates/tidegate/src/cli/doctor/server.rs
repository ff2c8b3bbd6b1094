//! What any client can see of a server: is it there, ready, on time, and which origins does it allow?

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tidegate_types::{Clock as _, SystemClock, Timestamp};

use super::{Finding, Report};
use crate::cli::client::{Call, Client};
use crate::cli::exit::CliError;
use crate::config::Hidden;

const SKEW_MAX: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_secs(5);

/// Signs in as people do; the client goes on with the access token.
pub(super) async fn sign_in(
    client: &Client,
    email: &str,
    report: &mut Report<'_>,
) -> Result<Client, CliError> {
    let mut password = String::new();
    std::io::stdin()
        .read_line(&mut password)
        .map_err(|error| CliError::io("cannot read the password", error))?;
    let password = password.trim_end_matches(['\n', '\r']);
    let body = json!({ "email": email, "password": password });
    match client.call(Call::post("/api/v1/auth/login").json(body).timeout(SHORT)).await {
        Ok(signed_in) => {
            report.add(&Finding::good("sign-in", "accepted"));
            let token = signed_in.body.get("access_token").and_then(|v| v.as_str()).unwrap_or_default();
            Client::new(client.base(), Some(Hidden::from(token.to_owned())))
        }
        Err(error) => {
            let words = format!("{} ({})", error.detail, error.code);
            report.add(&Finding::bad(
                "sign-in",
                words,
                "check the email and the password, or `tidegate user list`",
            ));
            Ok(client.clone())
        }
    }
}

/// Whether there is a server to go on with.
pub(super) async fn check(client: &Client, origins: &[String], report: &mut Report<'_>) -> bool {
    let health = match client.anonymous(Method::GET, "/healthz").timeout(SHORT).send().await {
        Ok(health) => health,
        Err(error) => {
            report.add(&Finding::bad(
                "server",
                format!("{} can't be reached: {}", client.base(), error.without_url()),
                "start it with `tidegate dev`, or name it with --url",
            ));
            return false;
        }
    };
    let version = format!("{} answers over {:?}", client.base(), health.version());
    report.add(&Finding::good("server", version));
    clock(&health, report);
    match client.call(Call::read("/readyz").timeout(SHORT)).await {
        Ok(_) => report.add(&Finding::good("ready", "the database answers")),
        Err(error) => report.add(&Finding::bad(
            "ready",
            error.detail,
            "see the server's log; it may be starting or draining",
        )),
    }
    credential(client, report).await;
    for origin in origins {
        cors(client, origin, report).await;
    }
    foreign_origin(client, report).await;
    true
}

fn clock(health: &reqwest::Response, report: &mut Report<'_>) {
    let date = health.headers().get("date").and_then(|value| value.to_str().ok());
    let Some(theirs) = date.and_then(parse_http_date) else {
        report.add(&Finding::skipped("clock", "the server sends no date"));
        return;
    };
    let ours = SystemClock.now();
    let skew = ours.since(theirs).max(theirs.since(ours));
    let words = format!("{:.0} s apart", skew.as_secs_f64());
    if skew > SKEW_MAX {
        report.add(&Finding::bad("clock", words, "set both clocks by NTP: tokens and tickets live by them"));
    } else {
        report.add(&Finding::good("clock", words));
    }
}

/// The one date format that servers send (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
fn parse_http_date(text: &str) -> Option<Timestamp> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [_, day, month, year, time, "GMT"] = parts.as_slice() else { return None };
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|name| name == month)? + 1;
    Timestamp::parse_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z")).ok()
}

async fn credential(client: &Client, report: &mut Report<'_>) {
    if !client.has_key() {
        return;
    }
    match client.call(Call::read("/api/v1/generations?limit=1").timeout(SHORT)).await {
        Ok(_) => report.add(&Finding::good("credential", "accepted")),
        Err(error) if error.status == Some(403) => {
            report.add(&Finding::good("credential", "accepted (a service without an owner)"))
        }
        Err(error) => report.add(&Finding::bad(
            "credential",
            format!("{} ({})", error.detail, error.code),
            "make a new key with `tidegate key create`",
        )),
    }
}

async fn cors(client: &Client, origin: &str, report: &mut Report<'_>) {
    let allowed = preflight(client, origin).await;
    if allowed.as_deref() == Some(origin) {
        report.add(&Finding::good("cors", format!("{origin} is allowed")));
    } else {
        report.add(&Finding::bad(
            "cors",
            format!("{origin} is not allowed"),
            format!("add \"{origin}\" to cors.origins (or CORS_ORIGIN)"),
        ));
    }
}

async fn foreign_origin(client: &Client, report: &mut Report<'_>) {
    let foreign = "https://not-listed.invalid";
    match preflight(client, foreign).await {
        None => report.add(&Finding::good("cors", "an unlisted origin is not allowed")),
        Some(_) => report.add(&Finding::bad(
            "cors",
            "an unlisted origin is allowed",
            "a proxy in between adds CORS headers: take them out there",
        )),
    }
}

async fn preflight(client: &Client, origin: &str) -> Option<String> {
    let response = client
        .anonymous(Method::OPTIONS, "/api/v1/auth/me")
        .header("origin", origin)
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization")
        .timeout(SHORT)
        .send()
        .await
        .ok()?;
    response.headers().get("access-control-allow-origin")?.to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_are_read() {
        let read = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(read.to_string(), "1994-11-06T08:49:37.000Z");
        assert_eq!(parse_http_date("yesterday"), None);
    }
}
