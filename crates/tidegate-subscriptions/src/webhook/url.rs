//! The URL of a webhook.

use std::net::IpAddr;

use url::{Host, Url};

use super::is_public;

/// Which webhooks may be called at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WebhookPolicy {
    /// Whether any may.
    pub enabled: bool,
    /// Whether those of this machine may, over plain http and on any port. For tests.
    pub allow_loopback: bool,
}

/// The URL is not one that may be called. Says why, and repeats nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefused {
    /// Not a URL, or too long.
    #[error("webhook.url must be an absolute URL of at most 2,048 bytes")]
    Malformed,
    /// Neither https nor allowed loopback.
    #[error("webhook.url must use https")]
    Scheme,
    /// A user name or password in it.
    #[error("webhook.url must not hold a user name or password")]
    UserInfo,
    /// A fragment, which no server ever sees.
    #[error("webhook.url must not have a fragment")]
    Fragment,
    /// A port besides the fixed ones.
    #[error("webhook.url must use port 443 or 8443")]
    Port,
    /// A host that is not public by its name or address.
    #[error("webhook.url must name a public host")]
    Host,
}

const URL_BYTES_MAX: usize = 2_048;
const PORTS: [u16; 2] = [443, 8_443];
/// Names that stand for this machine or its own network (RFC 6761, RFC 6762, RFC 8375, RFC 9476, ICANN's `.internal`).
const PRIVATE_SUFFIXES: [&str; 14] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "test",
    "invalid",
    "alt",
    "onion",
];

/// A URL that may be called, in its normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookUrl {
    url: Url,
    loopback: bool,
}

impl WebhookUrl {
    /// Reads a URL the way browsers do, so that every spelling of an address is seen as that address.
    ///
    /// # Errors
    /// See [`UrlRefused`].
    pub fn parse(text: &str, policy: WebhookPolicy) -> Result<Self, UrlRefused> {
        // Tabs and line ends inside of a URL would be dropped in silence.
        if text.len() > URL_BYTES_MAX || text.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(UrlRefused::Malformed);
        }
        let url = Url::parse(text).map_err(|_| UrlRefused::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlRefused::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlRefused::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(UrlRefused::Fragment);
        }
        let host = url.host().ok_or(UrlRefused::Malformed)?;
        if policy.allow_loopback && is_loopback(&host) {
            return Ok(Self { url, loopback: true });
        }
        check_host(&host)?;
        if url.scheme() != "https" {
            return Err(UrlRefused::Scheme);
        }
        let port = url.port_or_known_default().ok_or(UrlRefused::Port)?;
        if PORTS.contains(&port) { Ok(Self { url, loopback: false }) } else { Err(UrlRefused::Port) }
    }

    /// The URL in its normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The host name to look up, or the address as a text that parses as one.
    #[must_use]
    pub fn host(&self) -> String {
        match self.url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => String::new(),
        }
    }

    /// The port to connect to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }

    /// Whether an address that the host's name led to may be connected to.
    #[must_use]
    pub const fn admits(&self, address: IpAddr) -> bool {
        if self.loopback { address.is_loopback() } else { is_public(address) }
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn check_host(host: &Host<&str>) -> Result<(), UrlRefused> {
    let public = match host {
        Host::Ipv4(address) => is_public(IpAddr::V4(*address)),
        Host::Ipv6(address) => is_public(IpAddr::V6(*address)),
        Host::Domain(name) => is_public_name(name),
    };
    if public { Ok(()) } else { Err(UrlRefused::Host) }
}

/// A name with a dot that no rule reserves; a bare name would be completed by the machine's search list.
fn is_public_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let private =
        |suffix: &&str| name.strip_suffix(*suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    name.contains('.') && !name.split('.').any(str::is_empty) && !PRIVATE_SUFFIXES.iter().any(private)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const ON: WebhookPolicy = WebhookPolicy { enabled: true, allow_loopback: false };
    const LOOPBACK: WebhookPolicy = WebhookPolicy { enabled: true, allow_loopback: true };

    #[rstest]
    #[case("https://hooks.example.com/a?b=c")]
    #[case("https://hooks.example.com:8443/a")]
    #[case("https://8.8.8.8/")]
    #[case("https://[2606:4700::1111]/")]
    #[case("https://münchen.example.com/")]
    fn public_urls_are_accepted(#[case] url: &str) {
        let url = WebhookUrl::parse(url, ON).unwrap();
        assert!(url.admits("8.8.8.8".parse().unwrap()));
        assert!(!url.admits("127.0.0.1".parse().unwrap()), "a public name may lead to a private address");
    }

    #[test]
    fn loopback_is_let_in_by_its_setting_alone() {
        for text in ["http://127.0.0.1:9/h", "http://localhost:9/h", "https://[::1]:9/h"] {
            let url = WebhookUrl::parse(text, LOOPBACK).unwrap();
            assert!(url.admits("127.0.0.1".parse().unwrap()) && !url.admits("8.8.8.8".parse().unwrap()));
            assert!(WebhookUrl::parse(text, ON).is_err());
        }
        for text in ["http://10.0.0.1/h", "http://hooks.example.com/", "http://169.254.169.254/"] {
            assert!(WebhookUrl::parse(text, LOOPBACK).is_err(), "{text}");
        }
    }
}
