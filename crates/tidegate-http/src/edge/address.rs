//! Who is at the other end, seen through trusted proxies.
//!
//! Owns: the rule that only the rightmost untrusted entry of `X-Forwarded-For` counts.
//! Must not: believe a header from a peer that is not listed.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

use crate::HttpConfig;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Entries of `X-Forwarded-For` that are looked at, from the right.
const HOPS_MAX: usize = 16;

pub(super) fn client_address(config: &HttpConfig, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let peer = peer.to_canonical();
    if !config.trusts(peer) {
        return peer;
    }
    let mut nearest = peer;
    let values: Vec<&str> = headers.get_all(X_FORWARDED_FOR).iter().filter_map(|v| v.to_str().ok()).collect();
    for entry in values.iter().rev().flat_map(|value| value.rsplit(',')).take(HOPS_MAX) {
        // Whatever stands left of an entry that is no address was written by nobody we trust.
        let Some(address) = parse_entry(entry.trim()) else { break };
        nearest = address;
        if !config.trusts(address) {
            break;
        }
    }
    nearest
}

pub(super) fn forwarded_https(config: &HttpConfig, peer: IpAddr, headers: &HeaderMap) -> bool {
    if !config.trusts(peer.to_canonical()) {
        return false;
    }
    let last = headers.get_all(X_FORWARDED_PROTO).iter().next_back().and_then(|value| value.to_str().ok());
    last.and_then(|value| value.rsplit(',').next()).is_some_and(|p| p.trim().eq_ignore_ascii_case("https"))
}

fn parse_entry(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("203.0.113.9", &["198.51.100.1"], "203.0.113.9")] // an untrusted peer is the client
    #[case("10.0.0.1", &["198.51.100.1"], "198.51.100.1")]
    #[case("10.0.0.1", &["6.6.6.6, 198.51.100.1"], "198.51.100.1")] // the left entry is the client's own claim
    #[case("10.0.0.1", &["6.6.6.6, 198.51.100.1, 10.0.0.2"], "198.51.100.1")]
    #[case("10.0.0.1", &["6.6.6.6", "198.51.100.1"], "198.51.100.1")]
    #[case("10.0.0.1", &["6.6.6.6, junk"], "10.0.0.1")]
    #[case("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1")]
    #[case("10.0.0.1", &[], "10.0.0.1")]
    fn only_the_rightmost_untrusted_hop_counts(
        #[case] peer: &str,
        #[case] forwarded: &[&str],
        #[case] expected: &str,
    ) {
        let config =
            HttpConfig { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..HttpConfig::default() };
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(X_FORWARDED_FOR, value.parse().unwrap());
        }
        assert_eq!(
            client_address(&config, peer.parse().unwrap(), &headers),
            expected.parse::<IpAddr>().unwrap()
        );
    }
}
