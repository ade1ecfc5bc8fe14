//! A journal with held chats, made by appending to a real one.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use holdline::domain::cause::Cause;
use holdline::domain::conversation::Conversation;
use holdline::domain::conversation::event::{Event, Opening};
use holdline::domain::id::{
    AgentId, ConversationId, History, QueueId, Seq, VisitorId, WidgetId, WorkstreamId,
};
use holdline::domain::lease::{Lease, Purpose};
use holdline::domain::settings::registry::{Registry, SettingChange};
use holdline::domain::settings::{AgentSettings, QueueSettings, Role, WidgetSettings, Workstream};
use holdline::domain::text::DisplayName;
use holdline::domain::time::{Span, Timestamp};
use holdline::journal::sqlite::SqliteJournal;
use holdline::journal::{
    Append, Confirmed, Fault, Log as _, Position, Receipts, Recovered, Ticket,
};

/// Chats of one agent.
const CHATS_EACH: u64 = 1_000;

/// When the chats began.
const BEGAN: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// How many appends may wait for the disk.
const UNDER_WAY: usize = 20_000;

/// How long to wait before the disk is asked again.
const MOMENT: Duration = Duration::from_millis(1);

/// What is to be there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) held: u64,
    pub(super) expire: u64,
    pub(super) with_agent: u64,
}

impl Plan {
    /// The window of the chats that expire. It is long enough to write that the server has started,
    /// which is done for 10,000 chats a second.
    fn window(&self) -> Span {
        Span::from_secs(10 + self.expire / 8_000)
    }
}

/// The id of a chat. The first byte marks those that expire.
pub(super) fn id(chat: u64, expires: bool) -> ConversationId {
    let spread = u128::from(chat).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let first = if expires { EXPIRES } else { 0 };
    ConversationId::from_bits((spread >> 8) | (u128::from(first) << 120))
}

const EXPIRES: u8 = 0xee;

/// Whether this chat is one of those that expire.
pub(super) fn expires(id: ConversationId) -> bool {
    id.as_bits() >> 120 == u128::from(EXPIRES)
}

/// Counts appends that have become durable.
#[derive(Debug, Default)]
struct Counter {
    durable: Mutex<u64>,
    moved: Condvar,
}

impl Receipts for Counter {
    fn durable(&self, confirmed: Vec<Confirmed>, _: Position) {
        if let Ok(mut durable) = self.durable.lock() {
            *durable += confirmed.len() as u64;
        }
        self.moved.notify_all();
    }

    fn failed(&self, _: Vec<ConversationId>, fault: Fault) {
        give_up(&fault);
    }
}

/// Says which fault stops the process, and stops it.
#[expect(clippy::print_stderr, reason = "this process has no log")]
fn give_up(fault: &Fault) {
    eprintln!("the journal cannot be prepared: {fault}");
    std::process::exit(1)
}

impl Counter {
    fn wait(&self, appended: u64, under_way: usize) {
        if let Ok(durable) = self.durable.lock() {
            drop(self.moved.wait_while(durable, |durable| {
                let soon = *durable + under_way as u64;
                soon < appended
            }));
        }
    }
}

/// Writes the journal, and its projection.
pub(super) fn prepare(dir: &Path, plan: &Plan) -> anyhow::Result<()> {
    let counter = Arc::new(Counter::default());
    let (journal, _) = SqliteJournal::open(dir, counter.clone())?;
    change_settings(&journal, plan)?;
    let names = Names::of(plan)?;
    for chat in 0..plan.held {
        append(&journal, chat, plan, &names)?;
        if chat % 1_000 == 0 {
            counter.wait(chat, UNDER_WAY);
        }
    }
    counter.wait(plan.held, 0);
    journal.close();
    Ok(())
}

/// Appends the past of every chat, and returns what a start would read of it.
pub(super) fn fill(journal: &SqliteJournal, plan: &Plan) -> anyhow::Result<Recovered> {
    let settings = change_settings(journal, plan)?;
    let names = Names::of(plan)?;
    let mut conversations = Vec::with_capacity(usize::try_from(plan.held)?);
    for chat in 0..plan.held {
        let mut conversation = Conversation::new(id(chat, chat < plan.expire));
        for event in append(journal, chat, plan, &names)? {
            conversation.apply(&event, BEGAN);
        }
        conversations.push(conversation);
        wait(journal, UNDER_WAY);
    }
    wait(journal, 0);
    let history = History::default();
    Ok(Recovered { settings, presences: Vec::new(), conversations, latest: BEGAN, history })
}

/// Waits until at most this many appends wait for the disk.
#[expect(clippy::disallowed_methods, reason = "there is no actor yet")]
fn wait(journal: &SqliteJournal, under_way: usize) {
    while journal.waiting() > under_way {
        std::thread::sleep(MOMENT);
    }
}

fn change_settings(journal: &SqliteJournal, plan: &Plan) -> anyhow::Result<Registry> {
    let mut registry = Registry::default();
    for change in settings(plan)? {
        registry.apply(change.clone());
        let (done, _) = tokio::sync::oneshot::channel();
        journal.append(Append::Setting { by: None, change: Box::new(change), at: BEGAN, done });
    }
    Ok(registry)
}

fn append(
    journal: &SqliteJournal,
    chat: u64,
    plan: &Plan,
    names: &Names,
) -> anyhow::Result<Vec<Event>> {
    let events = names.history(chat, plan)?;
    let (id, first) = (id(chat, chat < plan.expire), Seq::new(1));
    journal.append(Append::Conversation {
        id,
        first,
        at: BEGAN,
        events: events.as_slice().into(),
        ticket: Ticket::default(),
    });
    Ok(events)
}

/// What the chats have in common; they share it, as chats that were read do.
struct Names {
    kinds: [(WidgetId, WorkstreamId); 2],
    queue: QueueId,
    agents: Vec<AgentId>,
    customer: DisplayName,
    agent: DisplayName,
    page: Arc<str>,
    locale: Arc<str>,
}

impl Names {
    fn of(plan: &Plan) -> anyhow::Result<Self> {
        Ok(Self {
            kinds: [("short".parse()?, "short".parse()?), ("long".parse()?, "long".parse()?)],
            queue: "sales".parse()?,
            agents: (0..=plan.held / CHATS_EACH).map(agent).collect::<anyhow::Result<_>>()?,
            customer: DisplayName::parse("Maria")?,
            agent: DisplayName::parse("Ada")?,
            page: "https://example.org/basket".into(),
            locale: "de-AT".into(),
        })
    }

    /// The shortest past of a chat that is held.
    fn history(&self, chat: u64, plan: &Plan) -> anyhow::Result<Vec<Event>> {
        let (widget, workstream) = self.kinds[usize::from(chat >= plan.expire)].clone();
        let mut events = vec![Event::ConversationStarted(Opening {
            widget,
            workstream,
            queue: self.queue.clone(),
            visitor: VisitorId::from_bits(u128::from(chat).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            start: format!("{chat:08x}-5b5e-4c5d-8f1b-{chat:012x}").parse()?,
            salt: 0,
            name: Some(self.customer.clone()),
            form: None,
            context: None,
            page: Some(self.page.clone()),
            locale: Some(self.locale.clone()),
            close_at: None,
        })];
        // Agents have a share both of the chats that expire and of those that do not.
        if chat.wrapping_mul(617) % 1_000 < plan.with_agent {
            let agent = self.agents[usize::try_from(chat / CHATS_EACH)?].clone();
            let lease = Lease::new(agent, 1, Purpose::Chat, Span::from_secs(3_600));
            events.push(Event::ChatAccepted {
                by: None,
                lease,
                name: self.agent.clone(),
                close_at: None,
            });
        }
        let until = BEGAN + plan.window();
        events.push(Event::CustomerAway { since: BEGAN, until, cause: Cause::Closed(1006) });
        Ok(events)
    }
}

fn settings(plan: &Plan) -> anyhow::Result<Vec<SettingChange>> {
    let agents = (0..=plan.held / CHATS_EACH).map(agent).collect::<anyhow::Result<Vec<_>>>()?;
    let mut changes = Vec::new();
    for id in &agents {
        changes.push(SettingChange::PutAgent(AgentSettings {
            id: id.clone(),
            name: DisplayName::parse("Ada")?,
            role: Role::Agent,
            units: u32::try_from(CHATS_EACH)?,
        }));
    }
    let name = DisplayName::parse("Sales")?;
    // The queue has no agents, so a chat that waits is offered to nobody.
    changes.push(SettingChange::PutQueue(QueueSettings {
        id: "sales".parse()?,
        name,
        agents: Vec::new(),
    }));
    for (kind, window) in [("short", plan.window()), ("long", Span::from_secs(24 * 3_600))] {
        let mut workstream = Workstream::new(kind.parse()?, "sales".parse()?);
        workstream.window = window;
        workstream.heartbeat = Span::from_secs(5);
        workstream.autoclose.open = None;
        workstream.agent_grace = Span::from_secs(3_600);
        changes.push(SettingChange::PutWorkstream(workstream));
        changes.push(SettingChange::PutWidget(WidgetSettings {
            id: kind.parse()?,
            workstream: kind.parse()?,
            origins: vec!["*".into()],
            admission: None,
        }));
    }
    Ok(changes)
}

fn agent(number: u64) -> anyhow::Result<AgentId> {
    Ok(format!("agent-{number}").parse()?)
}
