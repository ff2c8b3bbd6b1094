//! Certificates from files, read again when they change.
//!
//! Owns: the TLS settings: one crypto provider passed explicitly, HTTP/2 and HTTP/1.1 by ALPN.
//! Must not: stop serving when a new certificate is broken; the old one stays.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::config::TlsFiles;

/// The certificate in use.
pub(super) struct Tls {
    files: TlsFiles,
    config: ArcSwap<ServerConfig>,
    /// The digest of what was read last, good or broken; none while the files can't be read.
    seen: Mutex<Option<Sum>>,
}

const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A certificate chain or key of more bytes is a mistake, not a file to read every other second.
const FILE_BYTES: u64 = 1 << 20;

impl Tls {
    pub(super) fn load(files: &TlsFiles) -> io::Result<Self> {
        let pair = Pair::read(files)?;
        let config = ArcSwap::from_pointee(pair.parse()?);
        Ok(Self { files: files.clone(), config, seen: Mutex::new(Some(pair.digest())) })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.load_full())
    }

    /// Looks at the files now and then; new connections get what was read last.
    pub(super) async fn watch(self: Arc<Self>, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let tls = Arc::clone(&self);
            if tokio::task::spawn_blocking(move || tls.look()).await.is_err() {
                tracing::error!("looking at the certificate panicked, keeping the old");
            }
        }
    }

    /// Compares what the files hold, not their times: two writes within one tick of the file system's
    /// clock, or one between the start and the first look, would leave the old certificate in use.
    fn look(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = Pair::read(&self.files);
        let now = pair.as_ref().ok().map(Pair::digest);
        if now == *seen {
            return;
        }
        *seen = now;
        match pair.and_then(|pair| pair.parse()) {
            Ok(config) => {
                self.config.store(Arc::new(config));
                tracing::info!("certificate read again");
            }
            Err(error) => {
                tracing::error!(error.message = %error, "new certificate is broken, keeping the old");
            }
        }
    }
}

/// The bytes of a certificate chain and its key.
struct Pair {
    chain: Vec<u8>,
    key: Vec<u8>,
}

type Sum = [u8; 32];

impl Pair {
    fn read(files: &TlsFiles) -> io::Result<Self> {
        Ok(Self { chain: read(&files.cert, CERT)?, key: read(&files.key, KEY)? })
    }

    fn digest(&self) -> Sum {
        let mut hash = Sha256::new();
        for part in [&self.chain, &self.key] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }

    fn parse(&self) -> io::Result<ServerConfig> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.chain)
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(CERT, &error))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| wrong(KEY, &error))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| wrong("server.tls_cert and server.tls_key", &error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

const CERT: &str = "server.tls_cert";
const KEY: &str = "server.tls_key";

fn read(path: &Path, setting: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| wrong(setting, &error))?;
    let size = file.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| wrong(setting, &error))?;
    if size as u64 > FILE_BYTES {
        return Err(wrong(setting, &format_args!("more than {FILE_BYTES} bytes")));
    }
    Ok(bytes)
}

fn wrong(setting: &str, error: &dyn Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{setting}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_certificate(files: &TlsFiles) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&files.cert, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    }

    fn loaded() -> (Tls, TlsFiles, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let files = TlsFiles { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
        write_certificate(&files);
        (Tls::load(&files).unwrap(), files, folder)
    }

    #[test]
    fn a_certificate_written_before_the_first_look_is_taken_whatever_its_time_says() {
        let (tls, files, _folder) = loaded();
        let first = tls.config.load_full();
        let time = std::fs::metadata(&files.cert).unwrap().modified().unwrap();
        tls.look();
        assert!(Arc::ptr_eq(&first, &tls.config.load()), "nothing changed");
        write_certificate(&files);
        for path in [&files.cert, &files.key] {
            File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
        }
        tls.look();
        assert!(!Arc::ptr_eq(&first, &tls.config.load()));
    }

    #[test]
    fn a_half_written_or_missing_pair_keeps_the_old_until_it_is_whole() {
        let (tls, files, _folder) = loaded();
        let first = tls.config.load_full();
        std::fs::write(&files.cert, "").unwrap();
        tls.look();
        std::fs::remove_file(&files.key).unwrap();
        tls.look();
        assert!(Arc::ptr_eq(&first, &tls.config.load()));
        write_certificate(&files);
        tls.look();
        assert!(!Arc::ptr_eq(&first, &tls.config.load()));
    }

    #[test]
    fn a_file_without_end_is_refused() {
        let files = TlsFiles { cert: "/dev/zero".into(), key: "/dev/zero".into() };
        assert!(Tls::load(&files).is_err_and(|error| error.to_string().contains("more than")));
    }
}
