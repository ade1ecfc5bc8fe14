//! The way into a conversation.

use std::collections::VecDeque;

use bytestring::ByteString;
use holdline::behavior::facts::Facts;
use holdline::behavior::message::{Denial, FromSession, ToConversation, ToSession};
use holdline::domain::conversation::Phase;
use holdline::domain::conversation::command::Command;
use holdline::domain::conversation::event::{Event, Recorded};
use holdline::domain::decision::Receipt;
use holdline::domain::id::{ConversationId, MessageId, Seq};
use holdline::domain::time::{Span, Timestamp};
use holdline::wire::server::{ServerFrame, Speaker};

use crate::node::chat::{self, Beginning, Chat, Input, Output};
use crate::wrong::Wrong;
use crate::wrong::doors::{Doors, TICK, is_wrapup, of_who_is_there};

impl Doors {
    /// How a conversation begins in place of this.
    pub fn beginning(&self, beginning: Beginning) -> Beginning {
        match beginning {
            Beginning::Fresh if self.wrong == Some(Wrong::AnswersUnbegun) => Beginning::Unread,
            beginning => beginning,
        }
    }

    /// When it begins.
    pub fn begins_at(&self, beginning: Beginning, now: Timestamp) -> Timestamp {
        match (beginning, self.killed_at) {
            (Beginning::Recovered(_), Some(killed_at))
                if self.wrong == Some(Wrong::CountsDowntime) =>
            {
                killed_at.min(now)
            }
            _ => now,
        }
    }

    /// What a conversation is given in place of an input, each with its time. Outputs without its
    /// knowledge go to `out`.
    pub fn into_chat(
        &mut self,
        chat: &Chat,
        mut input: Input,
        now: Timestamp,
        facts: &Facts<'_>,
        out: &mut Vec<Output>,
    ) -> VecDeque<(Input, Timestamp)> {
        let Some(wrong) = self.wrong else { return [(input, now)].into() };
        let (id, until) =
            (chat.conversation().id(), chat.conversation().absence().map(|it| it.until));
        let mut all: VecDeque<_> = match until {
            None => self.held.remove(&id).into_iter().flatten().map(|held| (held, now)).collect(),
            Some(_) => VecDeque::new(),
        };
        let is_held = match wrong {
            Wrong::LosesAtDeadline => is_join(&input) && until == Some(now),
            Wrong::ReturnsInVain => is_join(&input) && until.is_some(),
            _ => false,
        };
        if is_held {
            self.held.entry(id).or_default().push(input);
            return all;
        }
        let at = match (wrong, &input) {
            (Wrong::EndsEarly, Input::Wake) if until == Some(now) => now + TICK,
            (Wrong::CountsDowntime, Input::Begin) if chat.conversation().seq() > Seq::ZERO => {
                self.killed_at.map_or(now, |killed_at| killed_at.min(now))
            }
            _ => now,
        };
        if !self.is_swallowed(wrong, chat, &input, now) {
            self.alter(wrong, chat, &mut input, facts);
            self.add(wrong, chat, &input, now, facts, out);
            all.push_back((input, at));
        } else if let Some(request) = chat::request(&input) {
            out.push(Output::Answer(request, Err(Denial::Unavailable)));
        }
        all
    }

    /// Whether a conversation that is given this finds no sign of life.
    pub fn hears_nobody(&self, input: &Input) -> bool {
        self.wrong == Some(Wrong::DecidesUnheard) && matches!(input, Input::Wake)
    }

    fn is_swallowed(&self, wrong: Wrong, chat: &Chat, input: &Input, now: Timestamp) -> bool {
        let conversation = chat.conversation();
        match (wrong, input) {
            (Wrong::EndsLate, Input::Wake) => {
                let until = conversation.absence().map(|absence| absence.until);
                until.is_some_and(|until| until < now && now <= until + Span::from_secs(1))
            }
            (Wrong::HoldsWrapup, Input::Wake) => is_wrapup(conversation),
            (Wrong::IgnoresUnits, Input::Told(ToConversation::StateClaims(None))) => {
                matches!(conversation.phase(), Phase::Open { .. })
            }
            (Wrong::SwallowsLateMail, Input::Told(_)) => self.failed.contains(&conversation.id()),
            _ => false,
        }
    }

    fn alter(&mut self, wrong: Wrong, chat: &Chat, input: &mut Input, facts: &Facts<'_>) {
        let conversation = chat.conversation();
        match (wrong, input) {
            (Wrong::TrustsLost, input) => self.trust(chat, input),
            (Wrong::SkipsOne, Input::Page { entries: Ok(entries), .. }) if entries.len() > 1 => {
                entries.remove(0);
            }
            (Wrong::TellsAgain, Input::Told(ToConversation::Session(_, said))) => {
                if let Some(after) = place(said) {
                    *after = Seq::new(after.number().saturating_sub(1));
                }
            }
            (
                Wrong::ForgetsWhatEnded,
                Input::Told(ToConversation::Session(
                    _,
                    FromSession::Hear { after, until: Some(until) },
                )),
            ) => *after = *until,
            (Wrong::IgnoresUnits, Input::Told(ToConversation::Offer(_, _, units))) => {
                let opening = conversation.opening();
                *units = opening.map_or(*units, |it| facts.settings.workstream_of(it).units);
            }
            (Wrong::PostsAgain, input) => self.rename(conversation.id(), input),
            _ => {}
        }
    }

    fn add(
        &mut self,
        wrong: Wrong,
        chat: &Chat,
        input: &Input,
        now: Timestamp,
        facts: &Facts<'_>,
        out: &mut Vec<Output>,
    ) {
        let conversation = chat.conversation();
        match (wrong, input) {
            (Wrong::RunsWhileAway, Input::Wake) if self.may_run_on(conversation) => {
                let Some(opening) = conversation.opening() else { return };
                let workstream = facts.settings.workstream_of(opening);
                let events = of_who_is_there(conversation, now, &workstream);
                let ends = |event: &Event| {
                    matches!(event, Event::WrapupStarted { .. } | Event::ConversationClosed { .. })
                };
                if events.iter().any(ends) {
                    self.ran_on.insert(conversation.id());
                    let first = conversation.seq().next();
                    out.push(Output::Append { first, at: now, events: events.into() });
                }
            }
            (
                Wrong::TrustsTheSession,
                Input::Told(ToConversation::Session(session, FromSession::Again(join))),
            ) => {
                let after = join.after.unwrap_or(Seq::ZERO);
                self.again.insert((*session, conversation.id()), after);
            }
            (Wrong::ShowsAgentLine, Input::Durable(receipt)) => {
                let leaks = self.leaks.entry(conversation.id()).or_default();
                for leak in leaks.extract_if(.., |leak| leak.seq <= receipt.through()) {
                    for attending in conversation.attendance().sessions() {
                        let frame = ToSession::Frame { seq: leak.seq, text: leaked(&leak) };
                        out.push(Output::Session(attending.session, frame));
                    }
                }
            }
            _ => {}
        }
    }

    /// Messages that the journal lost without any other event count as kept.
    fn trust(&mut self, chat: &Chat, input: &mut Input) {
        let id = chat.conversation().id();
        match input {
            Input::Durable(receipt) => {
                let unsettled = self.unsettled.entry(id).or_default();
                unsettled.retain(|(through, _)| *through > receipt.through());
            }
            Input::Lost(_) => {
                let lost = self.unsettled.remove(&id).unwrap_or_default();
                if lost.iter().all(|(_, is_of_messages)| *is_of_messages) {
                    *input = Input::Durable(Receipt::issue(chat.conversation().seq()));
                }
            }
            _ => {}
        }
    }

    /// A message that was posted before is posted under another id.
    fn rename(&mut self, of: ConversationId, input: &mut Input) {
        let id = match input {
            Input::Told(ToConversation::Session(_, FromSession::Post(_, id, _))) => id,
            Input::Told(ToConversation::Ask(command, _)) => match &mut **command {
                Command::Post { id, .. } => id,
                _ => return,
            },
            _ => return,
        };
        if self.posted.contains(&(of, id.clone())) {
            let again: MessageId = format!("again-{}", self.renamed.len()).parse().expect("an id");
            self.renamed.insert(again.clone(), id.clone());
            *id = again;
        }
    }
}

fn is_join(input: &Input) -> bool {
    matches!(input, Input::Told(ToConversation::Session(_, FromSession::Join(_))))
}

/// The place after which a session wants to be told.
fn place(said: &mut FromSession) -> Option<&mut Seq> {
    match said {
        FromSession::Join(join) | FromSession::Again(join) => join.after.as_mut(),
        FromSession::Hear { after, .. } => Some(after),
        _ => None,
    }
}

/// A frame that tells a customer of an offer, which customers must not see.
fn leaked(recorded: &Recorded) -> ByteString {
    let text = match &recorded.event {
        Event::ChatOffered { lease, .. } => lease.agent.as_str(),
        _ => "nothing",
    };
    let (seq, at) = (recorded.seq, recorded.at);
    ServerFrame::Message { seq, id: "leaked", from: Speaker::System, name: None, text, at }.render()
}
