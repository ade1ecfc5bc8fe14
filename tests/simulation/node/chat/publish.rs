//! What becomes of a simulated conversation's decision once it is durable.

use bytestring::ByteString;
use holdline::behavior::message::{Answered, Closing, FeedItem, ToAgent, ToSession};
use holdline::domain::agent::command::AgentCommand;
use holdline::domain::cause::Cause;
use holdline::domain::conversation::claims::{Claims, Effect};
use holdline::domain::conversation::event::{Audience, Event, ForAgent, Recorded};
use holdline::domain::conversation::{Conversation, Phase};
use holdline::domain::decision::{Pending, Released};
use holdline::domain::id::{AgentId, Seq, SessionId};
use holdline::domain::queue::QueueCommand;
use holdline::domain::time::Timestamp;
use holdline::wire::{feed, view};

use crate::node::chat::{Chat, Output, Turn};
use crate::node::gate::{Then, Through};

impl Chat {
    /// Lets something out that has become durable.
    pub(super) fn release(&mut self, turn: &mut Turn<'_>, through: Through) {
        match through {
            Through::Decision(released, author, told) => {
                self.publish(turn, &released, author);
                for (agent, told) in told {
                    turn.tell_agent(agent, ToAgent::Tell(told));
                }
                let events = u32::try_from(released.events.len()).unwrap();
                let last = released.first.plus(events.saturating_sub(1));
                for effect in released.effects {
                    self.carry_out(turn, effect, last);
                }
            }
            Through::Then(then) => self.follow(turn, then),
        }
    }

    pub(super) fn follow(&mut self, turn: &mut Turn<'_>, then: Then) {
        match then {
            Then::Answer(request, answer) => turn.answer(request, answer),
            Then::Send(session, told) => self.answer(turn, session, told),
            Then::Joined(session, heard, joined) => {
                turn.tell_session(session, joined);
                if let Some(heard) = heard {
                    self.hear_from(turn, session, heard, None);
                    self.ask_for_position(turn);
                }
            }
            Then::Hear { session, after, until, is_over } => {
                self.audience.is_over |= is_over;
                self.hear_from(turn, session, after, until);
            }
            Then::Tell(agent, feed, told) => {
                let told = match feed {
                    Some(feed) => ToAgent::Shown(feed, told),
                    None => ToAgent::Tell(told),
                };
                turn.tell_agent(agent, told);
            }
            Then::Adjust(agent, adjust) => turn.tell_agent(agent, ToAgent::Command(adjust)),
            Then::StateClaims(request) => {
                self.state_claims(turn);
                if let Some(request) = request {
                    turn.answer(request, Ok(Answered::Done));
                }
            }
        }
    }

    /// Has the queue tell the customer where they stand.
    fn ask_for_position(&self, turn: &mut Turn<'_>) {
        if matches!(self.conversation.phase(), Phase::Open { .. }) {
            self.tell_queue(turn, QueueCommand::Locate(self.id));
        }
    }

    fn tell_queue(&self, turn: &mut Turn<'_>, command: QueueCommand) {
        if let Some(opening) = self.conversation.opening() {
            let queue = turn.facts.settings.queue_of(opening);
            turn.out.push(Output::ToQueue(queue, command));
        }
    }

    /// States every claim, as if all of them were new.
    pub(super) fn state_claims(&mut self, turn: &mut Turn<'_>) {
        let claims = self.conversation.claims();
        if let Some((widget, visitor)) = claims.visitor.clone() {
            turn.out.push(Output::ClaimVisitor(widget, visitor));
        }
        let seq = self.conversation.seq();
        for effect in Claims::effects(&Claims::default(), &claims) {
            self.carry_out(turn, effect, seq);
        }
        if claims.place.is_none() {
            self.tell_queue(turn, QueueCommand::Leave(self.id));
        }
    }

    fn publish(&mut self, turn: &mut Turn<'_>, released: &Released, author: Option<SessionId>) {
        for (event, number) in released.events.iter().zip(released.first.number()..) {
            let seq = Seq::new(number);
            match event {
                Event::SessionLost { session, cause, .. } => self.let_go(turn, *session, *cause),
                Event::ServerRestarted { .. } => drop(self.audience.clear()),
                _ => {}
            }
            let recorded = Recorded { seq, at: released.at, event: event.clone() };
            let frames = if event.is_seen_by(Audience::Customer) {
                frames(turn, &recorded)
            } else {
                Vec::new()
            };
            if !frames.is_empty() {
                for session in self.audience.publish(seq, author) {
                    for text in &frames {
                        let frame = ToSession::Frame { seq, text: text.clone() };
                        turn.tell_session(session, frame);
                    }
                }
            }
            if matches!(event, Event::WrapupStarted { .. } | Event::ConversationClosed { .. }) {
                self.dismiss_audience(turn);
            }
        }
    }

    /// The customer takes no part any more: their sessions are free for another chat.
    pub(super) fn dismiss_audience(&mut self, turn: &mut Turn<'_>) {
        self.audience.is_over = true;
        for session in self.audience.take_live() {
            turn.tell_session(session, ToSession::Over(self.id));
        }
    }

    fn let_go(&mut self, turn: &mut Turn<'_>, session: SessionId, cause: Cause) {
        self.audience.remove(session);
        let closing = match cause {
            Cause::Replaced => Closing::Replaced,
            Cause::Silent | Cause::Left(_) => Closing::Silent,
            _ => return,
        };
        turn.tell_session(session, ToSession::Close(closing));
    }

    fn carry_out(&mut self, turn: &mut Turn<'_>, effect: Effect, seq: Seq) {
        let conversation = self.id;
        let adjust = |lease| ToAgent::Command(AgentCommand::Adjust { conversation, seq, lease });
        match effect {
            Effect::TakePlace(place) => {
                let workstream = self.workstream(turn);
                let waiting = place.waiting(workstream.units, workstream.offers_absent);
                self.tell_queue(turn, QueueCommand::Join(conversation, waiting));
                if !self.audience.is_empty() {
                    self.ask_for_position(turn);
                }
            }
            Effect::LeavePlace(_) => self.tell_queue(turn, QueueCommand::Leave(conversation)),
            Effect::HoldLease(lease) => {
                let (agent, lease) = (lease.agent.clone(), Some(lease));
                let hold = ToAgent::Adjust { conversation, seq, lease, repeated: false };
                turn.tell_agent(agent, hold);
            }
            Effect::ReturnLease(agent) => turn.tell_agent(agent, adjust(None)),
            Effect::FreeVisitor(widget, visitor) => {
                turn.out.push(Output::FreeVisitor(widget, visitor));
            }
            Effect::Retire => {}
        }
    }
}

/// What customers are told of an event.
pub(super) fn frames(turn: &Turn<'_>, recorded: &Recorded) -> Vec<ByteString> {
    let agents = &turn.facts.settings.agents;
    view::for_customer(recorded, |id| agents.get(id).map(|settings| settings.name.clone()))
}

/// What agents' consoles are told of a decision, made now and sent once it is durable.
pub(super) fn for_agents(
    conversation: &Conversation,
    pending: &Pending,
    before: Option<&AgentId>,
    now: Timestamp,
) -> Vec<(AgentId, Vec<FeedItem>)> {
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
) -> Vec<FeedItem> {
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
    told.into_iter().map(FeedItem::from).collect()
}

/// What an agent who opened a console is shown of a conversation that is theirs, or was.
pub(super) fn present_state(
    conversation: &Conversation,
    theirs: bool,
    now: Timestamp,
) -> Vec<FeedItem> {
    let Some(shown) = conversation.view() else { return Vec::new() };
    let mut told: Vec<_> = feed::offer(&shown, now).filter(|_| theirs).into_iter().collect();
    told.push(feed::conversation(&shown));
    let absence = conversation.absence().filter(|_| theirs);
    told.extend(absence.map(|absence| feed::away(conversation.id(), absence, now)));
    told.into_iter().map(FeedItem::from).collect()
}
