//! How customers are lost, come back, and leave.

use rustix::event::epoll;
use rustix::net::sockopt;

use super::Driver;
use super::chat::{NEVER, State};
use super::fate::{Purpose, back_after, lost_at, millis};
use crate::clock;
use crate::frame;
use crate::workload::How;

/// Seconds after which a widget comes back if the server closed it without a time to return.
const BACK_AFTER_S: [f64; 2] = [0.25, 0.5];

/// Close codes of a client: nothing more to say, and the page is left.
const NORMAL: u16 = 1_000;
const GOING_AWAY: u16 = 1_001;

impl Driver {
    /// Sets when a customer who is in their chat is lost next.
    pub(super) fn plan_life(&mut self, place: u32) {
        let now = self.millisecond(clock::now());
        let (Some(begun), chat) = (self.begun, &mut self.chats[place as usize]) else { return };
        let Some(number) = chat.loss else { return };
        let loss = &self.plan.workload.losses[usize::from(number)];
        let due = if chat.losses == 0 {
            begun + lost_at(&self.plan.workload, number, chat.link.customer)
        } else if loss.again_s > 0.0 {
            now + millis(loss.again_s)
        } else {
            return;
        };
        let end = begun + millis(self.plan.workload.duration_s);
        if due <= end {
            chat.life_due = due;
        }
    }

    /// Does the step of a customer's life that is due.
    pub(super) fn live(&mut self, place: u32) {
        let chat = &mut self.chats[place as usize];
        let due = std::mem::replace(&mut chat.life_due, NEVER);
        match chat.state {
            State::Away => self.come_back(place, due),
            State::Silent => {
                // The network is back, and the old socket is of no more use.
                chat.socket = None;
                self.come_back(place, due);
            }
            State::Ready if chat.is_told_to_go => {
                let customer = chat.link.customer;
                chat.socket = None;
                self.tidings.lost.push((customer, clock::now(), false));
                self.interrupt_posts(place);
                self.come_back(place, due);
            }
            State::Ready => self.lose(place),
            // A customer on the way in is lost once they are in.
            State::Upgrading | State::Opening => chat.life_due = due + 100,
            State::Outside | State::Ending | State::Gone => {}
        }
    }

    fn come_back(&mut self, place: u32, due: u32) {
        let due = self.moment(due);
        (self.chats[place as usize].beat_due, self.chats[place as usize].read_due) = (NEVER, NEVER);
        self.connect(place, due);
    }

    /// Loses a customer as the plan has it.
    fn lose(&mut self, place: u32) {
        let now = clock::now();
        let chat = &mut self.chats[place as usize];
        let Some(number) = chat.loss else { return };
        let how = self.plan.workload.losses[usize::from(number)].how;
        let customer = chat.link.customer;
        (chat.beat_due, chat.read_due) = (NEVER, NEVER);
        if how == How::End {
            chat.state = State::Ending;
            self.say(place, |dialect, link, mouth| dialect.end(link, mouth));
            return;
        }
        self.counts.lost += 1;
        let last_sign = if how == How::Silent { chat.spoke } else { now };
        self.tidings.lost.push((customer, last_sign, true));
        self.interrupt_posts(place);
        self.let_go(place, how);
        let chat = &mut self.chats[place as usize];
        chat.losses += 1;
        let millisecond = now.since(self.plan.epoch).as_millis();
        let millisecond = u32::try_from(millisecond).unwrap_or(NEVER);
        let back = back_after(&self.plan.workload, number, customer, chat.losses);
        match (back, how) {
            (Some(after), How::Silent) => {
                chat.state = State::Silent;
                chat.life_due = millisecond.saturating_add(after);
            }
            (None, How::Silent) => chat.state = State::Silent,
            (Some(after), _) => {
                chat.state = State::Away;
                chat.life_due = millisecond.saturating_add(after);
            }
            (None, _) => chat.state = State::Gone,
        }
    }

    /// Treats the socket as the kind of loss demands.
    fn let_go(&mut self, place: u32, how: How) {
        match how {
            How::Leave => {
                self.say(place, |dialect, link, mouth| dialect.leave(link, mouth));
                self.say_close(place, GOING_AWAY);
            }
            How::Close => self.say_close(place, NORMAL),
            How::Reset | How::Fin | How::Silent | How::End => {}
        }
        let chat = &mut self.chats[place as usize];
        let Some(socket) = &chat.socket else { return };
        // Either call fails only if the server has closed the socket first.
        match how {
            How::Silent => {
                let _ = epoll::delete(&self.epoll, socket);
                return;
            }
            How::Reset => {
                let _ = sockopt::set_socket_linger(socket, Some(std::time::Duration::ZERO));
            }
            // With unread bytes, the kernel would send a reset instead of a FIN.
            How::Fin | How::Close | How::Leave | How::End => {
                let _ = rustix::io::read(socket, &mut self.buffer[..]);
            }
        }
        chat.socket = None;
        chat.unsent = Vec::new();
        chat.unread = Vec::new();
    }

    fn say_close(&mut self, place: u32, code: u16) {
        frame::write(&mut self.out, frame::CLOSE, &code.to_be_bytes());
        self.flush(place);
    }

    /// The chat is over.
    pub(super) fn over(&mut self, place: u32) {
        let now = clock::now();
        let chat = &mut self.chats[place as usize];
        if chat.state == State::Ending {
            self.counts.ended += 1;
            self.tidings.ended.push((chat.link.customer, now));
            self.say_close(place, NORMAL);
            self.let_go(place, How::Fin);
            self.chats[place as usize].state = State::Gone;
        } else {
            self.counts.over += 1;
        }
    }

    /// The server has closed the socket.
    pub(super) fn closed(&mut self, place: u32, why: &str) {
        let now = clock::now();
        let chat = &mut self.chats[place as usize];
        chat.socket = None;
        chat.unsent = Vec::new();
        chat.unread = Vec::new();
        match chat.state {
            State::Upgrading | State::Opening if chat.is_told_to_go => {}
            State::Upgrading | State::Opening => return self.fail(place),
            State::Ready => {}
            State::Outside | State::Ending | State::Away | State::Silent | State::Gone => return,
        }
        (chat.beat_due, chat.read_due) = (NEVER, NEVER);
        let was_ready = chat.state == State::Ready;
        chat.state = State::Away;
        let (customer, is_told) = (chat.link.customer, chat.is_told_to_go);
        let closes = if is_told || chat.is_slow {
            &mut self.counts.closes_expected
        } else {
            &mut self.counts.closes_unexpected
        };
        *closes.entry(why.to_owned()).or_default() += 1;
        if was_ready {
            self.tidings.lost.push((customer, now, false));
            self.interrupt_posts(place);
        }
        if !is_told {
            let key = u64::from(customer) << 32 | now.0;
            let soon = self.dice.between(Purpose::ComeBack, key, BACK_AFTER_S);
            let due = self.millisecond(now) + soon;
            self.chats[place as usize].life_due = due;
        }
        self.arm(place);
    }
}
