//! What a customer is told of what happened in their conversation.
//!
//! Whatever [`Event::is_seen_by`] denies to customers makes no frame here, and whatever it grants
//! makes at least one; a test holds the two together.

use bytestring::ByteString;

use crate::domain::conversation::State;
use crate::domain::conversation::event::{Author, Event, Reason, Recorded};
use crate::domain::id::{AgentId, Seq};
use crate::domain::text::DisplayName;
use crate::wire::server::{Connection, ServerFrame, Speaker};

/// What a customer who owes an answer is told.
const REMINDER: &str = "Are you still there? This chat will end soon unless you answer.";

/// The frames that tell a customer what happened, in the order in which they are to be sent; each
/// can be cloned for many sockets at no cost. Agents are shown by their names, never by their ids.
pub fn for_customer(
    recorded: &Recorded,
    name_of: impl Fn(&AgentId) -> Option<DisplayName>,
) -> Vec<ByteString> {
    let Recorded { seq, at, event } = recorded;
    let (seq, at) = (*seq, *at);
    match event {
        Event::ConversationStarted(_) => vec![state(seq, State::Open, None)],
        Event::MessagePosted { id, from, text, .. } => {
            let (speaker, name) = match from {
                Author::Customer => (Speaker::Customer, None),
                Author::Agent(agent) => (Speaker::Agent, name_of(agent)),
            };
            let name = name.as_ref().map(DisplayName::as_str);
            let (id, text) = (id.as_str(), text.as_str());
            vec![ServerFrame::Message { seq, id, from: speaker, name, text, at }.render()]
        }
        Event::ChatAccepted { name, .. } => {
            vec![ServerFrame::Joined { seq, name, at }.render(), state(seq, State::Active, None)]
        }
        Event::AgentLeft { agent, .. } => {
            let name = name_of(agent);
            vec![
                ServerFrame::Left { seq, name: name.as_ref().map(DisplayName::as_str), at }
                    .render(),
                state(seq, State::Open, None),
            ]
        }
        Event::AgentAway { agent, .. } => {
            connection(recorded, Connection::Away, name_of(agent).as_ref())
        }
        Event::AgentBack { agent } => {
            connection(recorded, Connection::Back, name_of(agent).as_ref())
        }
        Event::CustomerReminded { .. } => vec![reminder(recorded)],
        Event::WrapupStarted { reason, .. } => vec![state(seq, State::Wrapup, Some(*reason))],
        Event::ConversationClosed { reason, .. } => {
            vec![state(seq, State::Closed, Some(*reason))]
        }
        Event::SessionJoined { .. }
        | Event::SessionLost { .. }
        | Event::CustomerAway { .. }
        | Event::CustomerReturned { .. }
        | Event::CustomerDisconnected { .. }
        | Event::ChatOffered { .. }
        | Event::OfferEnded { .. }
        | Event::LeaseReleased { .. }
        | Event::ServerRestarted { .. } => Vec::new(),
    }
}

/// What has become of the agent's connection. The state, which has not changed, follows it for
/// widgets that do not know the frame, or they would miss the place for ever.
fn connection(
    recorded: &Recorded,
    connection: Connection,
    name: Option<&DisplayName>,
) -> Vec<ByteString> {
    let (seq, at) = (recorded.seq, recorded.at);
    let name = name.map(DisplayName::as_str);
    vec![
        ServerFrame::Agent { seq, state: connection, name, at }.render(),
        state(seq, State::Active, None),
    ]
}

fn state(seq: Seq, state: State, reason: Option<Reason>) -> ByteString {
    ServerFrame::State { reference: None, seq, state, reason }.render()
}

fn reminder(recorded: &Recorded) -> ByteString {
    // No id was minted for it. Its place gives it one that is the same on every resume.
    let id = format!("system-{}", recorded.seq);
    ServerFrame::Message {
        seq: recorded.seq,
        id: &id,
        from: Speaker::System,
        name: None,
        text: REMINDER,
        at: recorded.at,
    }
    .render()
}
