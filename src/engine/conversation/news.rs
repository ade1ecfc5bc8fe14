//! What agents' feeds are told of a conversation.

use std::sync::Arc;

use crate::behavior::message::{FeedItem, ToAgent};
use crate::domain::conversation::event::{Event, Recorded};
use crate::domain::conversation::{Conversation, Phase};
use crate::domain::decision::Pending;
use crate::domain::id::{AgentId, Seq};
use crate::engine::conversation::dispatch;
use crate::engine::conversation::gate::ForAgents;
use crate::engine::shared::Shared;
use crate::wire::feed::{self, Withdrawal};

/// What agents' feeds are told of a decision, made now and sent once it is durable.
pub(super) fn for_agents(
    conversation: &Conversation,
    pending: &Pending,
    before: Option<&AgentId>,
    shared: &Shared,
) -> ForAgents {
    let after = conversation.agent();
    before
        .into_iter()
        .chain(after.filter(|after| before != Some(after)))
        .map(|agent| {
            let is_left_out = !shared.directory.is_heard(agent)
                && pending.events().iter().all(is_shown_by_the_state);
            let told = if is_left_out {
                Vec::new()
            } else {
                told_to(agent, conversation, pending, before, shared)
            };
            (agent.clone(), told)
        })
        .collect()
}

/// Whether a console that is shown the conversation afterwards misses nothing of this: then it is
/// not rendered while nobody listens. When every customer is lost at once that is most of the work.
const fn is_shown_by_the_state(event: &Event) -> bool {
    matches!(
        event,
        Event::AgentAway { .. }
            | Event::AgentBack { .. }
            | Event::CustomerAway { .. }
            | Event::CustomerDisconnected { .. }
            | Event::LeaseReleased { .. }
            | Event::ServerRestarted { .. }
            | Event::SessionJoined { .. }
            | Event::SessionLost { .. }
            | Event::WrapupStarted { .. }
    )
}

fn told_to(
    agent: &AgentId,
    conversation: &Conversation,
    pending: &Pending,
    before: Option<&AgentId>,
    shared: &Shared,
) -> Vec<FeedItem> {
    let id = conversation.id();
    let now = shared.clock.now();
    let mut told: Vec<FeedItem> = Vec::new();
    for (event, number) in pending.events().iter().zip(pending.first().number()..) {
        let seq = Seq::new(number);
        match event {
            Event::ChatOffered { lease, .. } if lease.agent == *agent => {
                let offer = conversation.view().as_ref().and_then(|view| feed::offer(view, now));
                told.extend(offer.map(FeedItem::from));
            }
            Event::OfferEnded { agent: offered, end, .. } if offered == agent => {
                let withdrawn = feed::offer_withdrawn(id, Withdrawal::Ended(*end));
                told.push(FeedItem::at(withdrawn, id, seq));
            }
            // Whoever had the chat before they accepted it had it as an offer.
            Event::ChatAccepted { lease, .. } if lease.agent == *agent && before == Some(agent) => {
                told.push(FeedItem::from(feed::offer_withdrawn(id, Withdrawal::Accepted)));
            }
            Event::MessagePosted { .. } => {
                let recorded = Recorded { seq, at: pending.at(), event: event.clone() };
                let message = feed::message(id, &recorded);
                told.extend(message.map(|message| FeedItem::at(message, id, seq)));
            }
            Event::CustomerAway { .. } => {
                let away = conversation.absence().map(|absence| feed::away(id, absence, now));
                told.extend(away.map(|away| FeedItem::at(away, id, seq)));
            }
            Event::CustomerReturned { after, .. } => {
                told.push(FeedItem::at(feed::back(id, Some(*after)), id, seq));
            }
            // A closed conversation remembers an agent who had accepted it, and only such a one.
            Event::ConversationClosed { .. } if conversation.agent() != Some(agent) => {
                told.push(FeedItem::from(feed::offer_withdrawn(id, Withdrawal::Closed)));
            }
            _ => {}
        }
    }
    told.extend(conversation.view().map(|view| FeedItem::from(feed::conversation(&view))));
    told
}

/// What an agent who opened a feed is shown of a conversation that is theirs, or was.
pub(super) fn present_state(
    conversation: &Conversation,
    theirs: bool,
    shared: &Shared,
) -> Vec<FeedItem> {
    let now = shared.clock.now();
    let Some(shown) = conversation.view() else { return Vec::new() };
    let mut told = Vec::new();
    told.extend(feed::offer(&shown, now).filter(|_| theirs));
    told.push(feed::conversation(&shown));
    let absence = conversation.absence().filter(|_| theirs);
    told.extend(absence.map(|absence| feed::away(conversation.id(), absence, now)));
    told.into_iter().map(FeedItem::from).collect()
}

/// Tells the agent who is in the chat that the customer types.
pub(super) fn typing(conversation: &Conversation, shared: &Arc<Shared>, on: bool) {
    pass_on(conversation, shared, feed::typing(conversation.id(), on));
}

/// Tells the agent who is in the chat whether the customer's page sleeps.
pub(super) fn asleep(conversation: &Conversation, shared: &Arc<Shared>) {
    let on = conversation.attendance().is_asleep();
    pass_on(conversation, shared, feed::asleep(conversation.id(), on));
}

/// Tells the agent who is in the chat how far the customer has read.
pub(super) fn read(conversation: &Conversation, shared: &Arc<Shared>, seq: Seq) {
    pass_on(conversation, shared, feed::read(conversation.id(), seq));
}

fn pass_on(conversation: &Conversation, shared: &Arc<Shared>, signal: feed::Rendered) {
    if let Phase::Talking { lease, .. } = conversation.phase() {
        let told = vec![FeedItem::passing(signal.kind, signal.data)];
        dispatch::tell_agent(shared, &lease.agent, ToAgent::Tell(told));
    }
}
