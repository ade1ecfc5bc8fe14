//! What `--demo` sets up, so that a chat can be tried a minute after the first start: one queue,
//! one workstream, one widget, two agents and a supervisor. Only what is missing is made. The demo
//! ends, with everything that lets its people in, once there is another agent to answer.

mod greeting;
mod people;

use std::str::FromStr;

use crate::demo::people::UNITS;
use crate::domain::id::{AgentId, QueueId, WidgetId, WorkstreamId};
use crate::domain::settings::registry::{Registry, SettingChange, Token, TokenDigest};
use crate::domain::settings::{
    ANY_ORIGIN, AgentSettings, QueueSettings, Role, WidgetSettings, Workstream,
};
use crate::domain::text::DisplayName;
use crate::domain::time::Timestamp;

pub use crate::demo::greeting::{Keys, Told, plain, welcome};
pub use crate::demo::people::PEOPLE;

/// The id of the demo's queue, workstream and widget.
pub const DEMO: &str = "demo";

/// Whether nothing at all is set up, so that a demo can do no harm.
pub fn is_wanted(settings: &Registry) -> bool {
    settings.workstreams.is_empty()
        && settings.queues.is_empty()
        && settings.widgets.is_empty()
        && settings.agents.is_empty()
}

/// Whether there is an agent who is not of the demo.
pub fn has_company(settings: &Registry) -> bool {
    let is_of_it = |agent: &AgentId| PEOPLE.iter().any(|(id, _, _)| *id == agent.as_str());
    !settings.agents.keys().all(is_of_it)
}

/// Whether any of the demo's people is let in with the token that the demo has made for them.
/// `tokens` are the digests of these tokens, each with the id of its agent.
pub fn is_there(settings: &Registry, tokens: &[(AgentId, TokenDigest)]) -> bool {
    tokens.iter().any(|(agent, digest)| is_of(settings, agent, digest))
}

fn is_of(settings: &Registry, agent: &AgentId, digest: &TokenDigest) -> bool {
    settings.tokens.get(digest).is_some_and(|token| token.agent == *agent)
}

/// The changes that end the demo, so that its tokens let nobody in. Its people are removed with
/// them. A person whom somebody has changed, or made another token for, stays without the demo's
/// token. The queue, the workstream and the widget stay, too: customers may be using them.
pub fn ending(settings: &Registry, tokens: &[(AgentId, TokenDigest)]) -> Vec<SettingChange> {
    let mut changes = Vec::new();
    for (id, name, role) in PEOPLE {
        let made = person(id, name, role);
        let agent = made.id.clone();
        let own = tokens
            .iter()
            .filter(|(holder, digest)| *holder == agent && is_of(settings, holder, digest));
        let own: Vec<_> = own.map(|(_, digest)| *digest).collect();
        let has_others = settings.tokens_of(&agent).any(|(digest, _)| !own.contains(digest));
        let is_unchanged = settings.agents.get(&agent).is_some_and(|found| **found == made);
        if own.is_empty() {
            continue;
        }
        if is_unchanged && !has_others {
            changes.push(SettingChange::DeleteAgent(agent));
        } else {
            changes.extend(own.into_iter().map(SettingChange::EndToken));
        }
    }
    changes
}

fn person(id: &str, name: &str, role: Role) -> AgentSettings {
    AgentSettings { id: fixed(id), name: display_name(name), role, units: UNITS }
}

/// The changes that make what is missing of the demo, in an order in which each keeps the rules.
/// `tokens` are the digests of the tokens of [`PEOPLE`], in their order.
pub fn changes(
    settings: &Registry,
    tokens: [TokenDigest; PEOPLE.len()],
    now: Timestamp,
) -> Vec<SettingChange> {
    let mut changes = Vec::new();
    for ((id, name, role), digest) in PEOPLE.into_iter().zip(tokens) {
        let agent: AgentId = fixed(id);
        if !settings.agents.contains_key(&agent) {
            changes.push(SettingChange::PutAgent(person(id, name, role)));
        }
        if !settings.tokens.contains_key(&digest) {
            changes.push(SettingChange::AddToken { digest, token: Token::new(agent, now) });
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
        let origins = vec![ANY_ORIGIN.into()];
        let settings = WidgetSettings { id: widget, workstream, origins, admission: None };
        changes.push(SettingChange::PutWidget(settings));
    }
    changes
}

/// The value of one of the plain words above.
fn fixed<T: FromStr>(id: &str) -> T {
    id.parse().unwrap_or_else(|_| unreachable!("{id} is a plain word"))
}

fn display_name(name: &str) -> DisplayName {
    DisplayName::parse(name).unwrap_or_else(|_| unreachable!("{name} is a short name"))
}
