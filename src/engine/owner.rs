//! The actor that owns what one thread has. Work for the thread comes through its mailbox in the
//! order in which it was sent, and so does the journal's word.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use actix::dev::channel::AddressReceiver;
use actix::{Actor, ArbiterHandle, Context, Handler, Message};

use crate::domain::id::ConversationId;
use crate::engine::shared::Shared;
use crate::engine::thread::Thread;
use crate::journal::{Confirmed, Fault};

/// Owns what one thread has.
#[derive(Debug)]
pub(super) struct Owner {
    thread: Rc<Thread>,
}

/// Something to be done on a thread.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Run(Task);

type Task = Box<dyn FnOnce(&Rc<Thread>) + Send>;

impl Run {
    /// Something that runs this.
    pub(super) fn new(run: impl FnOnce(&Rc<Thread>) + Send + 'static) -> Self {
        Self(Box::new(run))
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Run(..)")
    }
}

/// What has become of appends, for the conversations of one thread.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) enum Outcome {
    /// They are durable.
    Durable(Vec<Confirmed>),
    /// The journal may have lost them.
    Lost(Vec<ConversationId>, Fault),
}

impl Owner {
    /// Starts the owner of a thread there, with its mailbox.
    pub(super) fn start(
        arbiter: &ArbiterHandle,
        shared: Arc<Shared>,
        mailbox: AddressReceiver<Self>,
    ) {
        arbiter.spawn_fn(move || {
            let thread = Rc::new(Thread::new(shared));
            Context::with_receiver(mailbox).run(Self { thread });
        });
    }
}

impl Actor for Owner {
    type Context = Context<Self>;
}

impl Handler<Run> for Owner {
    type Result = ();

    fn handle(&mut self, Run(run): Run, _: &mut Self::Context) {
        run(&self.thread);
    }
}

impl Handler<Outcome> for Owner {
    type Result = ();

    fn handle(&mut self, outcome: Outcome, _: &mut Self::Context) {
        match outcome {
            Outcome::Durable(confirmed) => self.thread.hand_out(&confirmed),
            Outcome::Lost(lost, fault) => {
                for id in lost {
                    // A conversation that has left has nothing that waits.
                    self.thread.shared.post.tell_lost(id, &fault);
                }
            }
        }
    }
}
