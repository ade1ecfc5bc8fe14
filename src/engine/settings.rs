//! How a change of the settings comes into force: checked, written, and then told to whom it
//! concerns.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use actix::Actor;
use tokio::sync::oneshot;

use crate::domain::agent::Agent;
use crate::domain::agent::command::AgentCommand;
use crate::domain::id::{AgentId, QueueId};
use crate::domain::settings::registry::{Registry, SettingChange};
use crate::domain::settings::{AgentSettings, Workstream};
use crate::domain::time::Timestamp;
use crate::engine::agent::AgentActor;
use crate::engine::message::{ToAgent, ToConversation, ToQueue};
use crate::engine::queue::QueueActor;
use crate::engine::shared::Shared;
use crate::engine::{Engine, Failure};
use crate::journal::{Append, Fault};

impl Engine {
    /// Changes the settings. Durable and in force when it returns.
    pub async fn change(&self, change: SettingChange) -> Result<(), Failure> {
        // One change at a time, so that each is checked against what is in force.
        let _one_at_a_time = self.shared.changing.lock().await;
        let before = self.settings();
        before.check(&change)?;
        let (done, written) = oneshot::channel();
        self.shared.journal.append(Append::Setting {
            change: Box::new(change.clone()),
            at: self.now(),
            done,
        });
        written.await.unwrap_or(Err(Fault::Closed))?;
        let mut after = Registry::clone(&before);
        after.apply(change);
        let after = Arc::new(after);
        self.shared.settings.store(after.clone());
        self.shared.follow(&before, &after);
        Ok(())
    }
}

impl Shared {
    /// Starts, tells and dismisses agents and queues, so that they are as the settings say.
    pub(super) fn follow(self: &Arc<Self>, before: &Registry, after: &Registry) {
        self.follow_from(before, after, self.clock.now());
    }

    /// The same, where whoever is new can be heard of from `since`.
    pub(super) fn follow_from(
        self: &Arc<Self>,
        before: &Registry,
        after: &Registry,
        since: Timestamp,
    ) {
        for id in before.queues.keys().filter(|id| !after.queues.contains_key(id)) {
            self.directory.tell_queue(id, ToQueue::Dismiss);
        }
        for id in after.queues.keys().filter(|id| !before.queues.contains_key(id)) {
            self.start_queue(id.clone());
        }
        self.follow_units(before, after);
        for id in before.agents.keys().filter(|id| !after.agents.contains_key(id)) {
            self.directory.tell_agent(id, ToAgent::Dismiss);
        }
        for (id, settings) in &after.agents {
            match before.agents.get(id) {
                None => self.start_agent(settings.clone(), after, since),
                Some(old) => {
                    if old != settings {
                        let configure = AgentCommand::Configure(settings.clone());
                        self.directory.tell_agent(id, ToAgent::Command(configure));
                    }
                    let queues: BTreeSet<_> = after.queues_of(id).collect();
                    if before.queues_of(id).collect::<BTreeSet<_>>() != queues {
                        let queues = queues.into_iter().cloned().collect();
                        self.directory.tell_agent(id, ToAgent::Serve(queues));
                    }
                }
            }
        }
    }

    /// Has those who wait say again how many units they take, where that has changed.
    fn follow_units(&self, before: &Registry, after: &Registry) {
        let has_changed = |workstream: &Workstream| {
            let old = before.workstreams.get(&workstream.id);
            old.is_some_and(|old| old.units != workstream.units)
        };
        if after.workstreams.values().any(|workstream| has_changed(workstream)) {
            for id in self.directory.conversation_ids() {
                self.directory.tell_live(id, ToConversation::StateClaims);
            }
        }
    }

    /// Starts the actor of a queue, empty.
    pub(super) fn start_queue(self: &Arc<Self>, id: QueueId) {
        let waiting = Arc::new(AtomicUsize::new(0));
        let (shared, name, counter) = (self.clone(), id.clone(), waiting.clone());
        let address = QueueActor::start_in_arbiter(&self.threads.of_name(id.as_str()), move |_| {
            QueueActor::new(shared, name, counter)
        });
        self.directory.enter_queue(id, address, waiting);
    }

    /// Starts the actor of an agent, who can be heard of from `since`, and is offline until then.
    pub(super) fn start_agent(
        self: &Arc<Self>,
        settings: Arc<AgentSettings>,
        registry: &Registry,
        since: Timestamp,
    ) {
        let id = settings.id.clone();
        let chosen = self.presences.get(&id).map(|chosen| *chosen);
        let agent = Agent::new(settings, chosen, since);
        let queues = registry.queues_of(&id).cloned().collect();
        let shared = self.clone();
        let arbiter = self.threads.of_name(id.as_str());
        let address =
            AgentActor::start_in_arbiter(&arbiter, move |_| AgentActor::new(shared, agent, queues));
        self.directory.enter_agent(id, address);
    }

    /// Starts again whoever has died, and has everybody state what they claim of them.
    pub(super) fn revive(self: &Arc<Self>) {
        let settings = self.settings.load_full();
        let queues: Vec<&QueueId> =
            settings.queues.keys().filter(|id| !self.directory.has_queue(id)).collect();
        let agents: Vec<&AgentId> =
            settings.agents.keys().filter(|id| !self.directory.has_agent(id)).collect();
        if queues.is_empty() && agents.is_empty() {
            return;
        }
        tracing::error!(?queues, ?agents, "actors had died; they are started again");
        for id in &queues {
            self.metrics.reopened.inc();
            self.start_queue((*id).clone());
        }
        for id in agents {
            self.metrics.reopened.inc();
            if let Some(agent) = settings.agents.get(id) {
                self.start_agent(agent.clone(), &settings, self.clock.now());
            }
        }
        for id in settings.agents.keys() {
            let serves = settings.queues_of(id).cloned().collect();
            self.directory.tell_agent(id, ToAgent::Serve(serves));
        }
        for id in self.directory.conversation_ids() {
            self.directory.tell_live(id, ToConversation::StateClaims);
        }
    }
}
