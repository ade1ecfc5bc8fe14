//! The context of an actor of which there are millions, most of them waiting for one deadline.
//!
//! actix's own context keeps room for several futures, for cancelled handles and for waits in
//! every actor, whether it has any or not: four hundred bytes. This one has 32: the mailbox, one
//! alarm, and a box for futures while there are some. To the outside it is the same: the actor has
//! an address, handlers, a life cycle, and futures that run in its name.
//!
//! One thing differs: an actor does not end when nobody holds its address. The directory holds
//! weak ones, which cost a chat 100 bytes less.

use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll};

use actix::dev::channel::AddressReceiver;
use actix::dev::{Envelope, EnvelopeProxy, ToEnvelope};
use actix::{
    Actor, ActorContext, ActorFuture, ActorState, Addr, AsyncContext, Handler, Message, Running,
    SpawnHandle,
};
use futures_util::Stream;

use crate::clock::Clock;
use crate::domain::time::Timestamp;
use crate::engine::alarms::{Alarm, Alarms, Watch};

/// An actor that has deadlines.
pub(super) trait Punctual: Actor {
    /// The clock that its deadlines are of.
    fn clock(&self) -> Clock;

    /// The alarms of its thread.
    fn alarms(&self) -> &Alarms;

    /// What puts a deadline off that is about to be waited for, and until when.
    fn watch(&self, due: Timestamp) -> Option<Watch>;

    /// The time that was asked for has come: it is `now`.
    fn on_deadline(&mut self, now: Timestamp, context: &mut Self::Context);

    /// Takes what the journal has confirmed since this was asked last. Gives whether it was
    /// anything.
    fn take_receipt(&mut self, context: &mut Self::Context) -> bool;

    /// Has its task woken by the journal's next word, if it waits for one.
    fn await_receipt(&self, task: &task::Context<'_>);
}

/// The context of such an actor.
pub(super) struct Context<A: Punctual<Context = Self>> {
    mailbox: AddressReceiver<A>,
    spawned: Option<Box<Spawned<A>>>,
    /// When the actor wants to be woken.
    due: Option<Timestamp>,
    alarm: Alarm,
    /// Whether the alarm has to be set for what is due.
    is_unset: bool,
    /// Whether something may have put it off.
    is_watching: bool,
    state: State,
}

/// How far its life is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    New,
    Running,
    Stopping,
    Stopped,
}

/// Futures that run in the actor's name.
struct Spawned<A: Actor> {
    /// The last handle that was given to one of them.
    last: SpawnHandle,
    items: Vec<Item<A>>,
    /// Those that are being polled, and are not to be any more.
    cancelled: Vec<SpawnHandle>,
}

struct Item<A: Actor> {
    handle: SpawnHandle,
    /// Whether the mailbox rests until it is done.
    is_awaited: bool,
    future: Pin<Box<dyn ActorFuture<A, Output = ()>>>,
}

impl<A: Punctual<Context = Self>> Context<A> {
    /// Starts an actor on this thread, with its mailbox.
    pub(super) fn start(actor: A, mailbox: AddressReceiver<A>) {
        actix::spawn(Life { actor, context: Self::new(mailbox) });
    }

    const fn new(mailbox: AddressReceiver<A>) -> Self {
        Self {
            mailbox,
            spawned: None,
            due: None,
            alarm: Alarm::unset(),
            is_unset: false,
            is_watching: false,
            state: State::New,
        }
    }

    /// Has the actor woken at this time, instead of any other; or at none. What is asked for anew
    /// when it `may_be_put_off` is how far.
    pub(super) fn wake_at(&mut self, at: Option<Timestamp>, may_be_put_off: bool) {
        let is_other = self.due != at || may_be_put_off || self.is_watching;
        self.is_unset = at.is_some() && (self.is_unset || is_other);
        self.due = at;
    }

    fn add<F>(&mut self, future: F, is_awaited: bool) -> SpawnHandle
    where
        F: ActorFuture<A, Output = ()> + 'static,
    {
        let spawned = self.spawned.get_or_insert_default();
        let handle = spawned.last.next();
        spawned.last = handle;
        spawned.items.push(Item { handle, is_awaited, future: Box::pin(future) });
        handle
    }

    fn is_resting(&self) -> bool {
        self.spawned.as_ref().is_some_and(|all| all.items.iter().any(|item| item.is_awaited))
    }

    /// Polls every future once. Gives whether anything has come of it.
    fn poll_spawned(&mut self, actor: &mut A, task: &mut task::Context<'_>) -> bool {
        let Some(spawned) = &mut self.spawned else { return false };
        let items = std::mem::take(&mut spawned.items);
        let before = items.len();
        let mut left = Vec::new();
        for mut item in items {
            let is_over = |context: &Self| {
                let spawned = context.spawned.as_ref();
                spawned.is_some_and(|all| all.cancelled.contains(&item.handle))
            };
            if self.state != State::Running || is_over(self) {
                continue;
            }
            let polled = item.future.as_mut().poll(actor, self, task);
            if polled.is_pending() {
                left.push(item);
            }
        }
        let Some(spawned) = &mut self.spawned else { return false };
        let cancelled = std::mem::take(&mut spawned.cancelled);
        left.retain(|item| !cancelled.contains(&item.handle));
        let is_changed = left.len() < before || !spawned.items.is_empty();
        left.append(&mut spawned.items);
        spawned.items = left;
        if spawned.items.is_empty() {
            self.spawned = None;
        }
        is_changed
    }
}

impl<A: Actor> Default for Spawned<A> {
    fn default() -> Self {
        Self { last: SpawnHandle::default(), items: Vec::new(), cancelled: Vec::new() }
    }
}

impl<A: Punctual<Context = Self>> fmt::Debug for Context<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Context")
            .field("state", &self.state)
            .field("due", &self.due)
            .finish_non_exhaustive()
    }
}

impl<A: Punctual<Context = Self>> ActorContext for Context<A> {
    fn stop(&mut self) {
        if matches!(self.state, State::New | State::Running) {
            self.state = State::Stopping;
        }
    }

    fn terminate(&mut self) {
        self.state = State::Stopping;
    }

    fn state(&self) -> ActorState {
        match self.state {
            State::New => ActorState::Started,
            State::Running => ActorState::Running,
            State::Stopping => ActorState::Stopping,
            State::Stopped => ActorState::Stopped,
        }
    }
}

impl<A: Punctual<Context = Self>> AsyncContext<A> for Context<A> {
    fn address(&self) -> Addr<A> {
        Addr::new(self.mailbox.sender())
    }

    fn spawn<F>(&mut self, future: F) -> SpawnHandle
    where
        F: ActorFuture<A, Output = ()> + 'static,
    {
        self.add(future, false)
    }

    fn wait<F>(&mut self, future: F)
    where
        F: ActorFuture<A, Output = ()> + 'static,
    {
        self.add(future, true);
    }

    fn waiting(&self) -> bool {
        self.is_resting() || matches!(self.state, State::Stopping | State::Stopped)
    }

    fn cancel_future(&mut self, handle: SpawnHandle) -> bool {
        let Some(spawned) = &mut self.spawned else { return false };
        spawned.items.retain(|item| item.handle != handle);
        spawned.cancelled.push(handle);
        true
    }
}

impl<A, M> ToEnvelope<A, M> for Context<A>
where
    A: Punctual<Context = Self> + Handler<M>,
    M: Message<Result: Send> + Send + 'static,
{
    fn pack(message: M, reply: Option<tokio::sync::oneshot::Sender<M::Result>>) -> Envelope<A> {
        Envelope::new(message, reply)
    }
}

/// An actor with its context: the task that it is.
struct Life<A: Punctual<Context = Context<A>>> {
    actor: A,
    context: Context<A>,
}

impl<A: Punctual<Context = Context<A>>> Life<A> {
    /// Takes what is in the mailbox.
    fn read_mail(&mut self, task: &mut task::Context<'_>) {
        let Self { actor, context } = self;
        while context.state == State::Running && !context.is_resting() {
            match Pin::new(&mut context.mailbox).poll_next(task) {
                Poll::Ready(Some(mut envelope)) => envelope.handle(actor, context),
                Poll::Ready(None) | Poll::Pending => return,
            }
        }
    }

    /// Takes what the journal has said: before the mail, much of which waits for just that.
    fn take_receipt(&mut self) -> bool {
        let Self { actor, context } = self;
        context.state == State::Running && !context.is_resting() && actor.take_receipt(context)
    }

    /// Serves the deadline, if it has come.
    fn meet_deadline(&mut self, now: &mut Option<Timestamp>) -> bool {
        let Self { actor, context } = self;
        let Some(due) = context.due else { return false };
        // Read once for a turn: what becomes due during it has an alarm that rings at once.
        let now = *now.get_or_insert_with(|| actor.clock().now());
        if due <= now && context.state == State::Running {
            context.due = None;
            actor.on_deadline(now, context);
        }
        due <= now
    }

    fn stop(&mut self) -> bool {
        let Self { actor, context } = self;
        if actor.stopping(context) == Running::Continue {
            context.state = State::Running;
            return false;
        }
        context.state = State::Stopped;
        actor.stopped(context);
        true
    }
}

impl<A: Punctual<Context = Context<A>>> Future for Life<A> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.context.state == State::New {
            this.context.state = State::Running;
            this.actor.started(&mut this.context);
        }
        let mut now = None;
        loop {
            let has_receipt = this.take_receipt();
            this.read_mail(task);
            let has_polled = this.context.poll_spawned(&mut this.actor, task);
            let has_woken = this.meet_deadline(&mut now);
            if this.context.state == State::Stopping {
                if this.stop() {
                    return Poll::Ready(());
                }
            } else if !has_polled && !(this.context.spawned.is_some() && (has_woken || has_receipt))
            {
                // The mailbox was empty: whatever comes into it now has this task woken again. Only
                // futures that were spawned since have yet to say what they wait for.
                break;
            }
        }
        if let (true, Some(due)) = (this.context.is_unset, this.context.due) {
            this.context.is_unset = false;
            // An alarm that rang before its time would be the last: it is set only for another.
            let (at, watch) = (this.actor.clock().instant(due), this.actor.watch(due));
            this.context.is_watching = watch.is_some();
            let (alarms, alarm) = (this.actor.alarms(), &mut this.context.alarm);
            match watch {
                Some(watch) => alarms.set_watching(alarm, at, watch, task),
                None => alarms.set(alarm, at, task),
            }
        }
        this.actor.await_receipt(task);
        Poll::Pending
    }
}

impl<A: Punctual<Context = Context<A>>> Unpin for Life<A> {}

impl<A: Punctual<Context = Context<A>>> Drop for Life<A> {
    /// However it ends, by a panic too, its actor is told so; only not one that never began.
    fn drop(&mut self) {
        if matches!(self.context.state, State::Running | State::Stopping) {
            self.context.state = State::Stopped;
            self.actor.stopped(&mut self.context);
        }
        self.actor.alarms().unset(&mut self.context.alarm);
    }
}
