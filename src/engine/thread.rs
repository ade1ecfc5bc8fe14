//! What one thread of an engine has for the conversations that live on it. Two engines on one
//! thread each have their own.
//!
//! Unless the pressure is calm, a thread does its conversations' work together, or later: it
//! gathers their appends, their mail to agents and queues, and the visitors that they free.
//! `pressure.rs` tells what follows from each level of pressure.

mod appends;
mod flights;
mod listeners;
mod mail;
mod visitors;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task;
use std::time::Duration;

pub(super) use crate::engine::thread::flights::Flight;

use crate::behavior::conversation::Output;
use crate::behavior::facts::Nearby;
use crate::behavior::message::ToAgent;
use crate::domain::decision::Receipt;
use crate::domain::id::{AgentId, ConversationId, QueueId, Seq, SessionId, VisitorId, WidgetId};
use crate::domain::lease::Lease;
use crate::domain::liveness::Signs;
use crate::domain::queue::QueueCommand;
use crate::engine::alarms::Alarms;
use crate::engine::post::Delivery;
use crate::engine::pressure;
use crate::engine::shared::Shared;
use crate::engine::thread::appends::{Appends, Room};
use crate::engine::thread::flights::Flights;
use crate::engine::thread::listeners::Listeners;
use crate::engine::thread::mail::Mail;
use crate::engine::thread::visitors::FreedVisitors;
use crate::journal::{Append, Confirmed, Pressure};
use crate::limits;

/// How often the thread looks whether it can free the visitors that were put off.
const LOOKED_EVERY: Duration = Duration::from_millis(20);

/// A thread, as one engine has it.
#[derive(Debug)]
pub(super) struct Thread {
    /// What every actor may reach.
    pub(super) shared: Arc<Shared>,
    /// The alarms of its conversations.
    pub(super) alarms: Alarms,
    /// The pressure on the disk, as it was last seen.
    pressure: Cell<Pressure>,
    appends: Appends,
    flights: Flights,
    mail: Mail,
    listeners: Listeners,
    freed: FreedVisitors,
    /// Room for the outputs of a conversation's turn.
    outputs: RefCell<Vec<Output>>,
}

impl Thread {
    /// A thread on which nobody lives yet.
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let journal = Arc::clone(&shared.journal);
        Self {
            shared,
            alarms: Alarms::pausing(move || pressure::pause_of_alarms(&*journal)),
            pressure: Cell::default(),
            appends: Appends::default(),
            flights: Flights::default(),
            mail: Mail::default(),
            listeners: Listeners::default(),
            freed: FreedVisitors::default(),
            outputs: RefCell::default(),
        }
    }

    /// Hands out receipts. A conversation that has left has nothing that waits.
    pub(super) fn hand_out(&self, confirmed: &[Confirmed]) {
        self.pressure.set(self.shared.journal.pressure());
        self.flights.hand_out(confirmed);
    }

    /// A place for a conversation that has nothing in flight yet.
    pub(super) fn begin_flight(&self, id: ConversationId) -> Flight {
        self.flights.begin(id)
    }

    /// The receipt that came since this was asked last.
    pub(super) fn take_receipt(&self, flight: Flight) -> Option<Receipt> {
        let (receipt, took) = self.flights.take_receipt(flight)?;
        self.shared.metrics.journal_latency.observe(took);
        Some(receipt)
    }

    /// Has this task woken by the next receipt.
    pub(super) fn await_receipt(&self, flight: Flight, task: &task::Context<'_>) {
        self.flights.await_receipt(flight, task);
    }

    /// Takes a place back: its conversation gets no more receipts.
    pub(super) fn end_flight(&self, flight: Flight) {
        self.flights.end(flight);
    }

    /// Room for the outputs of a conversation's turn.
    pub(super) fn take_outputs(&self) -> Vec<Output> {
        self.outputs.take()
    }

    /// Keeps that room for the next turn, unless it has become very large.
    pub(super) fn give_back(&self, outputs: Vec<Output>) {
        debug_assert!(outputs.is_empty(), "everything was done");
        if outputs.capacity() <= limits::OUTPUTS_ROOM_KEPT {
            *self.outputs.borrow_mut() = outputs;
        }
    }

    /// Gives an append to the journal, at the end of this turn at the latest. The appends of one
    /// conversation keep their order, because all of them pass through here.
    pub(super) fn append(self: &Rc<Self>, append: Append) {
        if self.is_calm() && self.appends.is_empty() {
            return self.shared.journal.append(append);
        }
        match self.appends.gather(append) {
            Room::First => {
                let thread = Rc::clone(self);
                // Behind every task that has been woken by now.
                actix::spawn(async move { thread.send_appends() });
            }
            Room::More => {}
            Room::Full => self.send_appends(),
        }
    }

    /// Gives what was gathered to the journal.
    pub(super) fn send_appends(&self) {
        let gathered = self.appends.take();
        if !gathered.is_empty() {
            self.shared.journal.append_all(gathered);
        }
    }

    /// Tells an agent something, after everything that conversations of this thread told them
    /// before. Whether gathered mail finds the agent shows only later: if not, the conversation
    /// then hears that the agent is gone.
    pub(super) fn tell_agent(self: &Rc<Self>, agent: &AgentId, message: ToAgent) -> Delivery {
        if !self.gathers_mail() {
            return self.shared.post.tell_agent(agent, message);
        }
        self.send_mail_later(self.mail.gather_for_agent(agent, message));
        Delivery::Sent
    }

    /// Tells an agent which lease a conversation holds on them. Gives the agent back when nobody is
    /// there.
    pub(super) fn tell_lease(
        self: &Rc<Self>,
        conversation: ConversationId,
        seq: Seq,
        lease: Lease,
    ) -> Option<AgentId> {
        if !self.gathers_mail() {
            let agent = lease.agent.clone();
            let told = self.shared.post.tell_agent(&agent, mail::adjust(conversation, seq, lease));
            return (told == Delivery::Nobody).then_some(agent);
        }
        self.send_mail_later(self.mail.gather_lease(conversation, seq, lease));
        None
    }

    /// Tells a queue something, after everything that conversations of this thread told it before.
    pub(super) fn tell_queue(self: &Rc<Self>, queue: &QueueId, command: QueueCommand) {
        if !self.gathers_mail() {
            return mail::send_to_queue(&*self.shared.post, queue, command);
        }
        self.send_mail_later(self.mail.gather_for_queue(queue, command));
    }

    /// Whether to gather mail: unless the pressure is calm and no earlier mail is gathered, which
    /// must go first.
    fn gathers_mail(&self) -> bool {
        !self.is_calm() || !self.mail.is_empty()
    }

    /// Whether the disk kept up, as it was last seen.
    fn is_calm(&self) -> bool {
        self.pressure.get() == Pressure::Calm
    }

    fn send_mail_later(self: &Rc<Self>, is_first: bool) {
        if is_first {
            let thread = Rc::clone(self);
            // Its turn comes after the tasks that were woken with this one.
            actix::spawn(async move { thread.mail.send(&*thread.shared.post) });
        }
    }

    /// Gives a visitor's chat back: at once when it is calm, or else a little later. A session that
    /// asks for the chat before then hears from the chat itself that it is over, and begins
    /// another.
    pub(super) fn free_visitor(
        self: &Rc<Self>,
        widget: WidgetId,
        visitor: VisitorId,
        id: ConversationId,
    ) {
        if self.is_calm() {
            return self.shared.post.free_visitor(widget, visitor, id);
        }
        if self.freed.put_off(widget, visitor, id) {
            let thread = Rc::clone(self);
            actix::spawn(async move { thread.free_those_put_off().await });
        }
    }

    async fn free_those_put_off(&self) {
        let mut looks = 0;
        while !self.freed.is_empty() {
            let is_calm = self.shared.journal.pressure() == Pressure::Calm;
            if !is_calm && looks < limits::VISITORS_LOOKS_MAX {
                looks += 1;
                tokio::time::sleep(LOOKED_EVERY).await;
            } else {
                self.freed.free_part(&*self.shared.post);
                tokio::task::yield_now().await;
            }
        }
    }
}

impl Nearby for Thread {
    fn take_signs(&self, of: SessionId, to: ConversationId) -> Option<Signs> {
        self.shared.post.pulse_of(of, to).map(|pulse| pulse.take())
    }

    fn has_listened(&self, agent: &AgentId) -> bool {
        self.listeners.has_listened(&*self.shared.post, agent)
    }

    fn must_wait(&self) -> bool {
        self.shared.must_wait()
    }
}
