//! How a conversation learns of its sessions' signs of life: it reads them before it decides
//! anything, and is woken for a silence only when there is one.

use crate::domain::time::Timestamp;
use crate::engine::alarms::Watch;
use crate::engine::conversation::ConversationActor;

impl ConversationActor {
    /// Takes note of all signs of life that there are. Whatever it is asked, it answers knowing
    /// them.
    pub(super) fn listen(&mut self) {
        let id = self.id();
        let mut next = 0;
        while let Some(attending) = self.conversation.attendance().sessions().get(next) {
            let session = attending.session;
            if let Some(pulse) = self.thread.shared.post.pulse_of(session, id) {
                self.conversation.hear_all(session, pulse.take());
            }
            next += 1;
        }
    }

    /// Whose signs of life put off what is due then, and until when.
    pub(super) fn watch_over(&self, due: Timestamp) -> Option<Watch> {
        let watched = self.conversation.watched().filter(|watched| watched.wake_at == due)?;
        let pulse = self.thread.shared.post.pulse_of(watched.session, self.id())?;
        let own = [self.unwritten_until, self.lease_repeated_at(), self.leave_at];
        let until = own.into_iter().flatten().chain(watched.otherwise).min();
        Some(Watch { pulse, due, after: watched.after, until })
    }
}
