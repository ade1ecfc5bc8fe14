//! Customers whose plan is known: when each of them goes, and when each is back. The same plan can
//! be lived under any window, so a rehearsal can be compared with what really happens.

use holdline::domain::cause::Cause;
use holdline::domain::conversation::State;
use holdline::domain::conversation::event::{Event, Reason};
use holdline::domain::time::{Span, Timestamp};

use crate::past::{BEGAN, Past, after};

/// One customer's plan, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Customer {
    pub number: u64,
    /// When the customer goes away.
    pub goes: u64,
    /// How long the customer stays away; nothing for one who never comes back.
    pub stays_away: Option<u64>,
    /// Whether an agent takes the chat before the customer goes.
    pub is_served: bool,
}

/// What became of all customers.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Truth {
    pub disconnected: u64,
    pub returned: u64,
    /// How long customers who were away held agents.
    pub waited: u64,
}

/// A crowd that is the same every time.
pub fn crowd(size: u64) -> Vec<Customer> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let customers = (0..size).map(|number| Customer {
        number,
        goes: 1_000 + draw(60_000),
        stays_away: (draw(10) > 2).then(|| 1_000 + draw(400_000)),
        is_served: draw(10) > 3,
    });
    customers.collect()
}

/// All customers live their plans under this window. A customer who is back too late begins a new
/// chat.
pub fn live(crowd: &[Customer], window: Span, end: Timestamp) -> (Vec<Past>, Truth) {
    let (mut chats, mut truth) = (Vec::new(), Truth::default());
    for customer in crowd {
        let visitor = u128::from(customer.number);
        let mut chat = Past::began(visitor << 64 | 1, visitor, window, BEGAN);
        if customer.is_served {
            chat.is_taken(after(500));
        }
        let goes = after(customer.goes);
        beat_until(&mut chat, goes);
        chat.loses(1, Cause::Closed(1001), goes);
        let back = customer.stays_away.map(|away| goes + Span::from_millis(away));
        chat.wait(back.unwrap_or(end).min(end));
        let is_over = chat.conversation.state() != Some(State::Open)
            && chat.conversation.state() != Some(State::Active);
        let mut away_until = back.unwrap_or(end);
        if is_over {
            truth.disconnected += 1;
            away_until = ended_at(&chat);
        } else if let Some(back) = back {
            truth.returned += 1;
            chat.joins(2, back);
        }
        if customer.is_served {
            truth.waited += away_until.since(goes).as_millis();
        }
        if let (true, Some(back)) = (is_over, back) {
            let again = Past::began(visitor << 64 | 2, visitor, window, back);
            chats.push(again);
        }
        chats.push(chat);
    }
    (chats, truth)
}

/// The session gives a sign of life as often as it is asked to.
fn beat_until(chat: &mut Past, until: Timestamp) {
    let heartbeat = chat.workstream.heartbeat;
    let mut at = BEGAN + heartbeat;
    while at < until {
        chat.conversation.hear(holdline::domain::id::SessionId::from_bits(1), at);
        at = at + heartbeat;
    }
}

fn ended_at(chat: &Past) -> Timestamp {
    let end = chat.history.iter().find(|recorded| {
        matches!(
            recorded.event,
            Event::WrapupStarted { reason: Reason::CustomerDisconnectedWhileActive, .. }
                | Event::ConversationClosed { reason: Reason::CustomerDisconnectedWhileOpen, .. }
        )
    });
    end.expect("it ended because the customer was away").at
}
