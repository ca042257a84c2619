//! TLS with a daemon, by the files of docker's own client: `ca.pem`, by which the daemon's certificate is judged, and
//! `cert.pem` with `key.pem`, which are shown to it.

use std::io;
use std::sync::Arc;

use camino::Utf8Path;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(super) async fn connect(
    address: &str,
    certificates: &Utf8Path,
) -> io::Result<TlsStream<TcpStream>> {
    let connector = TlsConnector::from(Arc::new(config(certificates)?));
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    connector
        .connect(name, TcpStream::connect(address).await?)
        .await
}

fn config(folder: &Utf8Path) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for root in read_certificates(&folder.join("ca.pem"))? {
        roots.add(root).map_err(io::Error::other)?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots);
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    if !certificate.exists() && !key.exists() {
        return Ok(builder.with_no_client_auth());
    }
    let own = PrivateKeyDer::from_pem_file(&key).map_err(unreadable(&key))?;
    builder
        .with_client_auth_cert(read_certificates(&certificate)?, own)
        .map_err(io::Error::other)
}

fn read_certificates(path: &Utf8Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    certificates.map_err(unreadable(path))
}

fn unreadable(path: &Utf8Path) -> impl FnOnce(rustls::pki_types::pem::Error) -> io::Error {
    move |error| io::Error::other(format!("cannot read `{path}`: {error}"))
}
