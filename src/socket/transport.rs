//! The bytes of a connection, in the clear or through TLS.
//!
//! TLS costs a connection in the clear nothing. A connection through TLS keeps its state, and a
//! buffer of 4 KiB that `rustls` reads into, for as long as it lives.

use std::io::{self, IoSlice, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::ServerConnection;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use crate::limits;

/// A connection.
#[derive(Debug)]
pub(super) enum Transport {
    Plain(TcpStream),
    Secured(Box<Secured>),
}

/// A connection through TLS.
#[derive(Debug)]
pub(super) struct Secured {
    stream: TcpStream,
    /// Gone once the connection has been given away.
    tls: Option<ServerConnection>,
}

/// A connection between two threads.
#[derive(Debug)]
pub(super) struct Carried {
    stream: std::net::TcpStream,
    tls: Option<Box<ServerConnection>>,
}

impl Transport {
    /// A connection that has been through its handshake.
    pub(super) fn secured(stream: TcpStream, tls: ServerConnection) -> Self {
        Self::Secured(Box::new(Secured { stream, tls: Some(tls) }))
    }

    /// Whether the connection is through TLS.
    pub(super) const fn is_secured(&self) -> bool {
        matches!(self, Self::Secured(_))
    }

    /// The socket under it.
    pub(super) const fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Secured(secured) => &secured.stream,
        }
    }

    /// Gives the connection away. This descriptor closes with the transport; the given one stays
    /// open.
    pub(super) fn give_away(&mut self) -> io::Result<Carried> {
        let stream = self.socket().as_fd().try_clone_to_owned()?.into();
        let tls = match self {
            Self::Plain(_) => None,
            Self::Secured(secured) => Some(Box::new(secured.tls.take().ok_or_else(given_away)?)),
        };
        Ok(Carried { stream, tls })
    }

    /// A connection that has come to this thread.
    pub(super) fn arrived(carried: Carried) -> io::Result<Self> {
        let stream = TcpStream::from_std(carried.stream)?;
        Ok(match carried.tls {
            None => Self::Plain(stream),
            Some(tls) => Self::secured(stream, *tls),
        })
    }

    /// Reads what has come; 0 bytes at the end.
    pub(super) fn poll_take(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Secured(secured) => return secured.poll_take(cx, buffer),
        };
        loop {
            ready!(stream.poll_read_ready(cx))?;
            match Direct(stream).read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read),
            }
        }
    }

    /// Writes what can be written at once. What TLS has taken cannot be called back, though the
    /// socket may take it later: [`Self::has_unsent`].
    pub(super) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.try_write(bytes),
            Self::Secured(secured) => secured.try_write(bytes),
        }
    }

    /// Whether TLS has taken something that the socket has not.
    pub(super) fn has_unsent(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Secured(secured) => secured.tls.as_ref().is_some_and(|tls| tls.wants_write()),
        }
    }

    /// Lets the socket take what TLS has taken.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Secured(secured) => secured.poll_send(cx),
        }
    }

    /// Says that nothing more is written.
    pub(super) fn shut(&mut self) -> io::Result<()> {
        if let Self::Secured(secured) = self {
            if let Some(tls) = &mut secured.tls {
                tls.send_close_notify();
            }
            // A socket that takes nothing more has no use for the notice.
            let _unsaid = secured.try_send();
        }
        SockRef::from(self.socket()).shutdown(Shutdown::Write)
    }
}

fn given_away() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

impl Secured {
    fn poll_take(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        for _ in 0..limits::EMPTY_READS_MAX {
            let tls = self.tls.as_mut().ok_or_else(given_away)?;
            match tls.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // A peer that leaves without a word to TLS has ended like any other.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Poll::Ready(Ok(0));
                }
                read => return Poll::Ready(read),
            }
            ready!(self.stream.poll_read_ready(cx))?;
            match tls.read_tls(&mut Direct(&self.stream)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                read => read?,
            };
            if let Err(error) = tls.process_new_packets() {
                // The other end is told why, if it can be.
                let _untold = self.try_send();
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.try_send()?;
        let tls = self.tls.as_mut().ok_or_else(given_away)?;
        let taken = bytes.len().min(limits::TLS_TAKEN_BYTES_MAX);
        let count = tls.writer().write(&bytes[..taken])?;
        match self.try_send() {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(count),
        }
    }

    fn try_send(&mut self) -> io::Result<()> {
        let tls = self.tls.as_mut().ok_or_else(given_away)?;
        while tls.wants_write() {
            tls.write_tls(&mut Direct(&self.stream))?;
        }
        Ok(())
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.try_send() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.stream.poll_write_ready(cx))?;
                }
                sent => return Poll::Ready(sent),
            }
        }
    }
}

/// A socket, as it is at this moment.
struct Direct<'a>(&'a TcpStream);

impl io::Read for Direct<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.try_read(buffer)?;
        if count < buffer.len() {
            note_drained(self.0);
        }
        Ok(count)
    }
}

impl io::Write for Direct<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Notes that the kernel has nothing more, which saves a useless call with every heartbeat. New
/// events tell of what comes later, and of an end that has already come.
fn note_drained(stream: &TcpStream) {
    let is_drained = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
    let _as_it_says = stream.try_io(Interest::READABLE, is_drained);
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Secured(secured) => {
                let count = ready!(secured.poll_take(cx, buffer.initialize_unfilled()))?;
                buffer.advance(count);
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Secured(secured) => {
                ready!(secured.poll_send(cx))?;
                Poll::Ready(secured.try_write(bytes))
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_send(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Self::Secured(secured) = this {
            secured.tls.as_mut().ok_or_else(given_away)?.send_close_notify();
            ready!(secured.poll_send(cx))?;
        }
        Poll::Ready(SockRef::from(this.socket()).shutdown(Shutdown::Write))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
            secured @ Self::Secured(_) => {
                let first = parts.iter().find(|part| !part.is_empty());
                Pin::new(secured).poll_write(cx, first.map_or(&[], |part| part))
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self, Self::Plain(_))
    }
}
