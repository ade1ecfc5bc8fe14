//! The task that a conversation's actor is: it is woken for what has come, and takes it in order.
//!
//! ```text
//!   woken ──> receipt ──> mail ──> deadline ──> alarm set ──> asleep
//!                                     │
//!                                     └──stopping──> stopped
//! ```

use std::pin::Pin;
use std::task::{self, Poll};

use actix::dev::EnvelopeProxy as _;
use actix::dev::channel::AddressReceiver;
use actix::{Actor as _, ActorState};
use futures_util::Stream as _;

use crate::behavior::conversation::Input;
use crate::engine::conversation::actor::ConversationActor;
use crate::engine::conversation::context::Context;

/// An actor with its context.
struct Task {
    actor: ConversationActor,
    context: Context,
}

const _: () = assert!(
    size_of::<Task>() <= 280,
    "with what the runtime adds, a chat that is held takes 384 bytes up to 288: the next larger \
     size is 512"
);

impl ConversationActor {
    /// Lives on this thread from now on, with its mailbox.
    pub(in crate::engine) fn live(self, mailbox: AddressReceiver<Self>) {
        actix::spawn(Task { actor: self, context: Context::new(mailbox) });
    }
}

impl Task {
    fn begin(&mut self) {
        if self.context.state == ActorState::Started {
            self.context.state = ActorState::Running;
            self.actor.started(&mut self.context);
        }
    }

    /// Takes the journal's receipt before the mail, because much of the mail waits for just that.
    fn take_receipt(&mut self) {
        let Self { actor, context } = self;
        if context.is_running()
            && let Some(receipt) = actor.take_receipt()
        {
            actor.turn(Input::Durable(receipt), context);
        }
    }

    /// Takes what is in the mailbox. Once it is empty, the next message wakes this task.
    fn read_mail(&mut self, task: &mut task::Context<'_>) {
        let Self { actor, context } = self;
        while context.is_running() {
            match Pin::new(&mut context.mailbox).poll_next(task) {
                Poll::Ready(Some(mut envelope)) => envelope.handle(actor, context),
                Poll::Ready(None) | Poll::Pending => return,
            }
        }
    }

    /// Serves the deadline, if it has come. If something else becomes due by that, its alarm rings
    /// at once.
    ///
    /// A session that leaves takes its pulse out of reach, and first sends word of its signs of
    /// life. So the mail is read after the pulses: a session that has only left is not taken for
    /// silent.
    fn meet_deadline(&mut self, task: &mut task::Context<'_>) {
        if !self.is_due() {
            return;
        }
        self.actor.listen();
        self.read_mail(task);
        if self.is_due() {
            let Self { actor, context } = self;
            context.due = None;
            actor.turn(Input::Wake, context);
        }
    }

    fn is_due(&self) -> bool {
        let Self { actor, context } = self;
        let due = context.due.filter(|_| context.is_running());
        due.is_some_and(|due| due <= actor.thread.shared.clock.now())
    }

    /// Sets the alarm for what is due, unless it is set for that already. So an alarm that rang
    /// before its time would be the last.
    fn set_alarm(&mut self, task: &task::Context<'_>) {
        let Self { actor, context } = self;
        let Some(due) = context.due.filter(|_| context.is_unset) else { return };
        context.is_unset = false;
        let (at, watch) = (actor.thread.shared.clock.instant(due), actor.watch(due));
        context.is_watching = watch.is_some();
        let alarms = &actor.thread.alarms;
        match watch {
            Some(watch) => alarms.set_watching(&mut context.alarm, at, watch, task),
            None => alarms.set(&mut context.alarm, at, task),
        }
    }

    fn end(&mut self) {
        self.context.has_died = self.context.is_running();
        self.context.state = ActorState::Stopped;
        self.actor.stopped(&mut self.context);
    }
}

impl Future for Task {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.begin();
        this.take_receipt();
        this.read_mail(task);
        this.meet_deadline(task);
        if !this.context.is_running() {
            this.end();
            return Poll::Ready(());
        }
        this.set_alarm(task);
        this.actor.await_receipt(task);
        Poll::Pending
    }
}

impl Unpin for Task {}

impl Drop for Task {
    /// However the task ends, even by a panic, its actor is told so, unless it never began.
    fn drop(&mut self) {
        if matches!(self.context.state, ActorState::Running | ActorState::Stopping) {
            self.end();
        }
        self.actor.thread.alarms.unset(&mut self.context.alarm);
    }
}
