//! What a conversation reads from the journal. The actor does not wait, but a task of its thread
//! does. What was read comes into the mailbox, behind what the actor was told meanwhile.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::behavior::conversation::Input;
use crate::behavior::message::Trouble;
use crate::domain::conversation::event::Audience;
use crate::domain::id::{Seq, SessionId};
use crate::engine::conversation::actor::ConversationActor;
use crate::engine::conversation::context::Context;
use crate::journal::Fault;
use crate::limits;

impl ConversationActor {
    /// Reads the conversation from the journal. The gathered appends go first: an earlier actor of
    /// the same id may have decided some, and they are read only once they are written.
    pub(super) fn load(&self, context: &Context) {
        self.thread.send_appends();
        let reading = self.thread.shared.journal.load(self.id());
        tell_when_read(context, reading, |found| {
            Input::Loaded(found.map(|found| found.map(Box::new)))
        });
    }

    /// Reads a page of what a session has missed, if its socket has room for it.
    pub(super) fn read_missed(
        &self,
        session: SessionId,
        after: Seq,
        through: Seq,
        context: &Context,
    ) -> Option<Input> {
        let shared = &self.thread.shared;
        if !shared.post.has_room_for_page(session) {
            return Some(Input::NoRoom(session));
        }
        let reading = shared.journal.read(
            self.id(),
            after,
            Audience::Customer,
            limits::CATCH_UP_ENTRIES_MAX,
            limits::CATCH_UP_BYTES_MAX,
        );
        tell_when_read(context, reading, move |entries| Input::Page {
            session,
            after,
            through,
            entries,
        });
        None
    }
}

/// Tells the actor what was read. An actor that has gone by then is not told. If the reader panics,
/// the actor hears of a fault, so that nobody waits in vain.
#[expect(clippy::disallowed_methods, reason = "one message for each page, or for the beginning")]
fn tell_when_read<T: 'static>(
    context: &Context,
    reading: BoxFuture<'static, Result<T, Fault>>,
    input_of: impl FnOnce(Result<T, Trouble>) -> Input + 'static,
) {
    let address = context.address();
    actix::spawn(async move {
        let read = match AssertUnwindSafe(reading).catch_unwind().await {
            Ok(read) => read.map_err(|fault| Trouble::from(&fault)),
            Err(_) => Err(Trouble { is_of_writing: false, text: "the reader panicked".into() }),
        };
        address.do_send(input_of(read));
    });
}
