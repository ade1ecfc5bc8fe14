//! A connection whose requests end their lines with CR LF. The parser behind it also takes a bare
//! LF, which another server on the way may not take for the end of a line: then the two would not
//! see the same requests.
//!
//! A wrong end of a line is made unreadable for the parser, which refuses the request with 400.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::strangers::Connection;

/// Bytes of a line that are looked at: the longest name that matters, and a length.
const LINE_BYTES: usize = 48;

/// A connection on which requests are read.
#[derive(Debug)]
pub(super) struct Strict<T> {
    inner: T,
    connection: Arc<Connection>,
    heads: Heads,
}

impl<T> Strict<T> {
    pub(super) const fn new(inner: T, connection: Arc<Connection>) -> Self {
        Self { inner, connection, heads: Heads::new() }
    }

    pub(super) fn connection(&self) -> Arc<Connection> {
        Arc::clone(&self.connection)
    }

    pub(super) fn into_inner(self) -> T {
        self.inner
    }
}

/// Where in its requests a connection is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Head,
    /// So many bytes of a body are still to come.
    Body(u64),
    /// In the line that says how long the next chunk of a body is.
    ChunkSize,
    /// So many bytes of a chunk are still to come.
    Chunk(u64),
    /// Before the end of the line behind a chunk.
    ChunkEnd,
    /// In the lines behind the last chunk.
    Trailers,
    /// Behind a handshake, or behind something that the parser refuses: nothing more is looked at.
    Beyond,
}

/// Follows the heads of requests.
#[derive(Debug)]
struct Heads {
    place: Place,
    line: [u8; LINE_BYTES],
    /// Bytes of the line so far, without its end.
    length: usize,
    has_return: bool,
    /// Whether the head has a line that is not empty.
    has_begun: bool,
    next: Place,
}

impl Heads {
    const fn new() -> Self {
        Self {
            place: Place::Head,
            line: [0; LINE_BYTES],
            length: 0,
            has_return: false,
            has_begun: false,
            next: Place::Head,
        }
    }

    /// Looks at what has come, and makes the first end of a line that is not CR LF unreadable.
    fn follow(&mut self, bytes: &mut [u8]) {
        let mut index = 0;
        while index < bytes.len() {
            match self.place {
                Place::Beyond => return,
                Place::Body(left) => {
                    let left = pass_over(left, bytes, &mut index);
                    self.place = if left == 0 { Place::Head } else { Place::Body(left) };
                }
                Place::Chunk(left) => {
                    let left = pass_over(left, bytes, &mut index);
                    self.place = if left == 0 { Place::ChunkEnd } else { Place::Chunk(left) };
                }
                Place::Head | Place::ChunkSize | Place::ChunkEnd | Place::Trailers => {
                    if bytes[index] == b'\n' && !self.has_return {
                        bytes[index] = 0;
                        self.place = Place::Beyond;
                        return;
                    }
                    self.take(bytes[index]);
                    index += 1;
                }
            }
        }
    }

    fn take(&mut self, byte: u8) {
        match byte {
            b'\n' => self.end_line(),
            b'\r' => self.has_return = true,
            _ => {
                self.has_return = false;
                if let Some(place) = self.line.get_mut(self.length) {
                    *place = byte.to_ascii_lowercase();
                }
                self.length += 1;
            }
        }
    }

    fn end_line(&mut self) {
        let is_empty = self.length == 0;
        match self.place {
            Place::Head => self.end_line_of_head(),
            Place::ChunkSize => self.place = self.after_size(),
            Place::ChunkEnd if is_empty => self.place = Place::ChunkSize,
            Place::ChunkEnd => self.place = Place::Beyond,
            Place::Trailers if is_empty => self.place = Place::Head,
            Place::Trailers | Place::Body(_) | Place::Chunk(_) | Place::Beyond => {}
        }
        self.length = 0;
        self.has_return = false;
    }

    fn end_line_of_head(&mut self) {
        let line = &self.line[..self.length.min(LINE_BYTES)];
        let value_of = |name: &[u8]| line.strip_prefix(name);
        if line.is_empty() {
            if std::mem::take(&mut self.has_begun) {
                self.place = std::mem::replace(&mut self.next, Place::Head);
            }
        } else if value_of(b"upgrade:").is_some() {
            self.next = Place::Beyond;
        } else if let Some(encoding) = value_of(b"transfer-encoding:")
            && self.next != Place::Beyond
        {
            // The parser refuses any other encoding, and a length beside an encoding.
            let is_chunked = encoding.trim_ascii() == b"chunked";
            self.next = if is_chunked { Place::ChunkSize } else { Place::Beyond };
        } else if let Some(length) = value_of(b"content-length:")
            && !matches!(self.next, Place::Beyond | Place::ChunkSize)
        {
            let length = std::str::from_utf8(length).ok().and_then(|text| text.trim().parse().ok());
            // The parser refuses a length that cannot be read.
            self.next = length.map_or(Place::Beyond, Place::Body);
        }
        self.has_begun |= self.length > 0;
    }

    /// The place behind the line with the size of a chunk. The parser refuses what is not a size.
    fn after_size(&self) -> Place {
        let line = &self.line[..self.length.min(LINE_BYTES)];
        let size = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let size = std::str::from_utf8(size).ok().map(|size| u64::from_str_radix(size, 16));
        match size {
            Some(Ok(0)) => Place::Trailers,
            Some(Ok(size)) => Place::Chunk(size),
            Some(Err(_)) | None => Place::Beyond,
        }
    }
}

/// Passes over those of the `left` bytes that are here; returns how many are still to come.
fn pass_over(left: u64, bytes: &[u8], index: &mut usize) -> u64 {
    let here = left.min((bytes.len() - *index) as u64);
    *index += usize::try_from(here).unwrap_or(usize::MAX);
    left - here
}

impl<T: AsyncRead + Unpin> AsyncRead for Strict<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = &read {
            self.heads.follow(&mut buffer.filled_mut()[before..]);
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Strict<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use crate::socket::strict::Heads;

    /// Whether this text passes unchanged, in whatever pieces it comes.
    fn passes(text: &str) -> bool {
        let whole = |size: usize| {
            let mut heads = Heads::new();
            let mut bytes = text.as_bytes().to_vec();
            bytes.chunks_mut(size).for_each(|piece| heads.follow(piece));
            bytes == text.as_bytes()
        };
        let answers = [1, 2, 7, text.len()].map(whole);
        assert!(answers.iter().all(|one| *one == answers[0]), "pieces make no difference");
        answers[0]
    }

    #[test]
    fn lines_of_a_head_end_with_both_and_bodies_are_left_alone() {
        let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let post = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n{\n\n\n}";
        let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\n\n\r\n\
             A;x=\"y\"\r\n\n\n\n\n\n\n\n\n\n\n\r\n0\r\n\r\n";
        for good in [
            get.to_owned(),
            get.repeat(3),
            format!("\r\n{post}{get}{post}"),
            format!("{chunked}{get}{chunked}"),
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\n\n".to_owned(),
        ] {
            assert!(passes(&good), "{good:?}");
        }
        for bad in [
            "GET / HTTP/1.1\nHost: a\r\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\nHost: a\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\nHost: a\r\n\n".to_owned(),
            format!("{post}GET / HTTP/1.1\n\n"),
            format!("{chunked}GET / HTTP/1.1\n\n"),
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\n\n\r\n0\r\n\r\n".to_owned(),
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\n".to_owned(),
        ] {
            assert!(!passes(&bad), "{bad:?}");
        }
    }
}
