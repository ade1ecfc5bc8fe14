//! What `--demo` sets up, so that a chat can be tried a minute after the first start: one queue,
//! one workstream, one widget, two agents and a supervisor. Only what is missing is made.

use std::fmt::Write;
use std::str::FromStr;

use crate::domain::id::{AgentId, QueueId, WidgetId, WorkstreamId};
use crate::domain::settings::registry::{Registry, SettingChange, TokenDigest};
use crate::domain::settings::{
    ANY_ORIGIN, AgentSettings, QueueSettings, Role, WidgetSettings, Workstream,
};
use crate::domain::text::DisplayName;
use crate::domain::time::Timestamp;

/// The id of the demo's queue, workstream and widget.
pub const DEMO: &str = "demo";

/// The demo's people: id, name and role. The agents serve the queue.
pub const PEOPLE: [(&str, &str, Role); 3] =
    [("ada", "Ada", Role::Agent), ("ben", "Ben", Role::Agent), ("sue", "Sue", Role::Supervisor)];

/// How much work each of the demo's agents takes at once.
const UNITS: u32 = 3;

/// Whether nothing at all is set up, so that a demo can do no harm.
pub fn is_wanted(settings: &Registry) -> bool {
    settings.workstreams.is_empty()
        && settings.queues.is_empty()
        && settings.widgets.is_empty()
        && settings.agents.is_empty()
}

/// Whether the demo was set up before.
pub fn is_there(settings: &Registry) -> bool {
    settings.widgets.contains_key(&fixed::<WidgetId>(DEMO))
}

/// What is missing of the demo, in an order in which each change keeps the rules. `tokens` are the
/// digests of the tokens of [`PEOPLE`], in their order.
pub fn changes(
    settings: &Registry,
    tokens: [TokenDigest; PEOPLE.len()],
    now: Timestamp,
) -> Vec<SettingChange> {
    let mut changes = Vec::new();
    for ((id, name, role), digest) in PEOPLE.into_iter().zip(tokens) {
        let agent: AgentId = fixed(id);
        if !settings.agents.contains_key(&agent) {
            let name = display_name(name);
            let units = UNITS;
            let settings = AgentSettings { id: agent.clone(), name, role, units };
            changes.push(SettingChange::PutAgent(settings));
        }
        if !settings.tokens.contains_key(&digest) {
            changes.push(SettingChange::AddToken { agent, digest, at: now });
        }
    }
    let queue: QueueId = fixed(DEMO);
    if !settings.queues.contains_key(&queue) {
        let serving = PEOPLE.into_iter().filter(|(_, _, role)| *role == Role::Agent);
        changes.push(SettingChange::PutQueue(QueueSettings {
            id: queue.clone(),
            name: display_name("Demo"),
            agents: serving.map(|(id, _, _)| fixed(id)).collect(),
        }));
    }
    let workstream: WorkstreamId = fixed(DEMO);
    if !settings.workstreams.contains_key(&workstream) {
        changes.push(SettingChange::PutWorkstream(Workstream::new(workstream.clone(), queue)));
    }
    let widget: WidgetId = fixed(DEMO);
    if !settings.widgets.contains_key(&widget) {
        let settings = WidgetSettings { id: widget, workstream, origins: vec![ANY_ORIGIN.into()] };
        changes.push(SettingChange::PutWidget(settings));
    }
    changes
}

/// What is printed when the demo is on: where to go, who is who, and a line to paste for each step
/// of the agent's side. `origin` is such as `http://127.0.0.1:8080`; the tokens are those of
/// [`PEOPLE`], in their order.
pub fn welcome(origin: &str, administrator: &str, tokens: [&str; PEOPLE.len()]) -> String {
    let [ada, ben, sue] = tokens;
    let mut text = format!(
        "\nHoldline is here, with its demo.\n\n  \
         Be the customer:  {origin}/\n\n  \
         administrator  {administrator}\n  ada (agent)    {ada}\n  ben (agent)    {ben}\n  \
         sue (superv.)  {sue}\n\n\
         Be the agent, in another terminal. Paste these two first:\n\n  \
         export URL={origin} ADA={ada} SUE={sue} ADMIN={administrator}\n  \
         as() {{ local who=$1; shift; \
         curl -sS -H \"Authorization: Bearer $who\" \"$@\"; echo; }}\n\n\
         Then, step by step (take C from the list):\n\n"
    );
    for (what, line) in STEPS {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  # {what}\n  {line}");
    }
    text.push('\n');
    text
}

const STEPS: [(&str, &str); 10] = [
    (
        "be available, and hear what happens while this stays open",
        "as $ADA -X PUT $URL/v1/agents/me/presence -d '{\"presence\":\"available\"}'; \
         as $ADA -N $URL/v1/agents/me/feed",
    ),
    ("who waits, and who is with me", "as $ADA $URL/v1/conversations"),
    (
        "remember one",
        "C=$(as $ADA $URL/v1/conversations | grep -o '\"id\":\"[^\"]*' | head -1 | cut -d'\"' -f4)",
    ),
    ("take the chat", "as $ADA -X POST $URL/v1/conversations/$C/accept"),
    (
        "say something",
        "as $ADA $URL/v1/conversations/$C/messages \
         -d '{\"id\":\"m1\",\"text\":\"Hello, how can I help?\"}'",
    ),
    ("end the chat", "as $ADA -X POST $URL/v1/conversations/$C/end"),
    ("close it, when the notes are done", "as $ADA -X POST $URL/v1/conversations/$C/close"),
    ("read along", "as $ADA \"$URL/v1/conversations/$C/transcript?audience=agent\""),
    ("why is it in this state?", "as $ADA $URL/v1/conversations/$C/timeline"),
    (
        "hold an away customer for 20 s instead of 180 s",
        "as $ADMIN -X PUT $URL/v1/workstreams/demo \
         -d '{\"queue\":\"demo\",\"window_s\":20,\"heartbeat_s\":5}'",
    ),
];

/// One of the words above.
fn fixed<T: FromStr>(id: &str) -> T {
    id.parse().unwrap_or_else(|_| unreachable!("{id} is a plain word"))
}

fn display_name(name: &str) -> DisplayName {
    DisplayName::parse(name).unwrap_or_else(|_| unreachable!("{name} is a short name"))
}
