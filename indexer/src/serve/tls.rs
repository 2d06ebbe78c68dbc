//! TLS with a certificate that is renewed under a running server.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::SystemTime,
};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
};

/// Why there is no certificate to serve with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file is not there, or may not be read.
    #[error("cannot read {}: {source}", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no PEM, or holds nothing of the kind.
    #[error("{} holds no {what} in PEM: {source}", .file.display())]
    Pem {
        /// Which.
        file: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// Why.
        source: pem::Error,
    },
    /// The key is not the certificate's, or of a kind that is not known.
    #[error("certificate and key do not go together: {0}")]
    Unusable(#[from] tokio_rustls::rustls::Error),
}

/// A certificate, its key, and what connections are secured with. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<Certificate>,
}

/// When and how large the two files were.
type Stamp = [Option<(SystemTime, u64)>; 2];

#[derive(Debug)]
struct Certificate {
    files: [PathBuf; 2],
    current: RwLock<Arc<CertifiedKey>>,
    seen: Mutex<Stamp>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.certificate.files).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Tls {
    /// Reads the chain of certificates, the server's first, and its key, both in PEM.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = [certificate.to_owned(), key.to_owned()];
        let seen = stamp(&files);
        let current = RwLock::new(Arc::new(read(&files)?));
        let certificate = Arc::new(Certificate { files, current, seen: Mutex::new(seen) });
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(certificate.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate })
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// Takes up what the files hold now, if they have changed. Until it can be read, what was read before is served.
    pub(super) fn renew(&self) {
        let Certificate { files, current, seen } = &*self.certificate;
        let now = stamp(files);
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == now {
            return;
        }
        // Said once for each change, also where it is only half of one.
        *seen = now;
        match read(files) {
            Ok(renewed) => {
                *current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(renewed);
                tracing::info!("the certificate was renewed");
            }
            Err(error) => tracing::warn!(%error, "the certificate is not renewed yet: the one before is served"),
        }
    }
}

fn stamp(files: &[PathBuf; 2]) -> Stamp {
    files.each_ref().map(|file| fs::metadata(file).ok().and_then(|m| Some((m.modified().ok()?, m.len()))))
}

fn read([certificate, key]: &[PathBuf; 2]) -> Result<CertifiedKey, TlsError> {
    let bytes = |file: &PathBuf| fs::read(file).map_err(|source| TlsError::File { file: file.clone(), source });
    let pem = |file: &PathBuf, what, source| TlsError::Pem { file: file.clone(), what, source };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&bytes(certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|e| pem(certificate, "certificate", e))?;
    if chain.is_empty() {
        return Err(pem(certificate, "certificate", pem::Error::NoItemsFound));
    }
    let key = PrivateKeyDer::from_pem_slice(&bytes(key)?).map_err(|e| pem(key, "private key", e))?;
    Ok(CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())?)
}
