//! How a conversation's actor dies in a simulated node, as by a panic. Nothing of the turn in which
//! it dies is done, its mail is lost, callers that wait for its answer are denied, and it is opened
//! again from what is durable.

use holdline::behavior::message::ToConversation;
use holdline::domain::id::ConversationId;

use crate::node::chat::Chat;
use crate::node::mail::{Mail, Party};
use crate::node::timers::{Actor, Timer};
use crate::node::{Node, chat};
use crate::reached::{Came, Fate};
use crate::server::{Doom, Millis, Seen};

/// How late a conversation is opened again.
const REOPENED_WITHIN: Millis = 40;

impl Node {
    /// Whether a conversation dies in its next turn, and when. A conversation that has never begun
    /// does not: there would be nothing to read.
    pub(super) fn doom_of(&mut self, chat: &Chat) -> Option<Doom> {
        let doom = self.doom.as_mut().filter(|_| chat.may_be_written())?;
        if doom.turns > 0 {
            doom.turns -= 1;
            return None;
        }
        self.doom.take()
    }

    /// The actor dies before it has dealt with this input.
    pub(super) fn meet_death(&mut self, chat: &Chat, input: &chat::Input) {
        let came = Came::of(input, chat, self.clock());
        self.reached.follow(came, Fate::Died);
    }

    /// A conversation's actor dies.
    pub(super) fn die(&mut self, it: (ConversationId, u64), mut actor: Actor<Chat>) {
        if let Some((_, armed)) = actor.alarm.take() {
            self.disarm(armed);
        }
        self.threads.of(it.0).give_back(it.0, it.1);
        let loses_kept = self.rules.loses_kept();
        for request in self.questions.kept_by(it).into_iter().filter(|_| !loses_kept) {
            self.deny(Some(request));
        }
        let returns = actor.behavior.may_be_written() && !actor.behavior.is_retired();
        if returns && !self.rules.forgets_the_dead() {
            // A caller that asks every live conversation asks this one too.
            self.dead.insert(it);
        } else {
            self.leave_directory(it.0, it.1);
        }
        let waiting = self.mailboxes.remove(&Party::Chat(it.0, it.1)).unwrap_or_default();
        for mail in waiting {
            if let Mail::Chat(input) = mail {
                self.deny(chat::request(&input));
            }
        }
        self.seen.push(Seen::Died);
        if returns {
            let late = self.threads.lateness(REOPENED_WITHIN);
            self.arm(self.now + late, Timer::Reopen(it.0));
        }
    }

    /// Opens a conversation again after its actor died.
    pub(super) fn reopen(&mut self, id: ConversationId) {
        if self.rules.forgets_the_dead() {
            return self.tell_chat(id, ToConversation::StateClaims(None));
        }
        self.tell_live(id, ToConversation::StateClaims(None));
    }
}
