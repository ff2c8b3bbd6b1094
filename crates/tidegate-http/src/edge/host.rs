//! Which hosts are served here, so that a foreign name cannot be rebound to a local server.
//!
//! Owns: the allow-list and its matching.
//! Must not: look anything up.

use std::net::IpAddr;

use axum::extract::Request;
use http::{Version, header};
use tidegate_types::ErrorCode;

use crate::HttpConfig;
use crate::problem::Problem;

/// The hosts of one listener.
#[derive(Clone, Debug)]
pub(crate) struct HostPolicy {
    enforced: bool,
    names: Vec<String>,
}

impl HostPolicy {
    /// `loopback`: whether the listener is bound to a loopback address.
    pub(crate) fn new(config: &HttpConfig, loopback: bool) -> Self {
        let own = config.public_url.as_deref().and_then(|url| url.split_once("://")).map(|(_, rest)| rest);
        let own = own.map(|rest| rest.split('/').next().unwrap_or(rest));
        let names = config.hosts.iter().map(String::as_str).chain(own);
        Self {
            enforced: loopback || !config.hosts.is_empty(),
            names: names.map(str::to_ascii_lowercase).collect(),
        }
    }

    pub(super) fn check(&self, request: &Request) -> Result<(), Problem> {
        let mut given = request.headers().get_all(header::HOST).iter();
        let (first, second) = (given.next(), given.next());
        if second.is_some() {
            return Err(Problem::new(ErrorCode::InvalidRequest).detail("more than one host header"));
        }
        let authority = request.uri().authority().map(|authority| authority.as_str());
        if authority.is_none() && first.is_none() && request.version() == Version::HTTP_11 {
            return Err(Problem::new(ErrorCode::InvalidRequest).detail("the host header is missing"));
        }
        // Both, where both are given: what routes the request and what the handler sees must agree
        // with the list (RFC 9113 section 8.3.1 lets them differ).
        let header = first.map(|value| value.to_str().unwrap_or_default());
        let mut names = authority.into_iter().chain(header).peekable();
        let served = names.peek().is_some() && names.all(|name| self.serves(name));
        if !self.enforced || served {
            return Ok(());
        }
        Err(Problem::new(ErrorCode::HostNotAllowed))
    }

    fn serves(&self, host: &str) -> bool {
        let Some(name) = without_port(host) else { return false };
        let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
        name.eq_ignore_ascii_case("localhost")
            || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            || self
                .names
                .iter()
                .any(|listed| listed.eq_ignore_ascii_case(host) || listed.eq_ignore_ascii_case(name))
    }
}

/// The host without its port; nothing when what stands behind the colon is no port.
fn without_port(host: &str) -> Option<&str> {
    let end = host.rfind(']').map_or(0, |bracket| bracket + 1);
    let (_, tail) = host.split_at_checked(end)?;
    match tail.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok() => host.get(..host.len() - port.len() - 1),
        Some(_) => None,
        None => Some(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn policy() -> HostPolicy {
        let config = HttpConfig {
            hosts: vec!["app.example.org".into(), "other.example.org:8443".into()],
            public_url: Some("https://public.example.org/".into()),
            ..HttpConfig::default()
        };
        HostPolicy::new(&config, true)
    }

    #[rstest]
    #[case("localhost")]
    #[case("LOCALHOST:8000")]
    #[case("127.0.0.1:1")]
    #[case("[::1]:8000")]
    #[case("[::1]")]
    #[case("app.example.org")]
    #[case("App.Example.org:443")]
    #[case("other.example.org:8443")]
    #[case("public.example.org")]
    fn own_names_are_served(#[case] host: &str) {
        assert!(policy().serves(host));
    }

    #[rstest]
    #[case("")]
    #[case("attacker.test")]
    #[case("localhost.attacker.test")]
    #[case("localhost.")]
    #[case("notlocalhost")]
    #[case("127.0.0.1.attacker.test")]
    #[case("127.1")]
    #[case("2130706433")]
    #[case("0x7f000001")]
    #[case("0.0.0.0")]
    #[case("[::]")]
    #[case("[::1]x")]
    #[case("[::1].attacker.test")]
    #[case("user@localhost")]
    #[case("localhost:8000@attacker.test")]
    #[case("localhost:99999")]
    #[case("app.example.org.")]
    #[case("xapp.example.org")]
    #[case("other.example.org")]
    #[case("other.example.org:8444")]
    #[case("169.254.169.254")]
    fn near_misses_are_refused(#[case] host: &str) {
        assert!(!policy().serves(host));
    }
}
