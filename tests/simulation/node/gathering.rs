//! What a simulated node does for one of its threads: it passes on the appends and the mail of the
//! thread's conversations at once, or later and together.

use holdline::behavior::message::{ToAgent, ToConversation, ToQueue};
use holdline::behavior::queue;
use holdline::domain::agent::command::AgentCommand;
use holdline::domain::id::{AgentId, ConversationId, QueueId, Seq, VisitorId, WidgetId};
use holdline::domain::lease::Lease;
use holdline::domain::queue::QueueCommand;
use holdline::journal::Pressure;

use crate::node::disk::{Append, Confirmed, What, trouble};
use crate::node::mail::{Mail, Party};
use crate::node::threads::APPENDS_MAX;
use crate::node::timers::Timer;
use crate::node::{Node, chat};
use crate::server::Millis;

/// How late gathered appends are passed on.
const APPENDED_WITHIN: Millis = 20;

/// How late gathered mail is passed on to agents and queues.
const TOLD_WITHIN: Millis = 100;

/// How often the node checks whether visitors that were put off can be freed, as in the engine.
const LOOKED_EVERY: Millis = 20;

impl Node {
    /// Gives an append to the disk, or gathers it behind earlier ones.
    pub(super) fn append_from(&mut self, id: ConversationId, append: Append) {
        let number = self.threads.number_of(id);
        let thread = self.threads.at(number);
        if thread.pressure == Pressure::Calm && thread.appends.is_empty() {
            return self.give_to_disk(append);
        }
        thread.appends.push(append);
        match thread.appends.len() {
            APPENDS_MAX => self.send_appends(number),
            1 => {
                let late = self.threads.lateness(APPENDED_WITHIN);
                self.arm(self.now + late, Timer::Appends(number));
            }
            _ => {}
        }
    }

    /// Gives the gathered appends of a thread to the disk.
    pub(super) fn send_appends(&mut self, number: usize) {
        for append in std::mem::take(&mut self.threads.at(number).appends) {
            self.give_to_disk(append);
        }
    }

    fn give_to_disk(&mut self, append: Append) {
        let from = match (&append.what, append.origin) {
            (What::Chat(id, ..), Some(origin)) => Some((*id, origin.epoch)),
            _ => None,
        };
        let refused = self.disk.append(append).is_err();
        if let (true, Some((id, epoch))) = (refused, from) {
            self.send(Party::Chat(id, epoch), Mail::Chat(chat::Input::Lost(trouble())));
        }
    }

    /// A conversation tells an agent something.
    pub(super) fn tell_agent_from(&mut self, id: ConversationId, agent: AgentId, told: ToAgent) {
        let overtakes = self.rules.overtakes_leases() && gives_back(&told);
        let thread = self.threads.of(id);
        if overtakes || !thread.gathers_mail() {
            self.tell_agent(&agent, told);
            return;
        }
        let is_first = thread.mail.is_empty();
        thread.mail.agents.entry(agent).or_default().push(told);
        self.send_mail_later(id, is_first);
    }

    /// A conversation tells an agent what it holds of the agent's units.
    pub(super) fn tell_lease_from(&mut self, id: ConversationId, seq: Seq, lease: Lease) {
        let agent = lease.agent.clone();
        let adjust = AgentCommand::Adjust { conversation: id, seq, lease: Some(lease) };
        if self.threads.of(id).gathers_mail() {
            return self.tell_agent_from(id, agent, ToAgent::Command(adjust));
        }
        if !self.tell_agent(&agent, ToAgent::Command(adjust)) {
            self.tell_live(id, ToConversation::AgentGone(agent));
        }
    }

    /// A conversation tells a queue something.
    pub(super) fn tell_queue_from(
        &mut self,
        id: ConversationId,
        queue: QueueId,
        command: QueueCommand,
    ) {
        let thread = self.threads.of(id);
        if !thread.gathers_mail() {
            return self.tell_queue(&queue, command);
        }
        let is_first = thread.mail.is_empty();
        thread.mail.queues.entry(queue).or_default().push(command);
        self.send_mail_later(id, is_first);
    }

    fn send_mail_later(&mut self, id: ConversationId, is_first: bool) {
        if is_first {
            let (number, late) = (self.threads.number_of(id), self.threads.lateness(TOLD_WITHIN));
            self.arm(self.now + late, Timer::Mail(number));
        }
    }

    /// Sends the gathered mail of a thread, in one message to each agent and queue.
    pub(super) fn send_mail(&mut self, number: usize) {
        let mut mail = self.threads.at(number).take_mail();
        for (agent, told) in mail.take_agents(self.threads.dice()) {
            if self.desks.contains_key(&agent) {
                self.tell_agent(&agent, ToAgent::Several(told));
                continue;
            }
            for told in told {
                if let ToAgent::Command(AgentCommand::Adjust {
                    conversation, lease: Some(_), ..
                }) = told
                {
                    self.tell_live(conversation, ToConversation::AgentGone(agent.clone()));
                }
            }
        }
        for (id, commands) in mail.queues {
            if let Some(epoch) = self.lines.get(&id).copied() {
                let told = queue::Input::Told(ToQueue::Several(commands));
                self.send(Party::Queue(id, epoch), Mail::Queue(told));
            }
        }
    }

    /// A conversation frees its visitor.
    pub(super) fn free_visitor_from(
        &mut self,
        widget: WidgetId,
        visitor: VisitorId,
        id: ConversationId,
    ) {
        let number = self.threads.number_of(id);
        let thread = self.threads.at(number);
        if thread.pressure == Pressure::Calm {
            return self.free_visitor(widget, visitor, id);
        }
        thread.freed.push((widget, visitor, id));
        if thread.freed.len() == 1 {
            self.arm(self.now + LOOKED_EVERY, Timer::Free(number));
        }
    }

    /// Frees the visitors that were put off, unless the disk is still busy.
    pub(super) fn free_those_put_off(&mut self, number: usize) {
        if !self.disk.is_idle() && self.threads.toss() {
            self.arm(self.now + LOOKED_EVERY, Timer::Free(number));
            return;
        }
        for (widget, visitor, id) in std::mem::take(&mut self.threads.at(number).freed) {
            self.free_visitor(widget, visitor, id);
        }
    }

    /// Hands out a parcel of receipts. Each receipt goes before the conversation's other mail, and
    /// replaces a receipt that was not taken. An actor that is gone has no mail.
    pub(super) fn hand_out(&mut self, receipts: Vec<Confirmed>) {
        let mut numbers: Vec<_> = receipts.iter().map(|it| self.threads.number_of(it.id)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into_iter().for_each(|number| self.threads.press(number));
        for Confirmed { id, ticket, receipt } in receipts {
            let holder = self.threads.of(id).holder(ticket);
            let trusts_ticket = self.rules.trusts_tickets();
            let is_theirs = |(held, _): &(ConversationId, u64)| *held == id || trusts_ticket;
            let Some(to) = holder.filter(is_theirs) else { continue };
            let mailbox = self.mailboxes.entry(Party::Chat(to.0, to.1)).or_default();
            if let Some(Mail::Chat(chat::Input::Durable(_))) = mailbox.front() {
                mailbox.pop_front();
            }
            mailbox.push_front(Mail::Chat(chat::Input::Durable(receipt)));
        }
    }

    /// Whether callers wait for the disk on the thread of a conversation.
    pub(super) fn must_wait(&mut self, id: ConversationId) -> bool {
        let is_full = self.threads.of(id).pressure == Pressure::Full && !self.disk.is_idle();
        is_full || !self.disk.is_writable()
    }
}

/// Whether this tells an agent that something is no longer theirs.
fn gives_back(told: &ToAgent) -> bool {
    matches!(
        told,
        ToAgent::Adjust { lease: None, .. }
            | ToAgent::Command(AgentCommand::Adjust { lease: None, .. })
    )
}
