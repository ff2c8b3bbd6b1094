//! `[server]`: where the server listens and under which name it is reached.

use std::path::PathBuf;

use ipnet::IpNet;

use super::spec::section;
use super::{ListenAddr, Refusal};

section! {
    /// Where the server listens, what it keeps its data in, and how it is reached from outside.
    ServerConfig in "server" {
        /// The address to listen on.
        addr: ListenAddr = ListenAddr::loopback(8000), Text;
        /// The data folder; its default lies in the home folder of the user that runs the server.
        data: Option<PathBuf> = None, Path;
        /// The URL under which browsers reach the server, e.g. `https://live.example.org`; needed behind a proxy.
        public_url: Option<String> = None, Text;
        /// Host names that requests may name; empty: any, but on loopback only loopback's own.
        hosts: Vec<String> = Vec::new(), List;
        /// Networks of proxies whose X-Forwarded-For is believed, e.g. 10.0.0.0/8.
        trusted_proxies: Vec<IpNet> = Vec::new(), List;
        /// The certificate chain (PEM) for TLS.
        tls_cert: Option<PathBuf> = None, Path;
        /// The private key (PEM) for TLS.
        tls_key: Option<PathBuf> = None, Path;
        /// An address of its own for /metrics; without it, metrics are served beside the API.
        metrics_addr: Option<ListenAddr> = None, Text;
        /// Whether the paths of the existing front ends are served.
        legacy_routes: bool = true, Flag;
        /// Whether live streams on plain HTTP/1.1 leave the HTTP server once their head is written; off serves them as those over TLS.
        detach: bool = true, Flag;
    }
}

impl ServerConfig {
    /// Whether the server itself speaks TLS.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.tls_cert.is_some() && self.tls_key.is_some()
    }

    pub(super) fn check(&self, refusals: &mut Vec<Refusal>) {
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            let (set, missing) =
                if self.tls_cert.is_some() { ("tls_cert", "tls_key") } else { ("tls_key", "tls_cert") };
            refusals.push(Refusal::new(
                format!("server.{missing}"),
                format!("is missing while server.{set} is set"),
                "set both or neither",
            ));
        }
        for (name, path) in [("tls_cert", &self.tls_cert), ("tls_key", &self.tls_key)] {
            if let Some(path) = path
                && let Err(error) = std::fs::File::open(path)
            {
                refusals.push(Refusal::new(
                    format!("server.{name}"),
                    format!("= {} cannot be read: {error}", path.display()),
                    "name a PEM file that this user may read",
                ));
            }
        }
        self.check_public_url(refusals);
        self.check_cookie_safety(refusals);
    }

    fn check_public_url(&self, refusals: &mut Vec<Refusal>) {
        let Some(url) = &self.public_url else { return };
        let well_formed = url.parse::<http::Uri>().is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some()
                && matches!(uri.path(), "" | "/")
                && uri.query().is_none()
        });
        if !well_formed {
            refusals.push(Refusal::new(
                "server.public_url",
                format!("= {url} is not an origin"),
                "write scheme and host only, like https://live.example.org",
            ));
        }
    }

    /// Session cookies must not cross a network in the clear.
    fn check_cookie_safety(&self, refusals: &mut Vec<Refusal>) {
        let https_outside = self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
        if !self.addr.is_loopback() && !self.has_tls() && !https_outside {
            refusals.push(Refusal::new(
                "server.addr",
                format!("= {} would serve cookies over plain http to the network", self.addr),
                "set server.public_url = \"https://…\" behind a proxy that speaks TLS, or server.tls_cert and server.tls_key, or listen on 127.0.0.1",
            ));
        } else if let Some(url) = self.public_url.as_deref().filter(|url| url.starts_with("http://"))
            && !is_loopback_url(url)
        {
            refusals.push(Refusal::new(
                "server.public_url",
                format!("= {url} would carry cookies over plain http"),
                "use https://, with server.tls_cert and server.tls_key or behind a proxy that speaks TLS",
            ));
        }
    }
}

fn is_loopback_url(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    uri.host().is_some_and(|host| {
        host == "localhost"
            || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}
