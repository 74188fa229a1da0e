//! OpenSSL for tokio-postgres: Debian has the driver without any of the crates that join the two.

use openssl::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode};
use std::{future::Future, io, net::IpAddr, pin::Pin, task::{Context, Poll}};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_openssl::SslStream;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Trusts one CA file, and wants the certificate to be the address's.
#[derive(Clone)]
pub struct Tls(SslContext);

impl Tls {
    pub fn trusting(ca_file: &str) -> Result<Tls, Failure> {
        let mut context = SslContext::builder(SslMethod::tls_client())?;
        context.set_ca_file(ca_file)?;
        context.set_verify(SslVerifyMode::PEER);
        Ok(Tls(context.build()))
    }
}

pub struct Connect {
    ssl: Ssl,
}

pub struct Stream<S>(SslStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = Stream<S>;
    type TlsConnect = Connect;
    type Error = Failure;

    fn make_tls_connect(&mut self, host: &str) -> Result<Connect, Failure> {
        let mut ssl = Ssl::new(&self.0)?;
        ssl.param_mut().set_ip(host.parse::<IpAddr>()?)?;
        Ok(Connect { ssl })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Connect {
    type Stream = Stream<S>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Stream<S>, Failure>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let mut stream = SslStream::new(self.ssl, stream)?;
            Pin::new(&mut stream).connect().await?;
            Ok(Stream(stream))
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Stream<S> {
    /// tls-server-end-point, the digest of the server's certificate: with it the driver uses SCRAM-SHA-256-PLUS.
    fn channel_binding(&self) -> ChannelBinding {
        let certificate = self.0.ssl().peer_certificate();
        match certificate.and_then(|shown| shown.digest(openssl::hash::MessageDigest::sha256()).ok()) {
            Some(digest) => ChannelBinding::tls_server_end_point(digest.to_vec()),
            None => ChannelBinding::none(),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
