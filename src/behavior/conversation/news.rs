//! What customers and agents are told of a conversation, in the form in which they are told.

use bytestring::ByteString;

use crate::behavior::conversation::gate::ForAgents;
use crate::behavior::conversation::turn::Turn;
use crate::behavior::facts::Facts;
use crate::behavior::message::{FeedItem, ToAgent};
use crate::domain::conversation::event::{Event, ForAgent, Recorded, Withdrawal};
use crate::domain::conversation::{Conversation, Phase};
use crate::domain::decision::Pending;
use crate::domain::id::{AgentId, Seq};
use crate::domain::text::DisplayName;
use crate::domain::time::Timestamp;
use crate::wire::{feed, view};

/// The frames that tell a customer of an event.
pub(super) fn for_customer(recorded: &Recorded, facts: &Facts<'_>) -> Vec<ByteString> {
    let name_of = |agent: &AgentId| -> Option<DisplayName> {
        facts.settings.agents.get(agent).map(|settings| settings.name.clone())
    };
    view::for_customer(recorded, name_of)
}

/// What agents' feeds are told of a decision, made now and sent once it is durable.
pub(super) fn for_agents(
    conversation: &Conversation,
    pending: &Pending,
    before: Option<&AgentId>,
    turn: &Turn<'_>,
) -> ForAgents {
    let after = conversation.agent();
    before
        .into_iter()
        .chain(after.filter(|after| before != Some(after)))
        .map(|agent| (agent.clone(), items(agent, conversation, pending, before, turn)))
        .collect()
}

/// What an agent's feeds are told. Nothing while no console listens and the present state would
/// show it all later: when every customer is lost at once, this saves most of the work.
fn items(
    agent: &AgentId,
    conversation: &Conversation,
    pending: &Pending,
    before: Option<&AgentId>,
    turn: &Turn<'_>,
) -> Vec<FeedItem> {
    let (was_theirs, is_theirs) = (before == Some(agent), conversation.agent() == Some(agent));
    let told_of = |event: &Event| event.for_agent(agent, was_theirs, is_theirs);
    let is_in_state = |event: &Event| told_of(event).is_shown_by_the_state();
    if !turn.facts.near.has_listened(agent) && pending.events().iter().all(is_in_state) {
        return Vec::new();
    }
    let (id, now) = (conversation.id(), turn.now);
    let view = conversation.view();
    let mut items: Vec<FeedItem> = Vec::new();
    for (event, number) in pending.events().iter().zip(pending.first().number()..) {
        let seq = Seq::new(number);
        let item = match told_of(event) {
            ForAgent::Offered => {
                view.as_ref().and_then(|view| feed::offer(view, now)).map(FeedItem::from)
            }
            ForAgent::Withdrawn(why @ Withdrawal::Ended(_)) => {
                Some(FeedItem::at(feed::offer_withdrawn(id, why), id, seq))
            }
            ForAgent::Withdrawn(why) => Some(FeedItem::from(feed::offer_withdrawn(id, why))),
            ForAgent::Message => {
                let recorded = Recorded { seq, at: pending.at(), event: event.clone() };
                feed::message(id, &recorded).map(|message| FeedItem::at(message, id, seq))
            }
            ForAgent::Away => {
                let away = conversation.absence().map(|absence| feed::away(id, absence, now));
                away.map(|away| FeedItem::at(away, id, seq))
            }
            ForAgent::Back(after) => Some(FeedItem::at(feed::back(id, Some(after)), id, seq)),
            ForAgent::InState => None,
        };
        items.extend(item);
    }
    items.extend(view.as_ref().map(|view| FeedItem::from(feed::conversation(view))));
    items
}

/// What an agent who opened a feed is shown of a conversation that is theirs, or was.
pub(super) fn present_state(
    conversation: &Conversation,
    theirs: bool,
    now: Timestamp,
) -> Vec<FeedItem> {
    let Some(shown) = conversation.view() else { return Vec::new() };
    let mut told = Vec::new();
    told.extend(feed::offer(&shown, now).filter(|_| theirs));
    told.push(feed::conversation(&shown));
    let absence = conversation.absence().filter(|_| theirs);
    told.extend(absence.map(|absence| feed::away(conversation.id(), absence, now)));
    told.into_iter().map(FeedItem::from).collect()
}

/// Tells the agent who is in the chat that the customer types.
pub(super) fn typing(conversation: &Conversation, on: bool, turn: &mut Turn<'_>) {
    pass_on(conversation, feed::typing(conversation.id(), on), turn);
}

/// Tells the agent who is in the chat whether the customer's page sleeps.
pub(super) fn asleep(conversation: &Conversation, turn: &mut Turn<'_>) {
    let on = conversation.attendance().is_asleep();
    pass_on(conversation, feed::asleep(conversation.id(), on), turn);
}

/// Tells the agent who is in the chat how far the customer has read.
pub(super) fn read(conversation: &Conversation, seq: Seq, turn: &mut Turn<'_>) {
    pass_on(conversation, feed::read(conversation.id(), seq), turn);
}

fn pass_on(conversation: &Conversation, signal: feed::Rendered, turn: &mut Turn<'_>) {
    if let Phase::Talking { lease, .. } = conversation.phase() {
        let told = vec![FeedItem::passing(signal.kind, signal.data)];
        turn.tell_agent(lease.agent.clone(), ToAgent::Tell(told));
    }
}
