//! The end of a socket: its last bytes, and the time they may take.

use std::task::{Context, Poll};

use crate::domain::time::Span;
use crate::limits;
use crate::socket::encoding::{Written, close_frame};
use crate::socket::line::SocketEnd;
use crate::socket::pump::{Farewell, Pump};
use crate::wire::close::CloseCode;
use crate::wire::server::ServerFrame;

impl Pump {
    /// Adds the last bytes of a socket, and starts the time they may take.
    pub(super) fn say_farewell(&mut self) {
        let end = self.line.end();
        let code = match end {
            None | Some(SocketEnd::Closed(_)) => Some(CloseCode::Normal),
            Some(SocketEnd::Refused(breach)) => Some(breach.close_code()),
            Some(SocketEnd::Slow) => Some(CloseCode::SlowReader),
            Some(SocketEnd::Ended | SocketEnd::Reset | SocketEnd::TimedOut) => None,
        };
        let Some(code) = code else {
            self.waiting.clear();
            return;
        };
        if end == Some(SocketEnd::Slow) || !self.line.has_closed() {
            let mut last = Written::default();
            match end {
                Some(SocketEnd::Closed(code)) => {
                    last.bytes.extend_from_slice(&close_frame(code));
                }
                None | Some(_) => {
                    last.put(&ServerFrame::bye(code, Span::ZERO).render(), code);
                }
            }
            self.waiting.push_back(last.into());
        }
        self.farewell = Some(Box::new(Farewell::begin()));
    }

    /// Finishes the socket after its session; ready once the socket is over.
    pub(super) fn part(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.write(cx);
        let Some(mut farewell) = self.farewell.take() else { return Poll::Ready(()) };
        if farewell.is_over(cx) {
            return Poll::Ready(());
        }
        if self.waiting.is_empty() && !self.stream.has_unsent() && !farewell.is_shut {
            farewell.is_shut = true;
            if self.stream.shut().is_err() {
                return Poll::Ready(());
            }
        }
        if !farewell.is_shut {
            self.farewell = Some(farewell);
            return Poll::Pending;
        }
        self.farewell = Some(farewell);
        while self.read(cx, Self::drain) {
            if self.farewell.is_none() {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }

    fn drain(&mut self, bytes: &[u8]) {
        if let Some(mut farewell) = self.farewell.take() {
            farewell.drained += bytes.len();
            if !bytes.is_empty() && farewell.drained <= limits::DRAINED_BYTES_MAX {
                self.farewell = Some(farewell);
            }
        }
    }
}
