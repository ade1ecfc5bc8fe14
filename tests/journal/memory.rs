//! The switches of the journal in memory.

use holdline::domain::conversation::event::Author;
use holdline::domain::id::Seq;
use holdline::journal::{Chats as _, Log as _, Position};

use crate::support::{Chat, Kind, Told, Trial, block};

#[test]
fn held_receipts_are_not_durable_until_they_are_released() {
    let mut trial = Trial::new(Kind::Memory);
    let (mut chat, mut other) = (Chat::new(1, "q", 1_000), Chat::new(2, "q", 1_000));
    trial.memory().append(chat.start().append());
    trial.memory().hold_receipts();
    trial.memory().append(chat.join(1).append());
    trial.memory().append(other.start().append());
    trial.memory().append(chat.post(Author::Customer, "x").append());
    assert_eq!(trial.memory().waiting(), 3);
    assert_eq!(trial.memory().head(), Position(1));
    let durable = block(trial.memory().load(chat.id())).unwrap().unwrap();
    assert_eq!(durable.seq(), Seq::new(1));

    trial.memory().release_receipts();
    let Some(Told::Durable(confirmed, position)) = trial.ledger.told().last().cloned() else {
        panic!("released receipts are told");
    };
    assert_eq!(position, Position(4));
    assert_eq!(confirmed.len(), 3, "one for each append");
    trial.ledger.wait_for(chat.id(), Seq::new(3));

    trial.memory().hold_receipts();
    trial.memory().append(chat.post(Author::Customer, "lost in the crash").append());
    let recovered = trial.reopen();
    assert_eq!(recovered.conversations.len(), 2);
    assert_eq!(recovered.conversations[0].seq(), Seq::new(3));
}

#[test]
fn after_a_failure_only_the_durable_place_continues() {
    let trial = Trial::new(Kind::Memory);
    let (mut chat, mut other) = (Chat::new(1, "q", 1_000), Chat::new(2, "q", 1_000));
    trial.memory().append(chat.start().append());
    let durable = chat.clone();
    trial.memory().hold_receipts();
    trial.memory().append(chat.join(1).append());
    trial.memory().append(other.start().append());
    trial.memory().fail_next_append();
    trial.memory().append(chat.post(Author::Customer, "fails").append());
    assert_eq!(trial.ledger.failures(chat.id()), 1);
    trial.memory().append(chat.post(Author::Customer, "too far").append());
    assert_eq!(trial.ledger.failures(chat.id()), 2);
    trial.memory().release_receipts();
    trial.ledger.wait_for(other.id(), Seq::new(1));
    assert_eq!(block(trial.memory().load(chat.id())).unwrap(), Some(durable.whole.clone()));

    let mut again = durable;
    trial.memory().append(again.post(Author::Customer, "continues").append());
    trial.ledger.wait_for(again.id(), Seq::new(2));
}

#[test]
fn everything_fails_until_it_is_told_otherwise() {
    let trial = Trial::new(Kind::Memory);
    let mut chat = Chat::new(1, "q", 1_000);
    trial.memory().fail_all(true);
    assert!(!trial.memory().is_writable());
    trial.memory().append(chat.start().append());
    assert_eq!(trial.ledger.failures(chat.id()), 1);
    trial.memory().fail_all(false);
    let mut again = Chat::new(1, "q", 1_000);
    trial.memory().append(again.start().append());
    trial.ledger.wait_for(again.id(), Seq::new(1));
}
