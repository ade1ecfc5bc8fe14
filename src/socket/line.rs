//! What a session and its socket share: the [`Line`] that the session holds.

use std::cell::{Cell, RefCell};
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_http::ws::{Message, OpCode, ProtocolError};
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use futures_util::Stream;
use tokio::time::Instant;

use crate::clock;
use crate::domain::cause::Cause;
use crate::domain::time::Span;
use crate::limits;
use crate::socket::encoding::{Light, Written};
use crate::socket::guard::{Breach, Guard, Incoming};
use crate::socket::movement::Departure;
use crate::socket::outbox::Outbox;
use crate::wire::close::CloseCode;
use crate::wire::server::ServerFrame;

/// How a socket ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SocketEnd {
    /// The widget sent a close frame with this code; 1005 when it had none.
    Closed(u16),
    /// The connection ended without a close frame.
    Ended,
    /// The connection was reset.
    Reset,
    /// The peer acknowledged nothing for too long.
    TimedOut,
    /// The widget broke the protocol.
    Refused(Breach),
    /// The widget read too slowly.
    Slow,
}

impl SocketEnd {
    /// The cause that the conversation is told.
    pub const fn cause(self) -> Cause {
        match self {
            Self::Closed(code) => Cause::Closed(code),
            Self::Ended => Cause::Closed(1006),
            Self::Reset | Self::TimedOut => Cause::Reset,
            Self::Refused(breach) => breach.close_code().cause(),
            Self::Slow => CloseCode::SlowReader.cause(),
        }
    }
}

/// What is to become of a socket's alarm.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Alarm {
    /// It is set for this instant.
    At(Instant),
    /// It is not set.
    Off,
}

/// A session's handle on its socket: what the session says, what it has done, and how the socket
/// ended. Cheap to clone; it stays on the thread of its socket, and is only used while its session
/// runs.
#[derive(Clone, Debug)]
pub struct Line(Rc<Shared>);

#[derive(Debug)]
struct Shared {
    outbox: Arc<Outbox>,
    end: Cell<Option<SocketEnd>>,
    has_closed: Cell<bool>,
    /// Whether the session has been told of the end.
    is_told: Cell<bool>,
    /// Whether the session should be polled although nothing has woken it.
    is_due: Cell<bool>,
    given: Cell<u16>,
    light: Cell<Light>,
    /// When the session wants to be woken.
    wakes_at: Cell<Option<Instant>>,
    /// Whether `wakes_at` has changed since the pump asked.
    has_new_alarm: Cell<bool>,
    inner: RefCell<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Present only while a message has come in part, which is seldom.
    guard: Option<Box<Guard>>,
    ready: Option<Incoming>,
    rest: Bytes,
    written: Written,
    departure: Option<Box<Departure>>,
}

impl Line {
    pub(super) fn new() -> Self {
        Self::begun_with(Inner::default())
    }

    /// The line of a socket that has changed its thread.
    pub(super) fn arrived(guard: Option<Box<Guard>>, first: ByteString, rest: Bytes) -> Self {
        let ready = Some(Incoming::Text(first));
        Self::begun_with(Inner { guard, ready, rest, ..Inner::default() })
    }

    fn begun_with(inner: Inner) -> Self {
        Self(Rc::new(Shared {
            outbox: Arc::default(),
            end: Cell::new(None),
            has_closed: Cell::new(false),
            is_told: Cell::new(false),
            is_due: Cell::new(false),
            given: Cell::new(0),
            light: Cell::default(),
            wakes_at: Cell::new(None),
            has_new_alarm: Cell::new(false),
            inner: RefCell::new(inner),
        }))
    }

    /// The outbox of this socket, for others that send to this session.
    pub fn outbox(&self) -> Arc<Outbox> {
        Arc::clone(&self.0.outbox)
    }

    /// The outbox, for the socket itself.
    pub(super) fn on_its_way(&self) -> &Outbox {
        &self.0.outbox
    }

    /// Says a text. If the outbox is full the socket is closed instead; the session then learns
    /// of its end as of any other.
    pub fn text(&self, text: &ByteString) {
        self.say(OpCode::Text, text.as_bytes());
    }

    /// Says a text for which the sender has made a reservation in the outbox.
    pub fn pass_on(&self, text: &ByteString) {
        self.write(OpCode::Text, text.as_bytes());
    }

    /// Asks whether the widget is there.
    pub fn ping(&self) {
        self.say(OpCode::Ping, &[]);
    }

    /// Answers a ping.
    pub fn pong(&self, payload: &[u8]) {
        self.say(OpCode::Pong, payload);
    }

    /// Says `bye` and closes: the session stops its context next, and what was said before is
    /// still written if the widget reads it soon.
    pub fn close(&self, code: CloseCode, retry_after: Span) {
        if self.0.has_closed.get() {
            return;
        }
        let bye = ServerFrame::bye(code, retry_after).render();
        self.0.inner.borrow_mut().written.put(&bye, code);
        self.0.has_closed.set(true);
    }

    /// Has the socket carried to another thread: the session stops its context next.
    pub fn depart(&self, departure: Departure) {
        self.0.inner.borrow_mut().departure = Some(Box::new(departure));
    }

    pub(super) fn take_departure(&self) -> Option<(Departure, Option<Box<Guard>>, Bytes)> {
        let mut inner = self.0.inner.borrow_mut();
        let departure = inner.departure.take()?;
        Some((*departure, mem::take(&mut inner.guard), mem::take(&mut inner.rest)))
    }

    /// Notes that one frame has been dealt with. The session calls it once for every frame that it
    /// was given, at once or when the answer has come: while [`limits::INBOX_FRAMES_MAX`] are not
    /// done, nothing more is read from the socket.
    pub fn done(&self) {
        let was_open = self.is_open();
        self.0.given.set(self.0.given.get().saturating_sub(1));
        if !was_open {
            self.0.is_due.set(true);
        }
    }

    /// Sets the one instant at which the session is given a [`Message::Nop`], or unsets it.
    pub fn wake_at(&self, at: Option<Instant>) {
        if self.0.wakes_at.replace(at) != at {
            self.0.has_new_alarm.set(true);
        }
    }

    /// When the session wants to be woken, if that has changed since the last call.
    pub(super) fn take_new_alarm(&self) -> Option<Alarm> {
        self.0.has_new_alarm.take().then(|| match self.0.wakes_at.get() {
            Some(at) => Alarm::At(at),
            None => Alarm::Off,
        })
    }

    fn take_alarm(&self) -> bool {
        let has_come = self.0.wakes_at.get().is_some_and(|at| at <= clock::reading());
        if has_come {
            self.wake_at(None);
        }
        has_come
    }

    /// How the socket ended; nothing while it lives, or when the session stopped first.
    pub fn end(&self) -> Option<SocketEnd> {
        self.0.end.get()
    }

    fn say(&self, kind: OpCode, payload: &[u8]) {
        if let Some(light) = self.0.light.get().with(payload.len()) {
            // Nothing may follow a close frame.
            if !self.0.has_closed.get() {
                self.0.light.set(light);
                self.0.inner.borrow_mut().written.say(kind, payload);
            }
        } else if self.0.outbox.reserve(payload.len()).is_ok() {
            self.write(kind, payload);
        }
    }

    fn write(&self, kind: OpCode, payload: &[u8]) {
        // Bounded by the outbox, in which it was counted.
        let bytes = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        // Nothing may follow a close frame.
        if self.0.has_closed.get() {
            self.0.outbox.release(1, bytes);
            return;
        }
        let mut inner = self.0.inner.borrow_mut();
        let written = &mut inner.written;
        written.say(kind, payload);
        written.frames += 1;
        written.payload += bytes;
    }

    /// Lends the session a buffer to speak into.
    pub(super) fn lend(&self, buffer: BytesMut) {
        let written = &mut self.0.inner.borrow_mut().written;
        if written.bytes.is_empty() {
            written.bytes = buffer;
        }
    }

    /// What the session has said, and the buffer that it was lent.
    pub(super) fn take_written(&self) -> Written {
        mem::take(&mut self.0.inner.borrow_mut().written)
    }

    /// Takes what was said and is not counted in the outbox.
    pub(super) fn take_light(&self) -> Light {
        self.0.light.take()
    }

    pub(super) fn has_closed(&self) -> bool {
        self.0.has_closed.get()
    }

    /// Notes how the socket ended, once.
    pub(super) fn note_end(&self, end: SocketEnd) {
        if self.0.end.get().is_none() {
            self.0.end.set(Some(end));
            self.0.is_due.set(true);
        }
    }

    /// Whether the session can be given more, now.
    pub(super) fn is_open(&self) -> bool {
        usize::from(self.0.given.get()) < limits::INBOX_FRAMES_MAX
    }

    /// Whether bytes wait for the session.
    pub(super) fn has_waiting(&self) -> bool {
        let inner = self.0.inner.borrow();
        inner.ready.is_some() || !inner.rest.is_empty()
    }

    /// Whether the session should be polled although nothing has woken it.
    pub(super) fn take_due(&self) -> bool {
        self.0.is_due.take()
    }

    /// Whether the session was given every frame that ever came, and told of the end.
    pub fn has_given_all(&self) -> bool {
        self.0.is_told.get()
    }

    /// Takes bytes from the socket. Nothing may be waiting.
    pub(super) fn feed(&self, mut chunk: &[u8]) {
        let found = {
            let mut inner = self.0.inner.borrow_mut();
            // Nearly always a chunk is one frame, and nothing of it has to be kept.
            let found = inner.read(&mut chunk);
            inner.rest = Bytes::copy_from_slice(chunk);
            found
        };
        if let Some(incoming) = self.judge(found) {
            self.0.inner.borrow_mut().ready = Some(incoming);
        }
    }

    fn take_next(&self) -> Option<Incoming> {
        let found = {
            let mut inner = self.0.inner.borrow_mut();
            if let Some(incoming) = inner.ready.take() {
                return Some(incoming);
            }
            if inner.rest.is_empty() {
                return None;
            }
            let rest = mem::take(&mut inner.rest);
            let mut chunk = &rest[..];
            let found = inner.read(&mut chunk);
            inner.rest = rest.slice_ref(chunk);
            found
        };
        self.judge(found)
    }

    fn judge(&self, found: Result<Option<Incoming>, Breach>) -> Option<Incoming> {
        let end = match found {
            Ok(Some(Incoming::Close(code))) => SocketEnd::Closed(code),
            Ok(incoming) => return incoming,
            Err(breach) => SocketEnd::Refused(breach),
        };
        // Whatever follows has no meaning.
        self.0.inner.borrow_mut().rest = Bytes::new();
        self.note_end(end);
        None
    }
}

impl Inner {
    fn read(&mut self, chunk: &mut &[u8]) -> Result<Option<Incoming>, Breach> {
        let mut kept = self.guard.take();
        let mut fresh = Guard::default();
        let guard = kept.as_deref_mut().unwrap_or(&mut fresh);
        let found = guard.next(chunk);
        if !guard.is_idle() {
            self.guard = Some(kept.unwrap_or_else(|| Box::new(fresh)));
        }
        found
    }
}

/// The stream of a session's frames. It ends when the socket has ended and every frame before that
/// has been given.
#[derive(Debug)]
pub(super) struct Frames(pub(super) Line);

impl Stream for Frames {
    type Item = Result<Message, ProtocolError>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let line = &self.0;
        if line.take_alarm() {
            return Poll::Ready(Some(Ok(Message::Nop)));
        }
        let is_slow = line.end() == Some(SocketEnd::Slow);
        let may_give = !is_slow && (line.is_open() || line.end().is_some());
        if may_give && let Some(incoming) = line.take_next() {
            line.0.given.set(line.0.given.get() + 1);
            let message = match incoming {
                Incoming::Text(text) => Message::Text(text),
                Incoming::Ping(payload) => Message::Ping(payload),
                Incoming::Pong(payload) => Message::Pong(payload),
                Incoming::Close(_) => Message::Nop,
            };
            return Poll::Ready(Some(Ok(message)));
        }
        // The pump polls the session again whenever this could have changed.
        if line.end().is_some() {
            line.0.is_told.set(true);
            return Poll::Ready(None);
        }
        Poll::Pending
    }
}
