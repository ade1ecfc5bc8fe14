//! What becomes of a simulated conversation's decision once it is durable.

use holdline::domain::agent::command::AgentCommand;
use holdline::domain::cause::Cause;
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::claims::{Claims, Effect};
use holdline::domain::conversation::event::{Audience, Event, ForAgent, Recorded};
use holdline::domain::decision::{Pending, Released};
use holdline::domain::id::{AgentId, Seq, SessionId};
use holdline::domain::queue::QueueCommand;
use holdline::domain::time::Timestamp;
use holdline::engine::{Closing, ToSession};
use holdline::wire::feed::{self, Rendered};

use crate::node::Node;
use crate::node::chat::{Chat, close_session};
use crate::node::gate::{Then, Through, Told};
use crate::node::mail::Mail;
use crate::server::Seen;

impl Chat {
    /// Lets something out that has become durable.
    pub(super) fn release(&mut self, node: &mut Node, through: Through) {
        match through {
            Through::Decision(released, author, told) => {
                self.publish(node, &released, author);
                for (agent, told) in told {
                    node.tell_agent(&agent, Mail::Tell(told));
                }
                let events = u32::try_from(released.events.len()).unwrap();
                let last = released.first.plus(events.saturating_sub(1));
                for effect in node.rules.effects(released) {
                    self.carry_out(node, effect, last);
                }
            }
            Through::Then(then) => self.follow(node, then),
        }
    }

    pub(super) fn follow(&mut self, node: &mut Node, then: Then) {
        match then {
            Then::Answer(ticket, answer) => node.seen.push(Seen::Answered(ticket, answer)),
            Then::Send(session, told) => self.answer(node, session, told),
            Then::Joined(session, heard, joined) => {
                node.tell_session(session, joined);
                if let Some(heard) = heard {
                    self.hear_from(node, session, heard, None);
                }
            }
            Then::Hear { session, after, until, is_over } => {
                self.audience.is_over |= is_over;
                self.hear_from(node, session, after, until);
            }
            Then::Tell(agent, told) => {
                node.tell_agent(&agent, Mail::Tell(told));
            }
            Then::Adjust(agent, adjust) => {
                node.tell_agent(&agent, Mail::Agent(adjust));
            }
            Then::StateClaims(held) => {
                self.state_claims(node);
                drop(held);
            }
        }
    }

    /// Has the queue forget that it waits.
    fn leave_queue(&self, node: &mut Node) {
        let opening = self.conversation.opening();
        if let Some(queue) = opening.map(|opening| node.settings.queue_of(opening)) {
            node.tell_queue(&queue, Mail::Queue(QueueCommand::Leave(self.id)));
        }
    }

    /// States every claim, as if all of them were new.
    pub(super) fn state_claims(&mut self, node: &mut Node) {
        let claims = self.conversation.claims();
        if let Some((widget, visitor)) = claims.visitor.clone() {
            node.visitors.entry((widget, visitor)).or_insert(self.id);
        }
        let seq = self.conversation.seq();
        for effect in Claims::effects(&Claims::default(), &claims) {
            self.carry_out(node, effect, seq);
        }
        if claims.place.is_none() {
            self.leave_queue(node);
        }
    }

    fn publish(&mut self, node: &mut Node, released: &Released, author: Option<SessionId>) {
        for (event, number) in released.events.iter().zip(released.first.number()..) {
            let seq = Seq::new(number);
            match event {
                Event::SessionLost { session, cause, .. } => self.let_go(node, *session, *cause),
                Event::ServerRestarted { .. } => drop(self.audience.clear()),
                _ => {}
            }
            let recorded = Recorded { seq, at: released.at, event: event.clone() };
            let frames = if event.is_seen_by(Audience::Customer) {
                node.frames(&recorded)
            } else {
                node.rules.leak(&recorded)
            };
            if !frames.is_empty() {
                for session in self.audience.publish(seq, author) {
                    let told = frames.iter().all(|text| {
                        let frame = ToSession::Frame { seq, text: text.clone() };
                        node.tell_session(session, frame)
                    });
                    if !told {
                        self.drop_slow(node, session);
                    }
                }
            }
            if matches!(event, Event::WrapupStarted { .. } | Event::ConversationClosed { .. }) {
                self.dismiss_audience(node);
            }
        }
    }

    /// The customer takes no part any more: their sessions are free for another chat.
    pub(super) fn dismiss_audience(&mut self, node: &mut Node) {
        self.audience.is_over = true;
        for session in self.audience.take_live() {
            node.tell_session(session, ToSession::Over(self.id));
        }
    }

    fn let_go(&mut self, node: &mut Node, session: SessionId, cause: Cause) {
        self.audience.remove(session);
        let closing = match cause {
            Cause::Replaced => Closing::Replaced,
            Cause::Silent | Cause::Left(_) => Closing::Silent,
            _ => return,
        };
        close_session(node, session, closing);
    }

    fn carry_out(&mut self, node: &mut Node, effect: Effect, seq: Seq) {
        let (id, from) = (self.id, self.party());
        let adjust = |lease| Mail::Agent(AgentCommand::Adjust { conversation: id, seq, lease });
        match effect {
            Effect::TakePlace(place) => {
                let Some(opening) = self.conversation.opening() else { return };
                let (workstream, queue) = (self.workstream(node), node.settings.queue_of(opening));
                let waiting = place.waiting(workstream.units, workstream.offers_absent);
                let join = Mail::Queue(QueueCommand::Join(id, node.rules.place(waiting)));
                node.tell_queue(&queue, join);
            }
            Effect::LeavePlace(_) => self.leave_queue(node),
            Effect::HoldLease(lease) => {
                let agent = lease.agent.clone();
                if !node.tell_agent(&agent, adjust(Some(lease))) {
                    node.send(from, Mail::AgentGone(agent));
                }
            }
            Effect::ReturnLease(agent) => drop(node.tell_agent(&agent, adjust(None))),
            Effect::FreeVisitor(widget, visitor) => node.free_visitor(widget, visitor, id),
            Effect::Retire => {}
        }
    }
}

/// What agents' consoles are told of a decision, made now and sent once it is durable.
pub(super) fn for_agents(
    conversation: &Conversation,
    pending: &Pending,
    before: Option<&AgentId>,
    now: Timestamp,
) -> Vec<(AgentId, Vec<Told>)> {
    let mut agents: Vec<&AgentId> = before.into_iter().chain(conversation.agent()).collect();
    agents.dedup();
    let told = |agent: &AgentId| told_to(agent, conversation, pending, before, now);
    agents.into_iter().map(|agent| (agent.clone(), told(agent))).collect()
}

fn told_to(
    agent: &AgentId,
    conversation: &Conversation,
    pending: &Pending,
    before: Option<&AgentId>,
    now: Timestamp,
) -> Vec<Told> {
    let id = conversation.id();
    let (was_theirs, is_theirs) = (before == Some(agent), conversation.agent() == Some(agent));
    let mut told = Vec::new();
    for (event, number) in pending.events().iter().zip(pending.first().number()..) {
        told.extend(match event.for_agent(agent, was_theirs, is_theirs) {
            ForAgent::Offered => conversation.view().and_then(|view| feed::offer(&view, now)),
            ForAgent::Withdrawn(why) => Some(feed::offer_withdrawn(id, why)),
            ForAgent::Message => {
                let seq = Seq::new(number);
                feed::message(id, &Recorded { seq, at: pending.at(), event: event.clone() })
            }
            ForAgent::Away => conversation.absence().map(|absence| feed::away(id, absence, now)),
            ForAgent::Back(after) => Some(feed::back(id, Some(after))),
            ForAgent::InState => None,
        });
    }
    told.extend(conversation.view().map(|view| feed::conversation(&view)));
    told.into_iter().map(plain).collect()
}

/// What an agent who opened a console is shown of a conversation that is theirs, or was.
pub(super) fn present_state(
    conversation: &Conversation,
    theirs: bool,
    now: Timestamp,
) -> Vec<Told> {
    let Some(shown) = conversation.view() else { return Vec::new() };
    let mut told: Vec<_> = feed::offer(&shown, now).filter(|_| theirs).into_iter().collect();
    told.push(feed::conversation(&shown));
    let absence = conversation.absence().filter(|_| theirs);
    told.extend(absence.map(|absence| feed::away(conversation.id(), absence, now)));
    told.into_iter().map(plain).collect()
}

fn plain(rendered: Rendered) -> Told {
    (rendered.kind.name(), rendered.data.to_string())
}
