//! The certificate authorities of this system, read once a process and not before a certificate is to be judged: to read them
//! costs more than a handshake, and most runs of a program whose services are on this machine meet none.
//!
//! Which other authority is trusted, and where none is asked for, each room says itself.

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::{Arc, OnceLock};

/// The authorities, as they were when they were needed first. One that can't be read is left out: the rest may be enough.
pub(super) fn root_authorities() -> Arc<RootCertStore> {
    static READ: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let read = || {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    };
    Arc::clone(READ.get_or_init(read))
}

/// The TLS of an HTTP client that trusts the system's authorities; nothing is read yet.
pub(super) fn root_trust() -> Result<ClientConfig, Error> {
    over(Arc::new(AtFirstNeed { from: root_authorities, verifier: OnceLock::new(), provider: provider() }))
}

/// The provider of main; the same in a test, where there is no main.
fn provider() -> Arc<CryptoProvider> {
    let installed = CryptoProvider::get_default().cloned();
    installed.unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()))
}

fn over(verifier: Arc<AtFirstNeed>) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(&verifier.provider));
    let builder = builder.with_safe_default_protocol_versions()?.dangerous();
    let mut config = builder.with_custom_certificate_verifier(verifier).with_no_client_auth();
    // As reqwest sets it where it makes the configuration itself: no HTTP/2 is built in.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// rustls' own verifier, made when the first certificate is there.
#[derive(Debug)]
struct AtFirstNeed {
    from: fn() -> Arc<RootCertStore>,
    verifier: OnceLock<Result<Arc<WebPkiServerVerifier>, Error>>,
    provider: Arc<CryptoProvider>,
}

impl AtFirstNeed {
    fn verifier(&self) -> Result<&WebPkiServerVerifier, Error> {
        let make = || {
            let made = WebPkiServerVerifier::builder_with_provider((self.from)(), Arc::clone(&self.provider)).build();
            let none = |error| Error::General(format!("read the certificate authorities of this system: {error}"));
            made.map_err(none)
        };
        self.verifier.get_or_init(make).as_deref().map_err(Clone::clone)
    }
}

impl ServerCertVerifier for AtFirstNeed {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verifier()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier()?.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier()?.verify_tls13_signature(message, cert, signed)
    }

    // Asked while the handshake begins, where no authority is needed yet.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::pem::PemObject;
    use std::time::Duration;

    /// An authority, and what it has signed for `cloud.example`; both until 2126, their keys thrown away.
    const AUTHORITY: &[u8] = b"-----BEGIN CERTIFICATE-----
MIIBbzCCARWgAwIBAgIUDhGM3+f/qGO4HgTVC2UpPamXwmkwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAgFw0yNjExMjkxMzIyMjlaGA8yMTI2MTEwNTEzMjIyOVow
DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABG4CPZhHbc6R
Z4X50My8fHiSNMf4vEdrw0bCJ7e0fSa7FMMOaczJzGtYbL9NyH+Hn+ZmPUA1xmLm
QpX+j4PEtdajUzBRMB0GA1UdDgQWBBTGJCVx3mtrmQfcsEC7aJjzybmoADAfBgNV
HSMEGDAWgBTGJCVx3mtrmQfcsEC7aJjzybmoADAPBgNVHRMBAf8EBTADAQH/MAoG
CCqGSM49BAMCA0gAMEUCIFzKvxU3aweFIm5y4rQuY+sfjmSefMYepxIU93v2sbQ5
AiEAgWu+2XHxmMA0j2mEp9OXLqZS3OA/j8qmeaqff3HV39Q=
-----END CERTIFICATE-----";
    const SIGNED: &[u8] = b"-----BEGIN CERTIFICATE-----
MIIBgjCCASmgAwIBAgIUWCgNBqfuuWhaVnKB38lDpXe4as8wCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAgFw0yNjExMjkxMzIyMjlaGA8yMTI2MTEwNTEzMjIyOVow
DDEKMAgGA1UEAwwBYjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABE6DDPfSW4y4
3A3ooPj6M3GwJ+fHy62giiCBIE9stjfrHHw+Z3OJaJQtLFb6VeTQRYw+D7aJbjHz
owrNEcBdvBijZzBlMBgGA1UdEQQRMA+CDWNsb3VkLmV4YW1wbGUwCQYDVR0TBAIw
ADAdBgNVHQ4EFgQUN0UKei8OIcH7ILsgyVtLo/Bq9KUwHwYDVR0jBBgwFoAUxiQl
cd5ra5kH3LBAu2iY88m5qAAwCgYIKoZIzj0EAwIDRwAwRAIgNypUTuA6A1Xpqic+
l75d9+RqDyxFb+oG3pspY20gjaICIAHLArQ6su7pneFLK3GZzLtzTfzeR6ktupOw
PloJpyKr
-----END CERTIFICATE-----";

    fn certificate(pem: &[u8]) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(pem).unwrap()
    }

    fn that_one() -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate(AUTHORITY)).unwrap();
        Arc::new(roots)
    }

    fn judged(from: fn() -> Arc<RootCertStore>, host: &'static str) -> Result<ServerCertVerified, Error> {
        let verifier = AtFirstNeed { from, verifier: OnceLock::new(), provider: provider() };
        // In 2027.
        let (name, at) = (ServerName::try_from(host), UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000)));
        verifier.verify_server_cert(&certificate(SIGNED), &[], &name.unwrap(), &[], at)
    }

    #[test]
    fn only_what_the_systems_authorities_have_signed_for_that_host_is_good() {
        assert!(judged(that_one, "cloud.example").is_ok());
        assert!(matches!(judged(that_one, "other.example"), Err(Error::InvalidCertificate(_))));
        assert!(judged(root_authorities, "cloud.example").is_err());
    }

    #[test]
    fn where_the_system_has_no_authority_no_certificate_is_good_and_the_fault_says_why() {
        let error = judged(|| Arc::new(RootCertStore::empty()), "cloud.example").unwrap_err();
        assert!(error.to_string().contains("authorities of this system"), "{error}");
    }

    #[test]
    fn a_client_is_made_before_any_authority_is_read() {
        let from = || unreachable!("no certificate is to be judged");
        let config = over(Arc::new(AtFirstNeed { from, verifier: OnceLock::new(), provider: provider() })).unwrap();
        assert!(!config.alpn_protocols.is_empty());
    }
}
