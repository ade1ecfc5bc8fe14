//! What customers say: heartbeats and posts at their due times, and whatever a dialect answers.

use std::fmt::{self, Write as _};
use std::time::Duration;

use hdrhistogram::Histogram;
use rustix::event::epoll;
use rustix::io::Errno;

use super::chat::{NEVER, State};
use super::fate::{Purpose, millis};
use super::{Driver, micros};
use crate::clock::{self, Moment};
use crate::dialect::{Dialect, Link, Say};
use crate::driver::tally::{Latencies, Parted};
use crate::frame;
use crate::plan::number;
use crate::workload::{By, Shape};

/// A post that is not acknowledged yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    place: u32,
    due: Moment,
    /// Whether the socket was lost meanwhile. Then the time says nothing about the server.
    is_interrupted: bool,
}

/// Frames what a dialect says.
pub(super) struct Mouth<'a> {
    out: &'a mut Vec<u8>,
    scratch: &'a mut Vec<u8>,
}

/// Lets text be formatted into bytes.
struct Bytes<'a>(&'a mut Vec<u8>);

impl fmt::Write for Bytes<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl Say for Mouth<'_> {
    fn text(&mut self, body: fmt::Arguments<'_>) {
        self.scratch.clear();
        // Writing to memory does not fail.
        let _ = Bytes(self.scratch).write_fmt(body);
        frame::write(self.out, frame::TEXT, self.scratch);
    }

    fn binary(&mut self, body: &[u8]) {
        frame::write(self.out, frame::BINARY, body);
    }

    fn ping(&mut self, body: &[u8]) {
        frame::write(self.out, frame::PING, body);
    }
}

impl Driver {
    /// Has the dialect say something, and sends it.
    pub(super) fn say(
        &mut self,
        place: u32,
        what: impl FnOnce(&mut dyn Dialect, &mut Link, &mut Mouth<'_>),
    ) {
        let chat = &mut self.chats[place as usize];
        let mut mouth = Mouth { out: &mut self.out, scratch: &mut self.scratch };
        what(self.dialect.as_mut(), &mut chat.link, &mut mouth);
        self.flush(place);
    }

    /// Sends what is in `out`.
    pub(super) fn flush(&mut self, place: u32) {
        if self.out.is_empty() {
            return;
        }
        let chat = &mut self.chats[place as usize];
        chat.spoke = clock::now();
        let mut sent = 0;
        if let Some(socket) = &chat.socket
            && chat.unsent.is_empty()
        {
            // An error shows when the socket is read.
            sent = rustix::io::write(socket, &self.out).unwrap_or(0);
        }
        chat.unsent.extend_from_slice(&self.out[sent..]);
        self.out.clear();
        if !chat.unsent.is_empty() {
            self.watch_for_room(place, true);
        }
    }

    /// Sends what the socket has not taken before.
    pub(super) fn write_unsent(&mut self, place: u32) {
        let chat = &mut self.chats[place as usize];
        let Some(socket) = &chat.socket else { return };
        if !chat.unsent.is_empty() {
            match rustix::io::write(socket, &chat.unsent) {
                Ok(sent) if sent == chat.unsent.len() => chat.unsent = Vec::new(),
                Ok(sent) => drop(chat.unsent.drain(..sent)),
                Err(Errno::AGAIN | Errno::NOTCONN | Errno::INTR) => {}
                // The error shows when the socket is read.
                Err(_) => chat.unsent = Vec::new(),
            }
        }
        if chat.unsent.is_empty() {
            self.watch_for_room(place, false);
        }
    }

    fn watch_for_room(&mut self, place: u32, wants: bool) {
        let chat = &mut self.chats[place as usize];
        let Some(socket) = &chat.socket else { return };
        if chat.wants_room == wants {
            return;
        }
        chat.wants_room = wants;
        let mut flags = epoll::EventFlags::empty();
        if chat.read_due == NEVER {
            flags |= epoll::EventFlags::IN;
        }
        if wants {
            flags |= epoll::EventFlags::OUT;
        }
        let data = epoll::EventData::new_u64(place.into());
        // The call fails only if the socket is gone, which shows when it is read.
        let _ = epoll::modify(&self.epoll, socket, data, flags);
    }

    /// Says the heartbeat that is due.
    pub(super) fn beat(&mut self, place: u32) {
        let period = millis(self.plan.workload.heartbeat.every_s).max(1);
        let due = self.chats[place as usize].beat_due;
        let is_measured = self.is_measured(due);
        let lateness = clock::now().since(self.moment(due));
        let answers = self.dialect.answers_beats();
        let chat = &mut self.chats[place as usize];
        let waits = self.plan.workload.shape == Shape::Closed && answers;
        chat.beat_due = if waits { NEVER } else { due.saturating_add(period) };
        if answers {
            chat.unanswered = chat.unanswered.saturating_add(1);
        }
        if is_measured {
            self.counts.beats += 1;
            if !waits {
                self.latencies.lateness.saturating_record(micros(lateness));
            }
        }
        self.say(place, |dialect, link, mouth| dialect.beat(link, mouth));
    }

    /// A heartbeat was answered: the oldest one without an answer.
    pub(super) fn beat_answered(&mut self, place: u32) {
        let period = millis(self.plan.workload.heartbeat.every_s).max(1);
        let now = clock::now();
        let chat = &mut self.chats[place as usize];
        if chat.unanswered == 0 {
            return;
        }
        let (due, measured) = if self.plan.workload.shape == Shape::Closed {
            let next = u32::try_from(now.since(self.plan.epoch).as_millis()).unwrap_or(NEVER);
            chat.beat_due = next.saturating_add(period);
            (chat.spoke, chat.beat_due)
        } else {
            let back = period.saturating_mul(u32::from(chat.unanswered));
            let due = chat.beat_due.saturating_sub(back);
            (self.plan.epoch.after(Duration::from_millis(due.into())), due)
        };
        chat.unanswered -= 1;
        if self.is_measured(measured) {
            self.counts.beats_answered += 1;
            let time = micros(now.since(due));
            self.latencies.beat.saturating_record(time);
            if let Some(part) = self.part(place, due, |latencies| &mut latencies.staying_beat) {
                part.saturating_record(time);
            }
        }
        if self.plan.workload.shape == Shape::Closed {
            self.arm(place);
        }
    }

    /// When the next post of the plan is due, if there is one.
    pub(super) fn post_due(&self) -> Option<Moment> {
        let begun = self.moment(self.begun?);
        let rate = self.plan.posts_per_s;
        let which = self.posts_done as f64 + self.dice.share(Purpose::PostTime, self.posts_done);
        let after = which / rate;
        let is_in_time = rate > 0.0 && after < self.plan.workload.duration_s;
        is_in_time.then(|| begun.after(Duration::from_secs_f64(after)))
    }

    /// Says every post that is due, each in a chat that is drawn for it.
    pub(super) fn post_what_is_due(&mut self) {
        let by = self.plan.workload.posts.by;
        while let Some(due) = self.post_due() {
            let now = clock::now();
            if due > now {
                return;
            }
            self.latencies.lateness.saturating_record(micros(now.since(due)));
            let key = u64::from(self.plan.first) << 32 | self.posts_done;
            let drawn = self.dice.throw(Purpose::Customer, key) % u64::from(self.plan.customers);
            self.posts_done += 1;
            // If the drawn customer cannot post, the next one who can does.
            let count = self.chats.len();
            let places = (0..count).map(|step| (drawn as usize + step) % count);
            let ready = places.into_iter().find(|place| {
                let chat = &self.chats[*place];
                let may = by == By::Everybody || chat.loss.is_none();
                may && chat.state == State::Ready && !chat.is_slow && !chat.is_told_to_go
            });
            match ready.and_then(|place| u32::try_from(place).ok()) {
                Some(place) => self.post(place, due),
                None => self.counts.posts_skipped += 1,
            }
        }
    }

    fn post(&mut self, place: u32, due: Moment) {
        let chat = &mut self.chats[place as usize];
        chat.posts += 1;
        chat.unposted = chat.unposted.saturating_add(1);
        let number = number(chat.link.customer, chat.posts);
        self.pending.insert(number, Pending { place, due, is_interrupted: false });
        self.tidings.posting.push((number, due));
        self.counts.posts += 1;
        self.say_post(place, number);
    }

    fn say_post(&mut self, place: u32, number: u64) {
        let [least, most] = self.plan.workload.posts.bytes;
        let size = least
            + (self.dice.throw(Purpose::PostSize, number) % u64::from(most - least + 1)) as u32;
        let text = filler(size as usize);
        self.say(place, |dialect, link, mouth| dialect.post(link, number, text, mouth));
    }

    /// A post was acknowledged.
    pub(super) fn posted(&mut self, number: u64) {
        let Some(pending) = self.pending.remove(&number) else { return };
        let now = clock::now();
        let chat = &mut self.chats[pending.place as usize];
        chat.unposted = chat.unposted.saturating_sub(1);
        self.counts.posted += 1;
        if !pending.is_interrupted {
            let time = micros(now.since(pending.due));
            self.latencies.post.saturating_record(time);
            let Pending { place, due, .. } = pending;
            if let Some(part) = self.part(place, due, |latencies| &mut latencies.staying_post) {
                part.saturating_record(time);
            }
        }
        self.tidings.posted.push(number);
    }

    /// The histogram for what this customer said and was due then, if the workload has a storm and
    /// they stay.
    fn part(
        &mut self,
        place: u32,
        due: Moment,
        whose: impl FnOnce(&mut Latencies) -> &mut Parted,
    ) -> Option<&mut Histogram<u64>> {
        let storm = self.plan.workload.storm?;
        let begun = self.moment(self.begun?);
        let chat = &self.chats[place as usize];
        if chat.loss.is_some() || chat.is_slow {
            return None;
        }
        let of = |seconds: f64| begun.after(Duration::from_secs_f64(seconds));
        let parted = whose(&mut self.latencies);
        Some(match due {
            due if due < of(storm.from_s) => &mut parted.before,
            due if due < of(storm.to_s) => &mut parted.storm,
            _ => &mut parted.after,
        })
    }

    /// The socket is lost, so its pending posts take as long as the customer is away.
    pub(super) fn interrupt_posts(&mut self, place: u32) {
        if self.chats[place as usize].unposted == 0 {
            return;
        }
        let own = self.pending.values_mut().filter(|pending| pending.place == place);
        own.for_each(|pending| pending.is_interrupted = true);
    }

    /// Says again what was not acknowledged before the socket was lost.
    pub(super) fn repost(&mut self, place: u32) {
        if self.chats[place as usize].unposted == 0 {
            return;
        }
        let own = self.pending.iter().filter(|(_, pending)| pending.place == place);
        let mut numbers: Vec<u64> = own.map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        for number in numbers {
            self.counts.reposts += 1;
            self.say_post(place, number);
        }
    }
}

/// A text of this many bytes.
pub(crate) fn filler(bytes: usize) -> &'static str {
    const LINE: &str = "The parcel left on Monday, says one page, and the other one says that it \
                        has not; which of the two is right, please? ";
    static TEXT: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| LINE.repeat(64));
    let text: &'static str = TEXT.as_str();
    &text[..bytes.min(text.len())]
}
