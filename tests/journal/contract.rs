//! The promises that both journals keep.

use std::sync::Arc;

use holdline::domain::agent::Presence;
use holdline::domain::conversation::command::{Authority, Command};
use holdline::domain::conversation::event::{Audience, Author, Recorded};
use holdline::domain::conversation::{Conversation, State};
use holdline::domain::id::Seq;
use holdline::domain::settings::registry::{Registry, SettingChange, Token, TokenDigest};
use holdline::domain::settings::{AgentSettings, QueueSettings, Role, WidgetSettings, Workstream};
use holdline::domain::text::DisplayName;
use holdline::domain::time::{Span, Timestamp};
use holdline::journal::{Append, Filter, Journal, Position, Pressure};
use tokio::sync::oneshot;

use crate::support::{Chat, Kind, Told, Trial, agent, block, id, settle, ticket, untold};

/// Makes two tests of a promise, one for each journal.
macro_rules! promises {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(super::Kind::Sqlite); })+
        }
        mod memory {
            $(#[test] fn $name() { super::$name(super::Kind::Memory); })+
        }
    };
}

promises!(
    receipts_follow_appends_in_order,
    what_is_loaded_is_what_replaying_gives,
    reads_are_pages_in_order,
    customers_see_only_what_is_theirs,
    a_list_is_paged_newest_first,
    a_list_is_filtered,
    an_agent_sees_their_part,
    a_new_start_finds_everything,
    deleting_an_agent_forgets_what_was_theirs,
    an_unknown_conversation_is_nothing,
    a_second_writer_of_a_conversation_is_refused,
);

fn receipts_follow_appends_in_order(kind: Kind) {
    let trial = Trial::new(kind);
    let mut chats: Vec<_> = (1..=20).map(|number| Chat::new(number, "q", 1_000)).collect();
    for round in 0..5 {
        for chat in &mut chats {
            let batch = if round == 0 { chat.start() } else { chat.post(Author::Customer, "x") };
            trial.journal().append(batch.append());
        }
    }
    for chat in &chats {
        trial.ledger.wait_for(chat.id(), chat.whole.seq());
    }
    block(trial.journal().flush()).unwrap();
    assert_eq!(trial.journal().head(), Position(100));
    assert_eq!(trial.journal().waiting(), 0);
    assert_eq!(trial.journal().pressure(), Pressure::Calm);
    assert!(trial.journal().is_writable());

    let mut last_position = Position(0);
    for told in trial.ledger.told() {
        let Told::Durable(_, position) = told else { panic!("nothing fails: {told:?}") };
        assert!(position > last_position, "positions grow");
        last_position = position;
    }
    let told = trial.ledger.told();
    for chat in &chats {
        let confirmed = told.iter().flat_map(|told| match told {
            Told::Durable(confirmed, _) => confirmed.as_slice(),
            Told::Failed(..) => &[],
        });
        let of_it = confirmed.filter(|one| one.id == chat.id());
        let found: Vec<_> = of_it.map(|one| (one.ticket, one.receipt.through())).collect();
        // Each append had one event.
        let appended = chat.history.iter().map(|recorded| (ticket(recorded.seq), recorded.seq));
        assert_eq!(found, appended.collect::<Vec<_>>(), "one for each append, in their order");
    }
}

fn what_is_loaded_is_what_replaying_gives(kind: Kind) {
    let trial = Trial::new(kind);
    let mut chat = Chat::new(9, "q", 1_000);
    for batch in chat.whole_story() {
        settle(&trial, [batch]);
        let through = block(trial.journal().load(chat.id())).unwrap().unwrap().seq();
        let mut replayed = Conversation::new(chat.id());
        for recorded in chat.history.iter().filter(|recorded| recorded.seq <= through) {
            replayed.apply(&recorded.event, recorded.at);
        }
        let loaded = block(trial.journal().load(chat.id())).unwrap();
        assert_eq!(loaded.as_ref(), Some(&replayed));
    }
    let read = block(trial.journal().read(chat.id(), Seq::ZERO, Audience::Agent, 999, 1 << 20));
    assert_eq!(read.unwrap(), chat.history);
}

fn reads_are_pages_in_order(kind: Kind) {
    let trial = Trial::new(kind);
    let mut chat = Chat::new(3, "q", 1_000);
    settle(&trial, [chat.start()]);
    for number in 0..30 {
        settle(&trial, [chat.post(Author::Customer, &format!("{number:0>1000}"))]);
    }
    let read = |after, entries, bytes| {
        block(trial.journal().read(chat.id(), after, Audience::Agent, entries, bytes)).unwrap()
    };
    let mut pages = Vec::new();
    let mut after = Seq::ZERO;
    loop {
        let page = read(after, 7, 1 << 20);
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 7);
        after = last.seq;
        pages.extend(page);
    }
    assert_eq!(pages, chat.history);
    assert_eq!(read(Seq::new(1), 30, 5_000).len(), 4, "bytes bound a page");
    assert_eq!(read(Seq::new(1), 30, 0).len(), 1, "there is always one");
    assert_eq!(read(chat.whole.seq(), 30, 5_000), []);

    let outline =
        |after, entries| block(trial.journal().outline(chat.id(), after, entries)).unwrap();
    assert_eq!(outline(Seq::ZERO, 99), untold(&chat.history));
    assert_eq!(outline(Seq::new(4), 3), untold(&chat.history[4..7]));
    assert_eq!(outline(chat.whole.seq(), 3), []);
}

fn customers_see_only_what_is_theirs(kind: Kind) {
    let trial = Trial::new(kind);
    let mut chat = Chat::new(4, "q", 1_000);
    let story = chat.whole_story();
    settle(&trial, story);
    let seen = |recorded: &&Recorded| recorded.event.is_seen_by(Audience::Customer);
    let theirs: Vec<_> = chat.history.iter().filter(seen).cloned().collect();
    assert!(theirs.len() < chat.history.len());
    let read = |after, entries| {
        block(trial.journal().read(chat.id(), after, Audience::Customer, entries, 1 << 20)).unwrap()
    };
    assert_eq!(read(Seq::ZERO, 999), theirs);
    assert_eq!(read(Seq::ZERO, 2), theirs[..2], "what is hidden takes no room on a page");
    assert_eq!(read(theirs[1].seq, 2), theirs[2..4]);
}

fn list(trial: &Trial, filter: &Filter, most: usize) -> Vec<u128> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = block(trial.journal().list(filter.clone(), after, most, 1 << 20)).unwrap();
        assert!(page.views.len() <= most);
        found.extend(page.views.iter().map(|one| one.id.as_bits()));
        after = page.next;
        if after.is_none() {
            return found;
        }
        assert_eq!(page.views.len(), most, "only the last page is short");
    }
}

fn a_list_is_paged_newest_first(kind: Kind) {
    let trial = Trial::new(kind);
    // Two chats at a time begin at the same moment, so that their ids decide.
    for number in 1..=12_u128 {
        let at = i64::try_from(number / 2).unwrap() * 100;
        settle(&trial, [Chat::new(number, "q", at).start()]);
    }
    let newest_first: Vec<_> = (1..=12).rev().collect();
    for most in [1, 2, 3, 5, 12, 50] {
        assert_eq!(list(&trial, &Filter::default(), most), newest_first);
    }
    let (mut after, mut found) = (None, Vec::new());
    loop {
        let page = block(trial.journal().list(Filter::default(), after, 50, 300)).unwrap();
        assert!((1..4).contains(&page.views.len()), "bytes bound a page, and there is always one");
        found.extend(page.views.iter().map(|one| one.id.as_bits()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, newest_first);
}

fn a_list_is_filtered(kind: Kind) {
    let trial = Trial::new(kind);
    let ann = agent("ann");
    let mut chats: Vec<_> = (1..=6)
        .map(|number: i64| {
            let queue = if number % 2 == 0 { "even" } else { "odd" };
            Chat::new(u128::try_from(number).unwrap(), queue, number * 1_000)
        })
        .collect();
    for chat in &mut chats {
        settle(&trial, [chat.start()]);
    }
    let (one, two, three) = (0, 1, 2);
    settle(&trial, [chats[one].offer("ann"), chats[one].accept("ann")]);
    settle(&trial, [chats[two].offer("bob")]);
    settle(&trial, [chats[three].offer("ann"), chats[three].accept("ann")]);
    settle(&trial, [chats[three].end("ann"), chats[three].shut("ann")]);

    let all = Filter::default();
    let of = |filter: Filter| list(&trial, &filter, 2);
    assert_eq!(of(Filter { states: vec![State::Open], ..all.clone() }), [6, 5, 4]);
    assert_eq!(of(Filter { states: vec![State::Active, State::Closed], ..all.clone() }), [3, 2, 1]);
    assert_eq!(of(Filter { agent: Some(ann.clone()), ..all.clone() }), [3, 1]);
    assert_eq!(of(Filter { queues: vec!["even".parse().unwrap()], ..all.clone() }), [6, 4, 2]);
    let both = vec!["even".parse().unwrap(), "odd".parse().unwrap(), "even".parse().unwrap()];
    assert_eq!(of(Filter { queues: both, ..all.clone() }), [6, 5, 4, 3, 2, 1]);
    let or_waiting_in = vec!["even".parse().unwrap()];
    let mine = Filter { agent: Some(ann), or_waiting_in, ..all.clone() };
    assert_eq!(of(mine.clone()), [6, 4, 3, 1]);
    let queues = vec!["odd".parse().unwrap()];
    assert_eq!(of(Filter { queues, ..mine.clone() }), [3, 1]);
    assert_eq!(of(Filter { states: vec![State::Open, State::Active], ..mine }), [6, 4, 1]);
    assert_eq!(of(Filter { widget: Some("other".parse().unwrap()), ..all.clone() }), []);
    assert_eq!(of(Filter { widget: Some("demo".parse().unwrap()), ..all }).len(), 6);
}

fn an_agent_sees_their_part(kind: Kind) {
    let trial = Trial::new(kind);
    let (mut hers, mut passed, mut others) =
        (Chat::new(1, "q", 1_000), Chat::new(2, "q", 1_000), Chat::new(3, "q", 1_000));
    settle(&trial, [hers.start(), others.start(), passed.start()]);
    settle(&trial, [hers.join(1), others.offer("bob"), hers.offer("ann")]);
    settle(&trial, [passed.offer("ann"), others.accept("bob"), hers.accept("ann")]);
    settle(&trial, [passed.go(Command::Decline { by: None, agent: agent("ann") })]);
    settle(&trial, [others.post(Author::Customer, "a"), hers.post(Author::Customer, "b")]);
    settle(&trial, [passed.offer("bob"), passed.accept("bob")]);
    let declined = passed.history.len() - 2;
    settle(&trial, [passed.post(Author::Customer, "not for ann")]);
    settle(&trial, [passed.go(Command::Release { by: Authority::Agent(agent("bob")) })]);
    let released = passed.history.len();
    settle(&trial, [passed.offer("ann")]);

    let read_bytes = |after, most, bytes| {
        block(trial.journal().of_agent(agent("ann"), after, most, bytes)).unwrap()
    };
    let read = |after, most| read_bytes(after, most, 1 << 20);
    let whole = read(Position(0), 999);
    assert!(whole.is_sorted_by_key(|located| located.position));
    let of = |chat: &Chat| {
        let of_it = whole.iter().filter(|located| located.conversation == chat.id());
        of_it.map(|located| located.recorded.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of(&hers), hers.history[2..], "from the offer on");
    let (first, again) = (&passed.history[1..declined], &passed.history[released..]);
    assert_eq!(of(&passed), [first, again].concat(), "but not what was somebody else's");
    assert_eq!(of(&others), []);

    let mut paged = Vec::new();
    while let next @ [.., last] = &read(paged_to(&paged), 2)[..] {
        assert!(last.position > paged_to(&paged));
        paged.extend_from_slice(next);
    }
    assert_eq!(paged, whole);
    let mut paged = Vec::new();
    while let next @ [.., last] = &read_bytes(paged_to(&paged), 99, 130)[..] {
        assert!(next.len() < 3 && last.position > paged_to(&paged));
        paged.extend_from_slice(next);
    }
    assert_eq!(paged, whole);
}

fn paged_to(paged: &[holdline::journal::Located]) -> Position {
    paged.last().map_or(Position(0), |located| located.position)
}

/// Appends a change of the settings and waits until it is durable.
fn change(journal: &dyn Journal, registry: &mut Registry, change: SettingChange) -> Position {
    let (done, answered) = oneshot::channel();
    let at = Timestamp::from_millis(5);
    journal.append(Append::Setting { by: None, change: Box::new(change.clone()), at, done });
    registry.apply(change);
    block(answered).unwrap().unwrap()
}

fn choose(journal: &dyn Journal, who: &str, presence: Presence) {
    let (done, answered) = oneshot::channel();
    let at = Timestamp::from_millis(6);
    journal.append(Append::Presence { by: None, agent: agent(who), presence, at, done });
    block(answered).unwrap().unwrap();
}

fn settings(journal: &dyn Journal) -> Registry {
    let mut registry = Registry::default();
    let name = |text| DisplayName::parse(text).unwrap();
    for who in ["ann", "bob"] {
        let put = AgentSettings { id: agent(who), name: name(who), role: Role::Agent, units: 3 };
        change(journal, &mut registry, SettingChange::PutAgent(put));
    }
    let agents = vec![agent("ann"), agent("bob")];
    let queue = QueueSettings { id: "q".parse().unwrap(), name: name("Help"), agents };
    change(journal, &mut registry, SettingChange::PutQueue(queue));
    let mut workstream = Workstream::new("default".parse().unwrap(), "q".parse().unwrap());
    change(journal, &mut registry, SettingChange::PutWorkstream(workstream.clone()));
    workstream.window = Span::from_secs(99);
    change(journal, &mut registry, SettingChange::PutWorkstream(workstream.clone()));
    workstream.id = "gone".parse().unwrap();
    change(journal, &mut registry, SettingChange::PutWorkstream(workstream.clone()));
    change(journal, &mut registry, SettingChange::DeleteWorkstream(workstream.id));
    let origins = vec![Arc::from("https://example.org")];
    let widget = WidgetSettings {
        id: "demo".parse().unwrap(),
        workstream: "default".parse().unwrap(),
        origins,
        admission: None,
    };
    change(journal, &mut registry, SettingChange::PutWidget(widget));
    // Twelve tokens, two more than one agent may have. One of them is Bob's, the others are Ann's.
    for number in 0..12 {
        let (digest, at) = (TokenDigest([number; 32]), Timestamp::from_millis(number.into()));
        let agent = agent(if number == 5 { "bob" } else { "ann" });
        let name = number.is_multiple_of(2).then(|| DisplayName::parse("phone").unwrap());
        let expires_at = number.is_multiple_of(3).then(|| at + Span::from_secs(60));
        let token = Token { name, expires_at, ..Token::new(agent, at) };
        change(journal, &mut registry, SettingChange::AddToken { digest, token });
    }
    // One of Ann's tokens goes over to Bob.
    let (digest, at) = (TokenDigest([11; 32]), Timestamp::from_millis(12));
    let token = Token::new(agent("bob"), at);
    change(journal, &mut registry, SettingChange::AddToken { digest, token });
    let (ended, used) = (TokenDigest([10; 32]), TokenDigest([11; 32]));
    change(journal, &mut registry, SettingChange::EndToken(ended));
    let at = Timestamp::from_millis(50);
    change(journal, &mut registry, SettingChange::NoteTokenUse { digest: used, at });
    registry
}

fn a_new_start_finds_everything(kind: Kind) {
    let mut trial = Trial::new(kind);
    let registry = settings(trial.journal());
    choose(trial.journal(), "ann", Presence::Available);
    choose(trial.journal(), "bob", Presence::Busy);
    choose(trial.journal(), "ann", Presence::DoNotDisturb);
    let mut chats: Vec<_> = (1..=5).map(|number| Chat::new(number, "q", 1_000)).collect();
    settle(&trial, chats.iter_mut().map(Chat::start));
    let (closed, talking, held) = (0, 1, 2);
    let story = Chat::new(77, "q", 5).whole_story();
    settle(&trial, story);
    settle(&trial, [chats[closed].offer("ann"), chats[closed].accept("ann")]);
    settle(&trial, [chats[closed].end("ann"), chats[closed].shut("ann")]);
    settle(&trial, [chats[talking].join(5), chats[talking].accept("ann")]);
    settle(&trial, [chats[held].join(6), chats[held].lose(6)]);
    let position = trial.journal().head();

    let recovered = trial.reopen();
    assert_eq!(recovered.settings, registry);
    let presences = [(agent("ann"), Presence::DoNotDisturb), (agent("bob"), Presence::Busy)];
    assert_eq!(recovered.presences, presences);
    let mut found = recovered.conversations;
    found.sort_by_key(Conversation::id);
    let open: Vec<_> = chats[1..].iter().map(|chat| chat.whole.clone()).collect();
    assert_eq!(found, open);
    assert_eq!(trial.journal().head(), position);

    // The chat goes on where it was.
    settle(&trial, [chats[talking].post(Author::Customer, "still here?")]);
    let loaded = block(trial.journal().load(chats[talking].id())).unwrap().unwrap();
    assert_eq!(loaded, chats[talking].whole);
    assert_eq!(trial.journal().head(), Position(position.0 + 1));
    let closed = block(trial.journal().load(chats[closed].id())).unwrap().unwrap();
    assert_eq!(closed, chats[0].whole);
}

fn deleting_an_agent_forgets_what_was_theirs(kind: Kind) {
    let mut trial = Trial::new(kind);
    let mut registry = settings(trial.journal());
    choose(trial.journal(), "ann", Presence::Available);
    choose(trial.journal(), "bob", Presence::Available);
    change(trial.journal(), &mut registry, SettingChange::DeleteAgent(agent("ann")));
    let recovered = trial.reopen();
    assert_eq!(recovered.settings, registry);
    assert_eq!(recovered.settings.tokens.len(), 2);
    assert_eq!(recovered.presences, [(agent("bob"), Presence::Available)]);
}

fn an_unknown_conversation_is_nothing(kind: Kind) {
    let trial = Trial::new(kind);
    assert_eq!(block(trial.journal().load(id(1))).unwrap(), None);
    let read = trial.journal().read(id(1), Seq::ZERO, Audience::Agent, 9, 9);
    assert_eq!(block(read).unwrap(), []);
    assert_eq!(block(trial.journal().of_agent(agent("ann"), Position(0), 9, 9)).unwrap(), []);
    assert!(list(&trial, &Filter::default(), 9).is_empty());
}

fn a_second_writer_of_a_conversation_is_refused(kind: Kind) {
    let trial = Trial::new(kind);
    let mut one = Chat::new(1, "q", 1_000);
    settle(&trial, [one.start()]);
    let mut other = one.clone();
    settle(&trial, [one.post(Author::Customer, "from one")]);
    settle(&trial, [other.post(Author::Customer, "from the other")]);
    trial.ledger.wait_for_failures(one.id(), 1);
    assert_eq!(block(trial.journal().load(one.id())).unwrap().as_ref(), Some(&one.whole));
}
