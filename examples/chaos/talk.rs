//! One socket of a widget that talks: it posts without waiting for answers, beats, listens, and
//! notices by itself when the connection is lost.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::customer::Customer;
use super::frames;
use super::record::Mark;
use super::server::now_ms;
use super::world::Wrong;

pub(crate) type Socket = WebSocketStream<TcpStream>;

/// How many posts of one widget may wait for their answers.
const OUTSTANDING_MAX: usize = 24;

/// How many posts are sent together.
const BURST: u32 = 5;

/// How long a widget that knows of a later place waits to be told what is there, before it gives up
/// its socket.
const BEHIND_MAX: Duration = Duration::from_secs(1);

/// How a stretch of talk ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    /// The socket is lost, or must be given up.
    Lost,
    /// The chat is over.
    Over,
    /// Everything that was planned is said, though some of it may not be answered yet.
    Said,
}

impl Customer {
    /// Talks until the customer has said this many messages in all, or until the chat is over.
    pub(crate) async fn talk(&mut self, socket: &mut Socket, up_to: u32) -> End {
        let plan = self.world.plan.clone();
        let mut ticks = interval(Duration::from_secs_f64(f64::from(BURST) / plan.rate));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut heard_at, mut beaten_at) = (Instant::now(), Instant::now());
        self.behind = None;
        loop {
            tokio::select! {
                frame = socket.next() => match frame {
                    Some(Ok(Message::Text(text))) => {
                        heard_at = Instant::now();
                        self.hear(&text);
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => heard_at = Instant::now(),
                    _ => return End::Lost,
                },
                _ = ticks.tick() => {
                    let is_behind = self.behind.is_some_and(|since| since.elapsed() > BEHIND_MAX);
                    if heard_at.elapsed() > 2 * plan.heartbeat || is_behind {
                        return End::Lost;
                    }
                    if self.is_over {
                        return End::Over;
                    }
                    if self.said >= up_to || self.world.closing.get() && up_to < u32::MAX {
                        return End::Said;
                    }
                    let beats = beaten_at.elapsed() >= plan.heartbeat;
                    if beats {
                        beaten_at = Instant::now();
                    }
                    if self.say_more(socket, up_to, beats).await.is_none() {
                        return End::Lost;
                    }
                }
            }
            if self.is_over {
                return End::Over;
            }
        }
    }

    async fn say_more(&mut self, socket: &mut Socket, up_to: u32, beats: bool) -> Option<()> {
        let saying = async {
            if beats {
                socket.feed(frames::beat(self.chat.seen.get())).await.ok()?;
            }
            // A customer who only waits for the end of the chat says nothing more.
            let more = if up_to == u32::MAX { 0 } else { BURST.min(up_to - self.said) };
            for _ in 0..more {
                if self.unanswered.len() >= OUTSTANDING_MAX {
                    break;
                }
                self.unanswered.push_back((self.said, now_ms()));
                socket.feed(frames::post(self.said)).await.ok()?;
                self.said += 1;
                self.chat.minted.set((self.said, self.chat.minted.get().1));
            }
            socket.flush().await.ok()
        };
        timeout(2 * self.world.plan.heartbeat, saying).await.ok().flatten()
    }

    /// Says everything again that was not answered, in the same order and with the same ids.
    pub(crate) async fn say_again(&mut self, socket: &mut Socket) -> Option<()> {
        for (number, sent_at) in &mut self.unanswered {
            *sent_at = now_ms();
            socket.feed(frames::post(*number)).await.ok()?;
        }
        timeout(2 * self.world.plan.heartbeat, socket.flush()).await.ok()?.ok()
    }

    /// Takes a frame from the server.
    pub(crate) fn hear(&mut self, text: &str) {
        match frames::kind(text) {
            "posted" => self.hear_posted(text),
            "message" => self.hear_message(text),
            "state" => {
                self.see(frames::number(text, "seq"), text, false);
                let state = frames::word(text, "state").unwrap_or_default();
                self.is_over |= ["wrapup", "closed"].contains(&state);
            }
            "joined" => {
                self.see(frames::number(text, "seq"), text, true);
                let name = frames::word(text, "name").map(ToOwned::to_owned);
                *self.chat.agent.borrow_mut() = name;
            }
            "left" => {
                self.see(frames::number(text, "seq"), text, true);
                *self.chat.agent.borrow_mut() = None;
            }
            "agent" => self.see(frames::number(text, "seq"), text, true),
            "beat" => {
                let latest = frames::number(text, "seq").unwrap_or(0);
                let is_behind = latest > self.chat.seen.get();
                self.behind = is_behind.then(|| self.behind.unwrap_or_else(Instant::now));
            }
            "refused" => self.hear_refused(text),
            _ => {}
        }
    }

    fn hear_posted(&mut self, text: &str) {
        let (Some(number), Some(seq)) = (frames::number(text, "ref"), frames::number(text, "seq"))
        else {
            return self.world.note(Wrong::Other, format!("{}: {text}", self.chat.id));
        };
        let mark = Mark::of_customer(number);
        let sent_at = self.unanswered.iter().find(|(waits, _)| *waits == number).map(|(_, at)| *at);
        if let Some(sent_at) = sent_at {
            self.chat.proven_at.set(self.chat.proven_at.get().max(sent_at));
            self.world.count(|tally| tally.posted += 1);
            self.acknowledge(mark, seq);
            self.hear_place(seq, text);
            return;
        }
        // The message came in the stream before, and is now answered as well.
        let answered = self.chat.answered.borrow();
        let before = answered.iter().rev().find(|(known, _)| *known == mark);
        if before.is_none_or(|(_, before)| *before != seq) {
            let what = format!("{}: {mark} was at {before:?}; {text}", self.chat.id);
            self.world.note(Wrong::Duplicated, what);
        }
    }

    fn hear_message(&mut self, text: &str) {
        let mark = frames::word(text, "id").and_then(Mark::parse);
        let (Some(mark), Some(seq)) = (mark, frames::number(text, "seq")) else {
            return self.world.note(Wrong::Other, format!("{}: {text}", self.chat.id));
        };
        if mark.is_customers() && self.unanswered.iter().any(|(waits, _)| *waits == mark.number()) {
            // This message is the answer that was lost.
            self.world.count(|tally| tally.posted += 1);
            self.acknowledge(mark, seq);
        }
        self.hear_place(seq, text);
    }

    fn acknowledge(&mut self, mark: Mark, seq: u32) {
        self.unanswered.retain(|(waits, _)| *waits != mark.number());
        self.chat.answered.borrow_mut().push((mark, seq));
    }

    fn hear_place(&mut self, seq: u32, text: &str) {
        self.chat.heard.borrow_mut().push(seq);
        self.see(Some(seq), text, true);
    }

    /// Everything that has a place comes in its order. A `state` may have the same place as what it
    /// follows.
    fn see(&mut self, seq: Option<u32>, text: &str, is_new: bool) {
        let Some(seq) = seq else { return };
        let seen = self.chat.seen.get();
        if seq < seen || is_new && seq == seen {
            let what = format!("{} saw {seen} and then {text}", self.chat.id);
            self.world.note(Wrong::Reordered, what);
        }
        self.chat.seen.set(seen.max(seq));
        if self.behind.is_some() {
            self.behind = Some(Instant::now());
        }
    }

    fn hear_refused(&mut self, text: &str) {
        let number = frames::number(text, "ref");
        if let Some(number) = number {
            self.unanswered.retain(|(waits, _)| *waits != number);
        }
        match frames::word(text, "code").unwrap_or_default() {
            "conversation_ended" | "already_closed" | "not_started" => self.is_over = true,
            // No customer here says more than a customer may.
            "rate_limited" => {
                self.world.note(Wrong::Refused, format!("{}: {text}", self.chat.id));
            }
            "overloaded" | "unavailable" => {
                self.world.count(|tally| tally.refused += 1);
            }
            _ => self.world.note(Wrong::Other, format!("{}: {text}", self.chat.id)),
        }
    }
}
