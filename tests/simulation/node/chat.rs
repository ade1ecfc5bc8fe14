//! The simulated actor of a conversation: it does, in the same order of steps, what the engine's
//! does: decide, commit, append, hold behind the gate, and tell only what is durable.

mod handle;
mod missed;
mod publish;

use std::sync::Arc;

use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::command::{Answer, Command, Refusal};
use holdline::domain::decision::Receipt;
use holdline::domain::id::{AgentId, ConversationId, Seq, SessionId};
use holdline::domain::settings::Workstream;
use holdline::domain::time::{Span, Timestamp};
use holdline::engine::{Closing, ToSession};

use crate::node::audience::Audience;
use crate::node::disk::{Append, What};
use crate::node::gate::{Gate, Waiters};
use crate::node::mail::{Mail, Party};
use crate::node::timers::{Alarm, Timer};
use crate::node::{AUDIT_EVERY, Node};
use crate::server::{Millis, Seen};

const WAKES_AT_ONCE: usize = 32;
const LINGER: Millis = 5_000;
const FAREWELL: Millis = 500;
const REOPEN_AFTER: Millis = 1_000;

/// The actor of one conversation.
#[derive(Debug)]
pub struct Chat {
    id: ConversationId,
    epoch: u64,
    pub conversation: Conversation,
    stage: Stage,
    pub gate: Gate,
    audience: Audience,
    timer: Option<(Timestamp, Alarm)>,
    audited_at: Timestamp,
}

/// What the actor is doing.
#[derive(Debug)]
enum Stage {
    Entered(Vec<Mail>),
    Opening(Vec<Mail>),
    Serving,
    Retired,
    Leaving(Vec<Mail>),
}

impl Chat {
    /// An actor that serves this conversation at once.
    pub fn new(node: &Node, conversation: Conversation, epoch: u64) -> Self {
        Self {
            id: conversation.id(),
            epoch,
            stage: Stage::Serving,
            gate: Gate::new(conversation.seq()),
            audience: Audience::new(conversation.seen_by_customer()),
            timer: None,
            audited_at: node.clock(),
            conversation,
        }
    }

    /// An actor of a conversation that is about to begin.
    pub fn entered(node: &Node, id: ConversationId, epoch: u64) -> Self {
        let mut chat = Self::new(node, Conversation::new(id), epoch);
        if !node.rules.answers_unbegun() {
            chat.stage = Stage::Entered(Vec::new());
        }
        chat
    }

    /// An actor whose conversation is still to be read.
    pub fn opening(node: &Node, id: ConversationId, epoch: u64) -> Self {
        let mut chat = Self::new(node, Conversation::new(id), epoch);
        chat.stage = Stage::Opening(Vec::new());
        chat
    }

    /// Whether it serves, and what it has decided is durable.
    pub fn is_settled(&self) -> bool {
        !matches!(self.stage, Stage::Entered(_) | Stage::Opening(_)) && self.gate.is_open()
    }

    fn party(&self) -> Party {
        Party::Chat(self.id, self.epoch)
    }

    fn workstream(&self, node: &Node) -> Arc<Workstream> {
        let Some(opening) = self.conversation.opening() else {
            return Arc::new(Workstream::new("none".parse().unwrap(), "none".parse().unwrap()));
        };
        node.settings.workstream_of(opening).into_owned()
    }

    fn perform(&mut self, node: &mut Node, command: Command) -> Result<Answer, Refusal> {
        let workstream = self.workstream(node);
        self.perform_for(node, command, None, &workstream)
    }

    fn perform_for(
        &mut self,
        node: &mut Node,
        command: Command,
        author: Option<SessionId>,
        workstream: &Workstream,
    ) -> Result<Answer, Refusal> {
        let now = node.clock();
        let decision = node.rules.decide(&self.conversation, command, now, workstream)?;
        let answer = decision.answer;
        if decision.events.is_empty() {
            return Ok(answer);
        }
        let before = self.conversation.agent().cloned();
        let pending = self.conversation.commit(decision, now);
        let append = Append {
            appended: node.now,
            at: now,
            what: What::Chat(self.id, pending.first(), node.rules.written(pending.events())),
        };
        if node.disk.append(append).is_err() {
            node.send(self.party(), Mail::Lost);
        }
        let told = publish::for_agents(&self.conversation, &pending, before.as_ref(), now);
        self.gate.hold(pending, author, told);
        if node.rules.releases_early() {
            let receipt = Receipt::issue(self.conversation.seq());
            self.durable(node, receipt);
        }
        Ok(answer)
    }

    fn durable(&mut self, node: &mut Node, receipt: Receipt) {
        for through in self.gate.open(receipt) {
            self.release(node, through);
        }
    }

    pub fn opened(&mut self, node: &mut Node, found: Option<Conversation>) {
        let Stage::Opening(kept) = std::mem::replace(&mut self.stage, Stage::Serving) else {
            return;
        };
        if let Some(conversation) = found {
            self.gate = Gate::new(conversation.seq());
            self.audience = Audience::new(conversation.seen_by_customer());
            self.conversation = conversation;
            self.recover(node);
        }
        for mail in kept {
            self.take(node, mail);
        }
        self.rearm(node);
        self.retire_if_over(node);
    }

    /// After a restart, or after a fault: sessions are lost, timers start anew, and every claim is
    /// stated again.
    pub fn recover(&mut self, node: &mut Node) {
        for attending in self.conversation.attendance().sessions().to_vec() {
            close_session(node, attending.session, Closing::Restarted);
        }
        self.perform(node, Command::Recover).expect("recovery is never refused");
        self.state_claims(node);
        self.rearm(node);
    }

    /// What was decided here may not be the truth; it is read again.
    fn give_up(&mut self, node: &mut Node) {
        node.seen.push(Seen::Fault);
        let Waiters { tickets, mut sessions, agents, outstanding } = self.gate.fail();
        for ticket in tickets {
            node.seen.push(Seen::Answered(ticket, Err("fault".to_owned())));
        }
        sessions.extend(self.audience.clear());
        for session in sessions {
            close_session(node, session, Closing::Restarted);
        }
        // Whoever waits for these claims waits for those of the one that takes its place.
        let kept = outstanding.into_iter().map(|held| Mail::StateClaims(Some(held))).collect();
        self.stage = Stage::Leaving(kept);
        node.arm(node.now + REOPEN_AFTER, Timer::Reopen(self.id, self.epoch, agents));
    }

    /// Has the conversation opened again, and passes on what it was told meanwhile.
    pub fn make_way(self, node: &mut Node, agents: Vec<AgentId>) {
        let Stage::Leaving(kept) = self.stage else { return };
        node.leave_directory(self.id, self.epoch);
        if self.conversation.seq() > Seq::ZERO {
            node.tell_chat(self.id, Mail::StateClaims(None));
        }
        let asked = if node.rules.swallows_offers() { Vec::new() } else { agents };
        for agent in asked {
            node.tell_agent(&agent, Mail::AskAbout(self.id));
        }
        let kept = if node.rules.swallows_late_mail() { Vec::new() } else { kept };
        for mail in kept {
            match mail {
                Mail::Offer(agent, ..) if !node.rules.offers_late() => {
                    node.tell_agent(&agent, Mail::AskAbout(self.id));
                }
                mail => node.tell_chat(self.id, mail),
            }
        }
    }

    /// Serves every timer that is due.
    pub fn wake(&mut self, node: &mut Node) {
        self.timer = None;
        if matches!(self.stage, Stage::Serving) && node.disk.is_writable() {
            let now = node.clock();
            for session in self.conversation.ask_quiet(now) {
                node.tell_session(session, ToSession::Probe);
            }
            for _ in 0..WAKES_AT_ONCE {
                if node.rules.wake_at(&self.conversation).is_none_or(|at| at > now) {
                    break;
                }
                if self.perform(node, Command::Wake).is_err() {
                    break;
                }
            }
            self.repeat_lease(node, now);
        }
        self.rearm(node);
    }

    /// Arms the one timer, unless it fires early enough already.
    fn rearm(&mut self, node: &mut Node) {
        let due = node.rules.wake_at(&self.conversation);
        let Some(mut at) = due.filter(|_| !matches!(self.stage, Stage::Leaving(_))) else {
            if let Some((_, armed)) = self.timer.take() {
                node.disarm(armed);
            }
            return;
        };
        if self.timer.as_ref().is_some_and(|(armed_at, _)| *armed_at <= at) {
            return;
        }
        if let Some((_, armed)) = self.timer.take() {
            node.disarm(armed);
        }
        if !node.disk.is_writable() {
            at = at.max(node.clock() + Span::from_secs(1));
        }
        let armed = node.arm_at(at, Timer::Chat(self.id, self.epoch));
        self.timer = Some((at, armed));
    }

    fn retire_if_over(&mut self, node: &mut Node) {
        let over = self.conversation.is_closed() || self.conversation.seq() == Seq::ZERO;
        if over && matches!(self.stage, Stage::Serving) {
            node.arm(node.now + LINGER, Timer::Linger(self.id, self.epoch));
        }
    }

    /// It has lingered for long enough, if nobody needs it any more.
    pub fn linger(&mut self, node: &mut Node) {
        if !matches!(self.stage, Stage::Serving) {
            return;
        }
        if self.gate.is_open() && self.audience.is_empty() {
            self.stage = Stage::Retired;
            node.leave_directory(self.id, self.epoch);
            node.arm(node.now + FAREWELL, Timer::Farewell(self.id, self.epoch));
        } else {
            self.retire_if_over(node);
        }
    }

    /// Repeats a lease from time to time, so that an agent who forgot it is corrected.
    fn repeat_lease(&mut self, node: &mut Node, now: Timestamp) {
        let due = now.since(self.audited_at) >= AUDIT_EVERY;
        let Some(lease) = self.conversation.lease().filter(|_| due && self.gate.is_open()) else {
            return;
        };
        let mail = Mail::Repeat(self.id, self.conversation.seq(), lease.clone());
        node.tell_agent(&lease.agent, mail);
        self.audited_at = now;
    }
}

fn close_session(node: &mut Node, session: SessionId, closing: Closing) {
    node.tell_session(session, ToSession::Close(closing));
}
