//! One future for each socket: it carries bytes between the connection and the session actor.
//!
//! The session is polled whenever it has something to do, whether or not the widget reads. Between
//! frames the future holds no buffer: it reads into a buffer that its thread shares, and frees what
//! it writes as soon as it is written. It ends by itself once the session has stopped.

mod close;

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix::{Actor, AsyncContext, StreamHandler};
use actix_web_actors::ws::{Message, ProtocolError, WebsocketContext};
use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::time::Sleep;

use crate::engine::Alarm;
use crate::limits;
use crate::socket::encoding::{Encoded, Written};
use crate::socket::guard::Guard;
use crate::socket::line::{self, Frames, Line, SocketEnd};
use crate::socket::movement::{Departure, Movement};
use crate::socket::thread::Thread;
use crate::socket::transport::{Carried, Transport};

/// An actor that a socket can be given to.
pub trait SessionActor:
    Actor<Context = WebsocketContext<Self>> + StreamHandler<Result<Message, ProtocolError>>
{
}

impl<A> SessionActor for A where
    A: Actor<Context = WebsocketContext<A>> + StreamHandler<Result<Message, ProtocolError>>
{
}

type Session = Pin<Box<dyn Stream<Item = Result<Bytes, actix_web::Error>>>>;

/// A socket and its session.
pub struct Pump {
    thread: Rc<Thread>,
    stream: Transport,
    line: Line,
    /// The session; gone once it has stopped.
    session: Option<Session>,
    /// What could not be written at once.
    waiting: VecDeque<Encoded>,
    farewell: Option<Box<Farewell>>,
    alarm: Alarm,
    /// Whether the outbox can wake it.
    is_registered: bool,
}

impl fmt::Debug for Pump {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pump").field("line", &self.line).finish_non_exhaustive()
    }
}

impl Pump {
    /// A socket whose session begins. `opening` is written before anything else, and `leftover`
    /// was read from the socket before.
    pub(super) fn new<A: SessionActor>(
        thread: Rc<Thread>,
        stream: Transport,
        line: Line,
        session: A,
        opening: Bytes,
        leftover: &[u8],
    ) -> Self {
        if !leftover.is_empty() {
            line.feed(leftover);
        }
        let frames = Frames(line.clone());
        // The context's own decoder would keep its largest buffer for life, so it is given
        // nothing to decode, and ends at once; the frames come from the guard.
        let context = WebsocketContext::with_factory(stream::empty(), move |context| {
            context.add_stream(frames);
            session
        });
        let opening = Encoded { bytes: opening, frames: 0, payload: 0, written: 0 };
        Self {
            thread,
            stream,
            line,
            session: Some(Box::pin(context)),
            waiting: VecDeque::from([opening]),
            farewell: None,
            alarm: Alarm::unset(),
            is_registered: false,
        }
    }

    /// A socket that has changed its thread.
    pub(super) fn arrived<A: SessionActor>(
        thread: Rc<Thread>,
        stream: Carried,
        line: Line,
        session: A,
        unwritten: Bytes,
    ) -> io::Result<Self> {
        Ok(Self::new(thread, Transport::arrived(stream)?, line, session, unwritten, &[]))
    }

    /// Lets the session run, and takes what it says. Returns whether that is counted in the outbox.
    fn drive(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(session) = &mut self.session else { return false };
        self.line.lend(self.thread.take_spare());
        let has_stopped = loop {
            match session.as_mut().poll_next(cx) {
                // A session speaks through its line; the context itself never says anything.
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_)) | None) => break true,
                Poll::Pending => break false,
            }
        };
        let is_counted = self.send(self.line.take_written());
        if has_stopped && let Some((departure, guard, rest)) = self.line.take_departure() {
            self.session = None;
            self.depart(departure, guard, rest);
            return is_counted;
        }
        // A session that has been told of the end has nothing more to do here.
        if has_stopped || self.line.has_given_all() {
            self.session = None;
            self.say_farewell();
        }
        is_counted
    }

    /// Writes what the session has said, and keeps the bytes that the socket does not take at once.
    /// Returns whether what it said was counted in the outbox, or is by now.
    fn send(&mut self, mut written: Written) -> bool {
        if written.bytes.is_empty() {
            self.thread.give_back(written.bytes);
            return false;
        }
        let light = self.line.take_light();
        let count = if self.waiting.is_empty() {
            match self.stream.try_write(&written.bytes) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                Err(error) => {
                    self.fail(&error);
                    return true;
                }
            }
        } else {
            0
        };
        if count < written.bytes.len() {
            written.count(light, self.line.on_its_way());
            self.waiting.push_back(Encoded { written: count, ..written.into() });
            return true;
        }
        let is_counted = written.frames > 0;
        if is_counted {
            self.line.on_its_way().release(written.frames, written.payload);
        }
        self.thread.give_back(written.bytes);
        is_counted
    }

    /// Gives the connection away. This descriptor closes with the future; the given one stays open.
    fn depart(&mut self, departure: Departure, guard: Option<Box<Guard>>, rest: Bytes) {
        let Departure { first, carry } = departure;
        let unwritten: Vec<_> = self.waiting.drain(..).map(Encoded::rest).collect();
        match self.stream.give_away() {
            Ok(stream) => {
                let unwritten = unwritten.concat().into();
                carry(Movement { stream, unwritten, guard, first, rest });
            }
            Err(error) => self.fail(&error),
        }
    }

    /// Begins to close a socket whose widget reads too slowly. Frames that the widget has not begun
    /// to receive are dropped: the widget comes back, and resumes.
    fn cut_slow(&mut self) {
        self.line.note_end(SocketEnd::Slow);
        let begun = self.waiting.pop_front().and_then(Encoded::cut_to_frame);
        self.waiting.clear();
        self.waiting.extend(begun);
    }

    /// Writes what waits, as far as the socket takes it.
    fn write(&mut self, cx: &mut Context<'_>) {
        if self.waiting.is_empty() && !self.stream.has_unsent() {
            return;
        }
        while let Some(front) = self.waiting.front_mut() {
            match self.stream.try_write(&front.bytes[front.written..]) {
                Ok(count) => {
                    front.written += count;
                    if front.written == front.bytes.len() {
                        self.line.on_its_way().release(front.frames, front.payload);
                        self.waiting.pop_front();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match self.stream.socket().poll_write_ready(cx) {
                        Poll::Pending => return,
                        Poll::Ready(Ok(())) => {}
                        Poll::Ready(Err(error)) => return self.fail(&error),
                    }
                }
                Err(error) => return self.fail(&error),
            }
        }
        self.waiting = VecDeque::new();
        if let Poll::Ready(Err(error)) = self.stream.poll_send(cx) {
            self.fail(&error);
        }
    }

    fn fail(&mut self, error: &io::Error) {
        self.waiting.clear();
        self.line.note_end(match error.kind() {
            io::ErrorKind::TimedOut => SocketEnd::TimedOut,
            _ => SocketEnd::Reset,
        });
        self.farewell = None;
    }

    /// Reads once into the thread's buffer. Returns whether that gave bytes, the end or an error.
    fn read(&mut self, cx: &mut Context<'_>, mut take: impl FnMut(&mut Self, &[u8])) -> bool {
        let thread = Rc::clone(&self.thread);
        let mut buffer = thread.read.borrow_mut();
        match self.stream.poll_take(cx, &mut buffer) {
            Poll::Pending => false,
            Poll::Ready(Ok(count)) => {
                take(self, &buffer[..count]);
                true
            }
            Poll::Ready(Err(error)) => {
                self.fail(&error);
                true
            }
        }
    }

    /// One turn while the session lives: reads what has come, gives it to the session, writes what
    /// the session says. Returns whether anything happened. The first turn polls the session in any
    /// case, because the session may be what was woken.
    fn turn(&mut self, is_first: bool, cx: &mut Context<'_>) -> bool {
        let may_read = self.line.end().is_none() && !self.line.has_waiting() && self.line.is_open();
        let has_read = may_read
            && self.read(cx, |pump, bytes| {
                if bytes.is_empty() {
                    pump.line.note_end(SocketEnd::Ended);
                } else {
                    pump.line.feed(bytes);
                }
            });
        let is_due = self.line.take_due();
        if !is_first && !has_read && !is_due {
            return false;
        }
        // Whatever overflows the outbox either waits here or has just come from the session, so a
        // heartbeat need not look.
        let may_be_over = self.drive(cx) || !has_read || !self.waiting.is_empty();
        if may_be_over && self.line.on_its_way().is_over() && self.line.end().is_none() {
            self.cut_slow();
        }
        self.write(cx);
        self.set_alarm(cx);
        true
    }

    /// Sets the alarm for the session.
    fn set_alarm(&mut self, cx: &mut Context<'_>) {
        match self.line.take_new_alarm() {
            Some(line::Alarm::At(at)) => self.thread.alarms.set(&mut self.alarm, at, cx),
            // The session is in a chat, perhaps for hours, and the conversation watches it.
            Some(line::Alarm::Off) => self.thread.alarms.unset(&mut self.alarm),
            None => {}
        }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.thread.alarms.unset(&mut self.alarm);
    }
}

impl Future for Pump {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let pump = self.get_mut();
        if !pump.is_registered {
            // The pump is a task of its own from the beginning, so its waker never changes.
            pump.line.on_its_way().register(cx.waker());
            pump.is_registered = true;
        }
        for turn in 0..limits::SOCKET_TURNS_MAX {
            if pump.session.is_none() {
                return pump.part(cx);
            }
            if !pump.turn(turn == 0, cx) {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

const _: () = assert!(size_of::<Pump>() <= 120, "every socket has one");

/// The time that a socket has left after its session.
struct Farewell {
    until: Pin<Box<Sleep>>,
    is_shut: bool,
    drained: usize,
}

impl Farewell {
    /// Starts the time now.
    fn begin() -> Self {
        let limit = Duration::from_secs(limits::FAREWELL_SECONDS_MAX);
        Self { until: Box::pin(tokio::time::sleep(limit)), is_shut: false, drained: 0 }
    }

    /// Whether its time is over.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        self.until.as_mut().poll(cx).is_ready()
    }
}
