//! How a change of the settings comes into force: checked, written, and then told to the actors
//! that it concerns.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use actix::{Actor, Addr};
use tokio::sync::oneshot;

use crate::behavior::message::{ToAgent, ToConversation};
use crate::domain::agent::Agent;
use crate::domain::agent::command::AgentCommand;
use crate::domain::id::{AgentId, QueueId};
use crate::domain::settings::registry::{Registry, SettingChange, SettingRefusal};
use crate::domain::settings::{AgentSettings, Workstream};
use crate::domain::time::Timestamp;
use crate::engine::agent::AgentActor;
use crate::engine::answers::AskedTogether;
use crate::engine::failure::Failure;
use crate::engine::post::Post as _;
use crate::engine::queue::QueueActor;
use crate::engine::requests::Engine;
use crate::engine::requests::census::MadeAnew;
use crate::journal::{Append, Fault};

impl Engine {
    /// Changes the settings for the server itself: nobody has asked for it. Otherwise as
    /// [`change_by`](Self::change_by).
    pub async fn change(&self, change: SettingChange) -> Result<(), Failure> {
        self.make(change, None).await
    }

    /// Changes the settings in the name of the caller. When it returns, the change is durable and
    /// in force, and no actor of an agent or queue that it removed acts any more.
    pub async fn change_by(&self, by: AgentId, change: SettingChange) -> Result<(), Failure> {
        self.make(change, Some(by)).await
    }

    async fn make(&self, change: SettingChange, by: Option<AgentId>) -> Result<(), Failure> {
        let engine = self.clone();
        // The caller may go away meanwhile: the change is not left on the disk and out of force.
        let changing = actix::spawn(async move { engine.put_in_force(change, by).await });
        changing.await.unwrap_or(Err(Failure::Unavailable))
    }

    async fn put_in_force(
        &self,
        change: SettingChange,
        by: Option<AgentId>,
    ) -> Result<(), Failure> {
        let shared = self.shared();
        // One change at a time, so that each is checked against what is in force.
        let _one_at_a_time = shared.changing.lock().await;
        let before = shared.settings.load_full();
        before.check(&change)?;
        let chats = self.count_chats_under(&change).await;
        if chats > 0 {
            let plural = if chats == 1 { "" } else { "s" };
            return Err(SettingRefusal::InUse(format!("{chats} live chat{plural}")).into());
        }
        let (done, written) = oneshot::channel();
        let at = shared.clock.now();
        shared.journal.append(Append::Setting { change: Box::new(change.clone()), by, at, done });
        written.await.unwrap_or(Err(Fault::Closed))?;
        let notes_a_use = matches!(change, SettingChange::NoteTokenUse { .. });
        let is_of_a_token = change.is_of_a_token();
        let mut after = Registry::clone(&before);
        after.apply(change);
        let after = Arc::new(after);
        shared.settings.store(after.clone());
        if notes_a_use {
            // It takes nothing from anybody, and comes once a day for each token.
            return Ok(());
        }
        shared.tokens.follow(&after);
        if is_of_a_token {
            return Ok(());
        }
        let dismissed = shared.answers.ask_together();
        self.dismiss(&before, &after, &dismissed);
        let anew = self.follow_from(&before, &after, shared.clock.now());
        self.have_heard(anew);
        // Otherwise one that is put again at once would be mixed up with one that has not gone yet.
        dismissed.all_answered().await;
        Ok(())
    }

    /// Dismisses the agents and queues that the settings do not have any more.
    fn dismiss(&self, before: &Registry, after: &Registry, dismissed: &AskedTogether) {
        for id in before.queues.keys().filter(|id| !after.queues.contains_key(id)) {
            self.directory().dismiss_queue(id, dismissed.one_more());
        }
        for id in before.agents.keys().filter(|id| !after.agents.contains_key(id)) {
            self.directory().dismiss_agent(id, dismissed.one_more());
        }
    }

    /// Starts and tells agents and queues, so that they are as the settings say. New agents can be
    /// heard of from `since`. Returns those that are new and still have to hear all conversations.
    pub(in crate::engine) fn follow_from(
        &self,
        before: &Registry,
        after: &Registry,
        since: Timestamp,
    ) -> MadeAnew {
        let is_new = |id: &&QueueId| !before.queues.contains_key(id);
        let mut anew = MadeAnew::default();
        for id in after.queues.keys().filter(is_new) {
            anew.queues.push(self.start_queue(id.clone()));
        }
        self.follow_waiting(before, after);
        for (id, settings) in &after.agents {
            match before.agents.get(id) {
                None => {
                    anew.agents.push(self.start_agent(settings.clone(), after, since));
                }
                Some(old) => {
                    if old != settings {
                        let configure = AgentCommand::Configure(settings.clone());
                        self.directory().tell_agent(id, ToAgent::Command(configure));
                    }
                    let queues: BTreeSet<_> = after.queues_of(id).collect();
                    if before.queues_of(id).collect::<BTreeSet<_>>() != queues {
                        let queues = queues.into_iter().cloned().collect();
                        self.directory().tell_agent(id, ToAgent::Serve(queues));
                    }
                }
            }
        }
        anew
    }

    /// Has every conversation state again how it waits, where a workstream has changed that: how
    /// many units it takes, and whether it is offered while its customer is away.
    fn follow_waiting(&self, before: &Registry, after: &Registry) {
        let has_changed = |workstream: &Workstream| {
            let old = before.workstreams.get(&workstream.id);
            old.is_some_and(|old| {
                (old.units, old.offers_absent) != (workstream.units, workstream.offers_absent)
            })
        };
        if after.workstreams.values().any(|workstream| has_changed(workstream)) {
            for id in self.directory().conversation_ids() {
                self.directory().tell_live(id, ToConversation::StateClaims(None));
            }
        }
    }

    /// Starts the actor of an empty queue, which hears every conversation before it serves any.
    fn start_queue(&self, id: QueueId) -> Addr<QueueActor> {
        let waiting = Arc::new(AtomicUsize::new(0));
        let (shared, name, counter) = (self.shared().clone(), id.clone(), waiting.clone());
        let address =
            QueueActor::start_in_arbiter(&self.shared().threads.of_name(id.as_str()), move |_| {
                QueueActor::new(shared, name, counter)
            });
        self.directory().enter_queue(id, address.clone(), waiting);
        address
    }

    /// Starts the actor of an agent, who can be heard of from `since`, and is offline until then.
    /// They hear every conversation before they are given work.
    fn start_agent(
        &self,
        settings: Arc<AgentSettings>,
        registry: &Registry,
        since: Timestamp,
    ) -> Addr<AgentActor> {
        let id = settings.id.clone();
        let chosen = self.shared().presences.get(&id).map(|chosen| *chosen);
        let agent = Agent::hearing(settings, chosen, since);
        let queues = registry.queues_of(&id).cloned().collect();
        let shared = self.shared().clone();
        let arbiter = self.shared().threads.of_name(id.as_str());
        let address =
            AgentActor::start_in_arbiter(&arbiter, move |_| AgentActor::new(shared, agent, queues));
        self.directory().enter_agent(id, address.clone());
        address
    }

    /// Starts dead actors of queues and agents again, and has every conversation state its claims
    /// on them.
    pub(in crate::engine) fn revive(&self) {
        // An actor that is missing while a change is made may be about to start, or to go.
        let Ok(_nothing_changes) = self.shared().changing.try_lock() else { return };
        let settings = self.settings();
        let has_died = |id: &&QueueId| !self.directory().has_queue(id);
        let queues: Vec<_> = settings.queues.keys().filter(has_died).cloned().collect();
        let has_died = |id: &&AgentId| !self.directory().has_agent(id);
        let agents: Vec<_> = settings.agents.keys().filter(has_died).cloned().collect();
        if queues.is_empty() && agents.is_empty() {
            return;
        }
        tracing::error!(
            ?queues,
            ?agents,
            "actors of queues and agents had died: they are started again"
        );
        let mut anew = MadeAnew::default();
        for id in queues {
            self.shared().metrics.reopened.inc();
            anew.queues.push(self.start_queue(id));
        }
        for agent in agents.iter().filter_map(|id| settings.agents.get(id)) {
            self.shared().metrics.reopened.inc();
            anew.agents.push(self.start_agent(agent.clone(), &settings, self.now()));
        }
        for id in settings.agents.keys() {
            let serves = settings.queues_of(id).cloned().collect();
            self.directory().tell_agent(id, ToAgent::Serve(serves));
        }
        self.have_heard(anew);
    }
}
