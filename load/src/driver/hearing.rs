//! What customers hear: the bytes of their sockets, the frames in them, and what a dialect makes
//! of those.

use rustix::io::Errno;

use super::chat::{NEVER, State};
use super::fate::{Purpose, millis};
use super::{Driver, micros};
use crate::clock;
use crate::dialect::{Heard, Message};
use crate::frame::{self, Frame};
use crate::workload::Phase;

impl Driver {
    /// Takes what has come on a socket.
    pub(super) fn read(&mut self, place: u32) {
        let most = self.buffer.len();
        self.read_at_most(place, most);
    }

    /// Takes the few bytes that a slow reader takes at a time. Once the work is over, slow readers
    /// read like everybody else, so that what they were told can be compared.
    pub(super) fn read_slowly(&mut self, place: u32) {
        let slow = &self.plan.workload.slow;
        let (bytes, every) = (slow.bytes as usize, slow.every_ms);
        let works = millis(self.plan.workload.duration_s);
        let is_over = |begun: u32| self.millisecond(clock::now()) > begun.saturating_add(works);
        let catches_up = self.begun.is_some_and(is_over);
        let chat = &mut self.chats[place as usize];
        if catches_up {
            chat.read_due = NEVER;
            chat.wants_room = true;
            return self.write_unsent(place);
        }
        chat.read_due = chat.read_due.saturating_add(every);
        self.read_at_most(place, bytes);
    }

    fn read_at_most(&mut self, place: u32, most: usize) {
        let chat = &mut self.chats[place as usize];
        let Some(socket) = &chat.socket else { return };
        let most = most.min(self.buffer.len());
        match rustix::io::read(socket, &mut self.buffer[..most]) {
            Ok(0) => self.closed(place, "end"),
            Ok(count) => {
                // All sockets share the buffer, so what one has sent is worked off before the next
                // is read.
                let buffer = std::mem::take(&mut self.buffer);
                self.take(place, &buffer[..count]);
                self.buffer = buffer;
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(Errno::CONNRESET | Errno::PIPE) => self.closed(place, "reset"),
            Err(error) => self.closed(place, &error.to_string()),
        }
    }

    fn take(&mut self, place: u32, bytes: &[u8]) {
        let chat = &mut self.chats[place as usize];
        if chat.state != State::Upgrading && chat.unread.is_empty() {
            let taken = self.take_frames(place, bytes);
            let rest = &bytes[taken.min(bytes.len())..];
            self.chats[place as usize].unread.extend_from_slice(rest);
            return;
        }
        chat.unread.extend_from_slice(bytes);
        if chat.state == State::Upgrading && !self.take_upgrade(place) {
            return;
        }
        let mut unread = std::mem::take(&mut self.chats[place as usize].unread);
        let taken = self.take_frames(place, &unread);
        if taken < unread.len() {
            unread.drain(..taken);
            self.chats[place as usize].unread = unread;
        }
    }

    /// Takes all whole frames; returns how many bytes they were. If the socket is gone, that is all
    /// bytes.
    fn take_frames(&mut self, place: u32, mut bytes: &[u8]) -> usize {
        let all = bytes.len();
        while let Some(frame) = frame::next(bytes) {
            self.take_frame(place, &frame);
            bytes = &bytes[frame.length..];
            if self.chats[place as usize].socket.is_none() {
                return all;
            }
        }
        self.flush(place);
        all - bytes.len()
    }

    fn take_frame(&mut self, place: u32, frame: &Frame<'_>) {
        let message = match frame.opcode {
            frame::TEXT => Message::Text(frame.payload),
            frame::BINARY => Message::Binary(frame.payload),
            frame::PING => {
                frame::write(&mut self.out, frame::PONG, frame.payload);
                Message::Ping(frame.payload)
            }
            frame::PONG => Message::Pong(frame.payload),
            frame::CLOSE => {
                self.out.clear();
                let code =
                    frame.payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                return self.closed(place, &code.to_string());
            }
            _ => return,
        };
        let mut heard = std::mem::take(&mut self.heard);
        self.say(place, |dialect, link, mouth| {
            dialect.hear(link, message, mouth, &mut |what| heard.push(what));
        });
        for what in heard.drain(..) {
            self.heed(place, what);
        }
        self.heard = heard;
    }

    fn heed(&mut self, place: u32, what: Heard) {
        match what {
            Heard::Beat => self.beat_answered(place),
            Heard::Posted { number } => self.posted(number),
            Heard::Message { number } => {
                let customer = self.chats[place as usize].link.customer;
                self.counts.heard += 1;
                self.tidings.heard.push((customer, number));
            }
            Heard::Ready { is_resumed } => self.enter(place, is_resumed),
            Heard::Over => self.over(place),
            Heard::Refused { code } => *self.counts.refusals.entry(code).or_default() += 1,
            Heard::Bye { retry_after_ms } => {
                self.counts.byes += 1;
                let now = self.millisecond(clock::now());
                let chat = &mut self.chats[place as usize];
                chat.is_told_to_go = true;
                let wait = u32::try_from(retry_after_ms).unwrap_or(NEVER);
                chat.life_due = now.saturating_add(wait);
                self.arm(place);
            }
            Heard::Other => {}
        }
    }

    /// The customer is in their chat.
    fn enter(&mut self, place: u32, is_resumed: bool) {
        let now = clock::now();
        let millisecond = self.millisecond(now);
        let chat = &mut self.chats[place as usize];
        if chat.state != State::Opening {
            return;
        }
        chat.state = State::Ready;
        chat.failures = 0;
        chat.unanswered = 0;
        let customer = chat.link.customer;
        let was_ready = std::mem::replace(&mut chat.was_ready, true);
        if was_ready {
            self.tidings.back.push((customer, now, is_resumed));
            if is_resumed {
                self.counts.resumed += 1;
                self.latencies.resume.saturating_record(micros(now.since(chat.connect_due)));
            } else {
                self.counts.restarted += 1;
            }
        } else {
            self.counts.entered += 1;
            self.tidings.entered.push((customer, now));
            self.latencies.ready.saturating_record(micros(now.since(chat.opened)));
        }
        let period = millis(self.plan.workload.heartbeat.every_s).max(1);
        let phase = match self.plan.workload.heartbeat.phase {
            Phase::Jittered => {
                let key = u64::from(customer) << 16 | u64::from(millisecond);
                millisecond + 1 + (self.dice.throw(Purpose::Phase, key) % u64::from(period)) as u32
            }
            Phase::Synchronised => (millisecond / period + 1) * period,
        };
        let chat = &mut self.chats[place as usize];
        chat.beat_due = phase;
        if chat.is_slow {
            chat.read_due = millisecond + self.plan.workload.slow.every_ms;
            // From here on the socket is read when the timer is due, and not when bytes are there.
            chat.wants_room = true;
            self.write_unsent(place);
        }
        let padding = self.plan.workload.padding.bytes as usize;
        if !was_ready && padding > 0 {
            self.say(place, |dialect, link, mouth| dialect.pad(link, padding, mouth));
        }
        self.plan_life(place);
        self.arm(place);
        self.repost(place);
    }
}
