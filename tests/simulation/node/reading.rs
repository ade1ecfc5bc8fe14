//! How a simulated node answers conversations that read from its disk: at once or later, with what
//! is there by then, and with at least what was durable when they asked.

use holdline::domain::id::{ConversationId, Seq, SessionId};

use crate::node::mail::{Mail, Party};
use crate::node::timers::{Read, Timer};
use crate::node::{Node, PAGE_ENTRIES, chat};
use crate::server::Millis;

/// How late an answer may be.
const LATE: Millis = 60;

impl Node {
    /// Reads the waiting conversations that have no unsettled writes.
    pub(super) fn serve_loads(&mut self) {
        for (id, epoch) in std::mem::take(&mut self.loads) {
            if self.disk.is_unsettled(id) {
                self.loads.push((id, epoch));
                continue;
            }
            self.answer_later(id, epoch, Read::Whole);
        }
    }

    /// Reads what a session has missed.
    pub(super) fn read_page(
        &mut self,
        (id, epoch): (ConversationId, u64),
        session: SessionId,
        places: (Seq, Seq),
    ) {
        let is_read_now = self.threads.toss();
        let entries = is_read_now.then(|| self.disk.page(id, places.0, PAGE_ENTRIES));
        self.answer_later(id, epoch, Read::Page(session, places, entries));
    }

    fn answer_later(&mut self, id: ConversationId, epoch: u64, read: Read) {
        match self.threads.lateness(LATE) {
            0 => self.answer_read(id, epoch, read),
            late => {
                self.arm(self.now + late, Timer::Read(id, epoch, Box::new(read)));
            }
        }
    }

    pub(super) fn answer_read(&mut self, id: ConversationId, epoch: u64, read: Read) {
        let input = match read {
            Read::Whole => {
                let found = self.disk.chats.get(&id);
                chat::Input::Loaded(Ok(found.map(|chat| Box::new(chat.conversation.clone()))))
            }
            Read::Page(session, (after, through), entries) => {
                let read = || self.disk.page(id, after, PAGE_ENTRIES);
                let entries = Ok(entries.unwrap_or_else(read));
                chat::Input::Page { session, after, through, entries }
            }
        };
        self.send(Party::Chat(id, epoch), Mail::Chat(input));
    }
}
