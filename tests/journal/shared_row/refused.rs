//! What becomes of a shared row when some of its appends may not be written, or none can be
//! written.

use holdline::domain::conversation::event::Author;
use holdline::domain::id::ConversationId;
use holdline::journal::{Append, Position, Ticket};

use crate::rows::{assert_read, assert_sound, assert_timeline, journal_db, number};
use crate::shared_row::{ROWS, all, append_together, body_at, crowd, shapes, shared};
use crate::support::{Batch, Chat, Kind, Told, Trial, block};

/// The append of a batch, with this ticket.
fn with_ticket(batch: &Batch, number: u32) -> Append {
    let Append::Conversation { id, first, at, events, .. } = batch.append() else {
        unreachable!("a batch is of a conversation")
    };
    Append::Conversation { id, first, at, events, ticket: Ticket(number) }
}

/// The chats that were confirmed, with which ticket and through which place; and the chats that
/// failed.
fn answers(trial: &Trial) -> (Vec<(ConversationId, u32, u32)>, Vec<ConversationId>) {
    let (mut confirmed, mut failed) = (Vec::new(), Vec::new());
    for told in trial.ledger.told() {
        match told {
            Told::Durable(all, _) => confirmed.extend(
                all.iter().map(|one| (one.id, one.ticket.0, one.receipt.through().number())),
            ),
            Told::Failed(ids) => failed.extend(ids),
        }
    }
    (confirmed, failed)
}

#[test]
fn what_is_refused_is_left_out_and_its_neighbours_are_written() {
    let mut trial = Trial::new(Kind::Sqlite);
    let mut chats = crowd(1..=5);
    all(&trial, &mut chats, Chat::start);
    trial.reopen();
    let stale = chats[2].clone().post(Author::Customer, "refused words");
    let posts = |chats: &mut [Chat]| -> Vec<Batch> {
        let post = |chat: &mut Chat| {
            let text = format!("words of {}", chat.id());
            chat.post(Author::Customer, &text)
        };
        chats.iter_mut().map(post).collect()
    };
    append_together(&trial, posts(&mut chats));
    let (before, _) = answers(&trial);
    assert_eq!(before.len(), 5);
    // One chat appends again, in a place that is taken.
    let mut second: Vec<_> = posts(&mut chats[..2]);
    second.push(Batch { at: second[0].at, ..stale });
    second.extend(posts(&mut chats[3..]));
    let tickets = (0..).map(|number| 70 + number * 3);
    let appends = second.iter().zip(tickets).map(|(batch, ticket)| with_ticket(batch, ticket));
    trial.journal().append_all(appends.collect());
    block(trial.journal().flush()).unwrap();

    let (confirmed, failed) = answers(&trial);
    assert_eq!(failed, [chats[2].id()]);
    let of = |index: usize, ticket| (chats[index].id(), ticket, 3);
    assert_eq!(confirmed[5..], [of(0, 70), of(1, 73), of(3, 79), of(4, 82)]);
    let journal = journal_db(trial.dir());
    assert_eq!(shapes(&journal), [shared(1, 5, 5), shared(6, 5, 5), shared(11, 4, 4)]);
    let body = body_at(&journal, 11);
    assert!(!body.to_string().contains("refused words"), "{body}");
    let text = |which: usize| body["records"][which]["body"]["text"].as_str().unwrap();
    assert_eq!(text(2), format!("words of {}", chats[3].id()));
    assert_eq!(trial.journal().head(), Position(14));
    assert_timeline(trial.dir());
    assert_read(&trial, &chats);

    // When all appends of a row are refused, nothing of the row is written.
    let appends = second.iter().map(Batch::append).collect();
    trial.journal().append_all(appends);
    block(trial.journal().flush()).unwrap();
    let (confirmed, failed) = answers(&trial);
    assert_eq!((confirmed.len(), failed.len()), (9, 6));
    assert_eq!((number(&journal, ROWS), trial.journal().head()), (3, Position(14)));
    append_together(&trial, posts(&mut chats));
    trial.close();
    assert_sound(trial.dir(), &chats);
}

#[test]
fn a_shared_row_that_cannot_be_written_fails_all_who_share_it() {
    let trial = Trial::new(Kind::Sqlite);
    let mut chats = crowd(1..=3);
    all(&trial, &mut chats, Chat::start);
    let durable = chats.clone();
    let sabotage = "CREATE TRIGGER sabotage BEFORE INSERT ON events
         WHEN NEW.kind = 'happened_to_several' BEGIN SELECT RAISE(ABORT, 'sabotage'); END";
    let journal = journal_db(trial.dir());
    journal.execute_batch(sabotage).unwrap();
    all(&trial, &mut chats, |chat| chat.join(1));
    for chat in &chats {
        trial.ledger.wait_for_failures(chat.id(), 1);
    }
    journal.execute_batch("DROP TRIGGER sabotage").unwrap();
    all(&trial, &mut chats, |chat| chat.lose(1));
    for chat in &chats {
        trial.ledger.wait_for_failures(chat.id(), 2);
    }
    let mut again = durable;
    all(&trial, &mut again, |chat| chat.join(2));
    assert_eq!(trial.journal().head(), Position(6));
    assert_timeline(trial.dir());
    assert_read(&trial, &again);
}
