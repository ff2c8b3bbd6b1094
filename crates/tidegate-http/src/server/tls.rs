//! Certificates from files, read again when they change.
//!
//! Owns: the TLS settings: one crypto provider passed explicitly, HTTP/2 and HTTP/1.1 by ALPN.
//! Must not: stop serving when a new certificate is broken; the old one stays.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::config::TlsFiles;

/// The certificate in use.
pub(super) struct Tls {
    files: TlsFiles,
    config: ArcSwap<ServerConfig>,
}

const LOOK_EVERY: Duration = Duration::from_secs(2);

impl Tls {
    pub(super) fn load(files: &TlsFiles) -> io::Result<Self> {
        Ok(Self { files: files.clone(), config: ArcSwap::from_pointee(read(files)?) })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.load_full())
    }

    /// Looks at the files now and then; new connections get what was read last.
    pub(super) async fn watch(self: Arc<Self>, shutdown: CancellationToken) {
        let mut seen = stamp(&self.files).await;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let now = stamp(&self.files).await;
            if now == seen {
                continue;
            }
            seen = now;
            match read(&self.files) {
                Ok(config) => {
                    self.config.store(Arc::new(config));
                    tracing::info!("certificate read again");
                }
                Err(error) => {
                    tracing::error!(error.message = %error, "new certificate is broken, keeping the old")
                }
            }
        }
    }
}

async fn stamp(files: &TlsFiles) -> [Option<SystemTime>; 2] {
    let modified = async |path| tokio::fs::metadata(path).await.ok().and_then(|meta| meta.modified().ok());
    [modified(&files.cert).await, modified(&files.key).await]
}

fn read(files: &TlsFiles) -> io::Result<ServerConfig> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{what}: {error}"))
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect)
        .map_err(|error| wrong("server.tls_cert", &error))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| wrong("server.tls_key", &error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| wrong("server.tls_cert and server.tls_key", &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
