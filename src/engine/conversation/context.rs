//! The context of a conversation's actor, of which there are millions, most of them waiting for one
//! deadline.
//!
//! actix's own context keeps room for several futures, for cancelled handles and for waits in
//! every actor, whether it has any or not: four hundred bytes. This one has 24: the mailbox and one
//! alarm. To the outside it is the same: the actor has an address, handlers and a life cycle.
//!
//! Two things differ. No futures run in the actor's name, so it is no `AsyncContext`: what the
//! actor waits for comes as a message. And an actor does not end when nobody holds its address. The
//! directory holds weak ones, which cost a chat 100 bytes less.

use std::fmt;

use actix::dev::channel::AddressReceiver;
use actix::dev::{Envelope, EnvelopeProxy, ToEnvelope};
use actix::{ActorContext, ActorState, Addr, Handler, Message};
use tokio::sync::oneshot;

use crate::domain::time::Timestamp;
use crate::engine::alarms::Alarm;
use crate::engine::conversation::actor::ConversationActor;

/// The context of a conversation's actor.
pub(in crate::engine) struct Context {
    pub(super) mailbox: AddressReceiver<ConversationActor>,
    /// When the actor wants to be woken.
    pub(super) due: Option<Timestamp>,
    pub(super) alarm: Alarm,
    /// Whether the alarm has to be set for what is due.
    pub(super) is_unset: bool,
    /// Whether signs of life may have put it off.
    pub(super) is_watching: bool,
    /// The stage of the actor's life.
    pub(super) state: ActorState,
    /// Whether it has ended without having been asked to stop.
    pub(super) has_died: bool,
}

impl Context {
    pub(super) const fn new(mailbox: AddressReceiver<ConversationActor>) -> Self {
        Self {
            mailbox,
            due: None,
            alarm: Alarm::unset(),
            is_unset: false,
            is_watching: false,
            state: ActorState::Started,
            has_died: false,
        }
    }

    /// The address of the actor.
    pub(super) fn address(&self) -> Addr<ConversationActor> {
        Addr::new(self.mailbox.sender())
    }

    /// Has the actor woken at this time instead of at any set before, or at none. If signs of life
    /// `may_be_put_off` the same time, the alarm is set anew all the same, to ask again how far.
    pub(super) fn wake_at(&mut self, at: Option<Timestamp>, may_be_put_off: bool) {
        let is_other = self.due != at || may_be_put_off || self.is_watching;
        self.is_unset = at.is_some() && (self.is_unset || is_other);
        self.due = at;
    }

    /// Whether the actor has begun, and is not about to stop.
    pub(super) fn is_running(&self) -> bool {
        self.state == ActorState::Running
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Context")
            .field("state", &self.state)
            .field("due", &self.due)
            .finish_non_exhaustive()
    }
}

impl ActorContext for Context {
    fn stop(&mut self) {
        if self.state.alive() {
            self.state = ActorState::Stopping;
        }
    }

    fn terminate(&mut self) {
        self.stop();
    }

    fn state(&self) -> ActorState {
        self.state
    }
}

/// A message in the mailbox. actix's own envelope works for an `AsyncContext` alone.
struct Enclosed<M> {
    /// Nothing once it was taken out.
    message: Option<M>,
    /// Tells the sender that the message was handled, if the sender waits for that.
    reply: Option<oneshot::Sender<()>>,
}

impl<M> EnvelopeProxy<ConversationActor> for Enclosed<M>
where
    ConversationActor: Handler<M, Result = ()>,
    M: Message<Result = ()>,
{
    fn handle(&mut self, actor: &mut ConversationActor, context: &mut Context) {
        if let Some(message) = self.message.take() {
            Handler::handle(actor, message, context);
        }
        if let Some(reply) = self.reply.take() {
            // The sender may have gone.
            let _ = reply.send(());
        }
    }
}

impl<M> ToEnvelope<ConversationActor, M> for Context
where
    ConversationActor: Handler<M, Result = ()>,
    M: Message<Result = ()> + Send + 'static,
{
    fn pack(message: M, reply: Option<oneshot::Sender<()>>) -> Envelope<ConversationActor> {
        Envelope::with_proxy(Box::new(Enclosed { message: Some(message), reply }))
    }
}
