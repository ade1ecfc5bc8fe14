//! The way out of a conversation.

use holdline::behavior::facts::Facts;
use holdline::behavior::message::{ToAgent, ToSession};
use holdline::domain::agent::command::AgentCommand;
use holdline::domain::conversation::event::{Event, OfferEnd, Reason, Recorded};
use holdline::domain::decision::Receipt;
use holdline::domain::id::{AgentId, ConversationId, Seq};
use holdline::domain::lease::{Lease, Purpose};
use holdline::domain::queue::QueueCommand;
use holdline::domain::settings::Workstream;
use holdline::domain::time::{Span, Timestamp};

use crate::node::chat::{Chat, Input, Note, Output};
use crate::wrong::Wrong;
use crate::wrong::doors::Doors;

impl Doors {
    /// What is done in place of a conversation's outputs.
    pub fn out_of_chat(&mut self, chat: &Chat, facts: &Facts<'_>, out: &mut Vec<Output>) {
        let Some(wrong) = self.wrong else { return };
        let id = chat.conversation().id();
        let mut doubled = Vec::new();
        for output in out.iter_mut() {
            match output {
                Output::Append { first, at, events } => {
                    self.note_append(chat, *first, *at, events);
                    let mut written = events.to_vec();
                    if let Some(opening) = chat.conversation().opening() {
                        spoil(wrong, chat, &mut written, &facts.settings.workstream_of(opening));
                    }
                    for event in &mut written {
                        self.restore_id(event);
                    }
                    *events = written.into();
                }
                Output::Session(_, ToSession::Posted { id: posted, .. }) => {
                    if let Some(named) = self.renamed.get(posted) {
                        *posted = named.clone();
                    }
                }
                Output::Session(session, told @ ToSession::Frame { .. })
                    if wrong == Wrong::TrustsTheSession =>
                {
                    if let ToSession::Frame { seq, .. } = told {
                        self.told.entry((*session, id)).or_default().push((*seq, told.clone()));
                    }
                }
                Output::Session(session, ToSession::Joined { .. }) => {
                    if let Some(after) = self.again.remove(&(*session, id)) {
                        let told = self.told.get(&(*session, id)).into_iter().flatten();
                        let unheard = told.filter(|(seq, _)| *seq > after);
                        let again = unheard.map(|(_, it)| Output::Session(*session, it.clone()));
                        doubled.extend(again);
                    }
                }
                Output::Lease(_, lease) if wrong == Wrong::KeepsOffers => keep(lease),
                Output::Agent(_, told) if wrong == Wrong::KeepsOffers => {
                    if let Some((_, _, Some(lease))) = adjustment(told) {
                        keep(lease);
                    }
                }
                Output::Queue(_, QueueCommand::Join(_, waiting)) if wrong == Wrong::AsksAgain => {
                    waiting.not_first.clear();
                }
                Output::Note(Note::GaveUp(_)) => {
                    self.failed.insert(id);
                }
                Output::LeaveDirectory | Output::MakeWay => {
                    self.failed.remove(&id);
                }
                _ => {}
            }
        }
        out.append(&mut doubled);
        out.retain_mut(|output| match output {
            Output::Append { events, .. } if wrong == Wrong::SwallowsRestarts => {
                !events.iter().all(|event| matches!(event, Event::ServerRestarted { .. }))
            }
            Output::Agent(_, ToAgent::LosePlace) => wrong != Wrong::KeepsPlaces,
            Output::Agent(_, ToAgent::AskAbout(_)) => wrong != Wrong::SwallowsOffers,
            Output::Agent(agent, told) if wrong == Wrong::KeepsDeclined => {
                !self.gives_back_declined(id, agent, told)
            }
            _ => true,
        });
    }

    /// The input that a conversation is given as soon as it has appended something.
    pub fn after_append(&self, first: Seq, events: usize) -> Option<Input> {
        let last = u32::try_from(events).unwrap().saturating_sub(1);
        let receipt = Receipt::issue(first.plus(last));
        (self.wrong == Some(Wrong::TellsEarly)).then_some(Input::Durable(receipt))
    }

    fn note_append(&mut self, chat: &Chat, first: Seq, at: Timestamp, events: &[Event]) {
        let id = chat.conversation().id();
        let last = first.plus(u32::try_from(events.len()).unwrap().saturating_sub(1));
        let is_post = |event: &Event| matches!(event, Event::MessagePosted { .. });
        match self.wrong {
            Some(Wrong::TrustsLost) => {
                let unsettled = self.unsettled.entry(id).or_default();
                unsettled.push((last, events.iter().all(is_post)));
            }
            Some(Wrong::KeepsDeclined) => {
                let declined = events.iter().filter_map(|event| match event {
                    Event::OfferEnded { agent, end: OfferEnd::Declined, .. } => Some(agent),
                    _ => None,
                });
                self.declined.extend(declined.map(|agent| ((id, agent.clone()), last)));
            }
            Some(Wrong::ShowsAgentLine) => {
                let offers = events.iter().zip(first.number()..);
                let offers = offers.filter(|(event, _)| matches!(event, Event::ChatOffered { .. }));
                self.leaks.entry(id).or_default().extend(offers.map(|(event, seq)| Recorded {
                    seq: Seq::new(seq),
                    at,
                    event: event.clone(),
                }));
            }
            Some(Wrong::PostsAgain) => {
                let posted = events.iter().filter_map(|event| match event {
                    Event::MessagePosted { id, .. } => Some(id.clone()),
                    _ => None,
                });
                self.posted.extend(posted.map(|posted| (id, posted)));
            }
            _ => {}
        }
    }

    fn restore_id(&self, event: &mut Event) {
        if let Event::MessagePosted { id, .. } = event
            && let Some(named) = self.renamed.get(id)
        {
            *id = named.clone();
        }
    }

    /// Whether this tells an agent that a chat that they declined is no longer theirs.
    fn gives_back_declined(
        &mut self,
        id: ConversationId,
        agent: &AgentId,
        told: &mut ToAgent,
    ) -> bool {
        let Some((_, seq, None)) = adjustment(told) else { return false };
        let declined = self.declined.get(&(id, agent.clone())) == Some(&seq);
        declined && self.declined.remove(&(id, agent.clone())).is_some()
    }
}

/// An offer is given no time to lapse.
fn keep(lease: &mut Lease) {
    if lease.purpose == Purpose::Offer {
        lease.grace = Span::from_secs(3_600);
    }
}

/// The part of a message in which a conversation says what it holds of an agent.
fn adjustment(told: &mut ToAgent) -> Option<(ConversationId, Seq, Option<&mut Lease>)> {
    match told {
        ToAgent::Adjust { conversation, seq, lease, .. }
        | ToAgent::Command(AgentCommand::Adjust { conversation, seq, lease }) => {
            Some((*conversation, *seq, lease.as_mut()))
        }
        _ => None,
    }
}

/// Changes what was decided into what is written.
fn spoil(wrong: Wrong, chat: &Chat, events: &mut Vec<Event>, workstream: &Workstream) {
    let ends = |event: &Event| matches!(event, Event::CustomerDisconnected { .. });
    if wrong == Wrong::EndsTwice
        && let Some(first) = events.first().filter(|event| ends(event)).cloned()
    {
        events.insert(0, first);
    }
    let is_somebody_there = !chat.conversation().attendance().sessions().is_empty();
    if wrong == Wrong::DropsSecondTab
        && is_somebody_there
        && chat.conversation().is_live()
        && let [Event::SessionLost { cause, there_until, .. }] = events.as_slice()
    {
        let (cause, since) = (*cause, *there_until);
        let until = since + workstream.window;
        events.push(Event::CustomerAway { since, until, cause });
    }
    for event in events {
        match event {
            Event::CustomerAway { until, .. } if wrong == Wrong::WritesOther => {
                *until = *until + Span::from_secs(1);
            }
            Event::AgentBack { agent } if wrong == Wrong::TellsAwayTwice => {
                let agent = agent.clone();
                let (since, until) = (Timestamp::default(), Timestamp::default());
                *event = Event::AgentAway { agent, since, until };
            }
            Event::WrapupStarted { reason, .. }
                if wrong == Wrong::NamesTheWrongReason
                    && *reason == Reason::CustomerDisconnectedWhileActive =>
            {
                *reason = Reason::CustomerEnded;
            }
            _ => {}
        }
    }
}
