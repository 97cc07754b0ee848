//! An encrypted stream of our own for lettre, with small packets sent at once.
//!
//! lettre's own implicit TLS leaves Nagle's algorithm on: text and end of text are two writes, so each mail would wait 40 ms for
//! a delayed ACK.

use super::greeting::Greeting;
use crate::adapters::root_authorities;
use crate::domain::fault::{Fault, FaultKind, Service};
use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A TLS stream as lettre takes it.
#[derive(Debug)]
pub(super) struct Encrypted(TlsStream<TcpStream>, Greeting);

impl Encrypted {
    pub(super) async fn agree(
        tls: &TlsConnector,
        host: &str,
        stream: TcpStream,
        greeting: Greeting,
    ) -> io::Result<Self> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        tls.connect(name, stream).await.map(|stream| Self(stream, greeting))
    }
}

/// Trusts the system's authorities, and one more.
pub(super) fn connector(ca_file: Option<&Path>) -> Result<TlsConnector, Fault> {
    let fault = |message: String| Fault::new(Service::Mail, FaultKind::Tls, message);
    let mut roots = root_authorities();
    if let Some(path) = ca_file {
        let wrong = |why: String| fault(format!("smtp.ca_file {}: {why}", path.display()));
        let roots = Arc::make_mut(&mut roots);
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))? {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
        }
    }
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

impl AsyncTokioStream for Encrypted {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().0.peer_addr()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.0).poll_read(cx, buffer);
        self.1.hear(&buffer.filled()[before..]);
        read
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
