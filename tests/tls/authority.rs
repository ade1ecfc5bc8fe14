//! An authority that signs certificates for one test.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize,
};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// An authority that signs.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

/// A certificate and its key, in PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut parameters = CertificateParams::new(Vec::new()).expect("no names");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pem = parameters.self_signed(&key).expect("it can sign").pem();
        Self { issuer: Issuer::new(parameters, key), pem }
    }

    /// A certificate of the server, which is reached at this machine, and its key.
    pub(crate) fn issue(&self) -> Pair {
        self.issue_of(KeyPair::generate())
    }

    /// The same with an RSA key.
    pub(crate) fn issue_of_rsa(&self) -> Pair {
        self.issue_of(KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048))
    }

    fn issue_of(&self, key: Result<KeyPair, rcgen::Error>) -> Pair {
        let names = ["127.0.0.1", "localhost"];
        self.sign(&names, ExtendedKeyUsagePurpose::ServerAuth, &key.expect("a key"))
    }

    /// A certificate of a client, and its key.
    pub(crate) fn issue_to_client(&self) -> Pair {
        let key = KeyPair::generate().expect("a key");
        self.sign(&["scraper.example"], ExtendedKeyUsagePurpose::ClientAuth, &key)
    }

    fn sign(&self, names: &[&str], usage: ExtendedKeyUsagePurpose, key: &KeyPair) -> Pair {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let mut parameters = CertificateParams::new(names).expect("names");
        parameters.extended_key_usages = vec![usage];
        let certificate = parameters.signed_by(key, &self.issuer).expect("it can sign").pem();
        Pair { certificate, key: key.serialize_pem() }
    }

    /// What a client that trusts this authority has as its roots.
    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        let der = CertificateDer::from_pem_slice(self.pem.as_bytes()).expect("a certificate");
        roots.add(der).expect("an authority");
        roots
    }
}

impl Pair {
    /// Puts the pair where a server reads it, as a tool that renews certificates does.
    pub(crate) fn put(&self, folder: &Path) {
        self.put_certificate(folder);
        self.put_key(folder);
    }

    pub(crate) fn put_certificate(&self, folder: &Path) {
        replace(&folder.join("chain.pem"), &self.certificate);
    }

    pub(crate) fn put_key(&self, folder: &Path) {
        replace(&folder.join("key.pem"), &self.key);
    }

    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        let chain: Result<_, _> =
            CertificateDer::pem_slice_iter(self.certificate.as_bytes()).collect();
        chain.expect("a certificate")
    }

    pub(crate) fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key.as_bytes()).expect("a key")
    }
}

fn replace(file: &Path, text: &str) {
    let unfinished = file.with_extension("new");
    holdline::private::write(&unfinished, text.as_bytes()).expect("it can be written");
    std::fs::rename(unfinished, file).expect("it can be replaced");
}
