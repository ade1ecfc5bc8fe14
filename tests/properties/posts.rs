//! A message is posted once, however often it is sent.

use std::collections::BTreeMap;

use holdline::domain::conversation::command::{Answer, Command, Refusal, StartRequest};
use holdline::domain::conversation::event::{Author, Event};
use holdline::domain::conversation::parts::Parts;
use holdline::domain::id::{MessageId, Seq};
use holdline::domain::settings::Workstream;
use holdline::domain::text::MessageText;
use holdline::domain::time::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::config;
use crate::script::{Life, script, start};
use crate::settings::workstream;

/// What is known of a message that was posted: its text and its answer.
type Known = (MessageText, Seq, Timestamp);

fn author_name(author: &Author) -> Option<String> {
    match author {
        Author::Customer => None,
        Author::Agent(agent) => Some(agent.to_string()),
    }
}

proptest! {
    #![proptest_config(config())]

    /// The same id and text get the first answer at any later time and in any state. Another text
    /// is refused, another author makes it another message, and the journal holds each message
    /// once.
    #[test]
    fn a_repeated_post_gets_the_first_answer(script in script()) {
        let mut known: BTreeMap<(Option<String>, MessageId), Known> = BTreeMap::new();
        let life = script.play(|step| {
            let Command::Post { from, id, text, .. } = step.command else { return Ok(()) };
            let key = (author_name(from), id.clone());
            match (known.get(&key), &step.outcome) {
                (Some((first, seq, at)), Ok(done)) => {
                    prop_assert_eq!(first, text);
                    prop_assert_eq!(done.answer, Answer::Posted { seq: *seq, at: *at });
                    prop_assert!(done.recorded.is_empty() && done.effects.is_empty());
                }
                (Some((first, ..)), Err(refusal)) => {
                    prop_assert_ne!(first, text);
                    prop_assert_eq!(*refusal, Refusal::IdReused);
                }
                (None, Ok(done)) => {
                    let Answer::Posted { seq, at } = done.answer else {
                        return Err(TestCaseError::fail("a post is answered with its place"));
                    };
                    prop_assert_eq!(at, step.now);
                    prop_assert_eq!(seq, step.before.seq().next());
                    prop_assert_eq!(done.recorded.len(), 1);
                    known.insert(key, (text.clone(), seq, at));
                }
                (None, Err(refusal)) => prop_assert_ne!(*refusal, Refusal::IdReused),
            }
            Ok(())
        })?;
        let posted = life.journal.iter().filter_map(|recorded| match &recorded.event {
            Event::MessagePosted { id, from, .. } => Some((author_name(from), id.clone())),
            _ => None,
        });
        let posted: Vec<_> = posted.collect();
        prop_assert_eq!(posted.len(), known.len());
        prop_assert!(posted.iter().all(|key| known.contains_key(key)));
    }

    /// The first messages of a long chat are not forgotten either.
    #[test]
    fn a_long_chat_remembers_its_beginning(
        order in vec(0_u16..60, 1..200),
        workstream in workstream(),
    ) {
        let mut life = Life::new(workstream);
        life.ask(start()).expect("it is new");
        let mut first = BTreeMap::new();
        for number in order {
            let id: MessageId = format!("m{number}").parse().expect("an id");
            let text = MessageText::parse(&format!("text {number}")).expect("a text");
            let done = life.ask(Command::Post { by: None, from: Author::Customer, id, text });
            let done = done.expect("the same id has the same text");
            let answer = first.entry(number).or_insert(done.answer);
            prop_assert_eq!(*answer, done.answer);
        }
        prop_assert_eq!(life.journal.len(), 1 + first.len());
    }

    /// The answers outlast everything else: when the history is over, every message that was ever
    /// posted is sent again.
    #[test]
    fn an_answer_is_never_forgotten(script in script()) {
        let mut life = script.play(|_| Ok(()))?;
        for recorded in life.journal.clone() {
            let Event::MessagePosted { id, from, text, .. } = recorded.event else { continue };
            let (by, author, same) = (None, from.clone(), id.clone());
            let again = life.ask(Command::Post { by, from: author, id: same, text });
            let answer = again.expect("a repeated message is answered").answer;
            prop_assert_eq!(answer, Answer::Posted { seq: recorded.seq, at: recorded.at });
            let other = MessageText::parse("something else").expect("a text");
            let refused = life.ask(Command::Post { by: None, from, id, text: other });
            prop_assert_eq!(refused.map(|_| ()), Err(Refusal::IdReused));
        }
    }
}

/// Nobody outside knows the salt of a chat, so nobody can find an id that is taken for another one.
#[test]
fn a_message_is_recognised_by_a_digest_that_the_chat_alone_knows() {
    let key_under = |salt| {
        let mut chat = Life::new(Workstream::new("chat".parse().unwrap(), "line".parse().unwrap()));
        let Command::Start(request) = start() else { unreachable!("it starts a chat") };
        chat.ask(Command::Start(StartRequest { salt, ..request })).unwrap();
        let (from, text) = (Author::Customer, MessageText::parse("hi").unwrap());
        chat.ask(Command::Post { by: None, from, id: "m-1".parse().unwrap(), text }).unwrap();
        let posts = Parts::from(chat.conversation).posts;
        (posts[0].key, posts[0].content)
    };
    let keys = [0, 1, 2, u64::MAX].map(key_under);
    for (number, (key, content)) in keys.iter().enumerate() {
        for (other_key, other_content) in &keys[number + 1..] {
            assert!(key != other_key && content != other_content);
        }
    }
}
