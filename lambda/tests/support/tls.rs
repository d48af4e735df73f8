//! TLS before a server of plain HTTP on loopback, with a certificate of an authority that this test made.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A server that speaks TLS, and hands on what it is told.
pub struct Tls {
    address: SocketAddr,
    directory: PathBuf,
}

impl Tls {
    /// Serves until the process ends; `directory` receives the authority's certificate.
    pub fn before(server: SocketAddr, directory: &Path) -> Self {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // To OpenSSL a certificate of its issuer's name has signed itself.
        authority.distinguished_name.push(DnType::CommonName, "an authority of the tests");
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let directory = directory.to_owned();
        std::fs::write(directory.join("authority.pem"), authority.pem()).unwrap();

        let key = KeyPair::generate().unwrap();
        let named = CertificateParams::new(["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string()]).unwrap();
        let certificate = named.signed_by(&key, &authority).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));

        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        std::thread::spawn(move || {
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let acceptor = acceptor.clone();
                    tokio::spawn(async move { hand_on(&acceptor, stream, server).await });
                }
            });
        });
        Self { address, directory }
    }

    /// Where it is, by a name that its certificate has.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// The certificate to trust.
    pub fn authority(&self) -> PathBuf {
        self.directory.join("authority.pem")
    }
}

/// Who hangs up in the middle, as one who does not trust the certificate does, has ended the conversation and no more.
async fn hand_on(acceptor: &TlsAcceptor, stream: TcpStream, server: SocketAddr) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut secure = acceptor.accept(stream).await?;
    let mut plain = TcpStream::connect(server).await?;
    plain.set_nodelay(true)?;
    tokio::io::copy_bidirectional(&mut secure, &mut plain).await.map(|_| ())
}
