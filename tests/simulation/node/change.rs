//! How a change of the settings comes into force in a simulated node: one at a time, checked,
//! written, and then told to whom it concerns. Whoever is made anew is heard to by everybody before
//! they act.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use holdline::behavior::queue;
use holdline::domain::agent::Agent;
use holdline::domain::agent::command::AgentCommand;
use holdline::domain::conversation::event::Opening;
use holdline::domain::id::{AgentId, QueueId, WorkstreamId};
use holdline::domain::queue::QueueCommand;
use holdline::domain::settings::registry::{Registry, SettingChange};
use holdline::domain::settings::{AgentSettings, Workstream};

use crate::node::Node;
use crate::node::desk::Desk;
use crate::node::disk::{Append, What};
use crate::node::mail::{Mail, Party};
use crate::server::{Seen, Ticket};

/// Held by everybody who was asked, until they have done it.
#[derive(Clone, Debug, Default)]
pub struct Outstanding(Arc<()>);

impl Outstanding {
    /// Whether everybody else has.
    fn is_all_done(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

/// How many live chats go by what a change would take away.
#[derive(Debug)]
pub struct Census {
    change: SettingChange,
    found: AtomicU64,
}

impl Census {
    /// Counts a live chat that began like this.
    pub fn count(&self, opening: &Opening) {
        if matches!(&self.change, SettingChange::DeleteQueue(id) if *id == opening.queue) {
            self.found.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The changes that are being made.
#[derive(Debug, Default)]
pub struct Changes {
    waiting: VecDeque<(SettingChange, Ticket)>,
    now: Option<Stage>,
    hearings: Vec<Hearing>,
    /// By whose actor each presence was chosen that is being written.
    pub choosing: BTreeMap<Ticket, u64>,
}

/// What has become of the one change that is being made.
#[derive(Debug)]
enum Stage {
    Counting(Arc<Census>, Ticket),
    Writing(Ticket),
    Dismissing(Outstanding, Ticket),
}

/// Somebody who was made anew, and waits until every conversation was heard.
#[derive(Debug)]
struct Hearing {
    outstanding: Outstanding,
    anew: MadeAnew,
}

/// Actors of queues and agents that hear all claims before they act.
#[derive(Clone, Debug, Default)]
pub struct MadeAnew {
    queues: Vec<(QueueId, u64)>,
    agents: Vec<(AgentId, u64)>,
}

impl Changes {
    /// Whether none is being made, and everybody was heard.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.now.is_none() && self.hearings.is_empty()
    }

    /// A write has failed.
    pub fn refused(&mut self, ticket: Ticket) {
        if matches!(self.now, Some(Stage::Writing(it)) if it == ticket) {
            self.now = None;
        }
    }
}

impl Node {
    /// Asks for a change, which waits for those that were asked for before.
    pub(super) fn ask_change(&mut self, change: SettingChange, ticket: Ticket) {
        self.changes.waiting.push_back((change, ticket));
        self.go_on();
    }

    /// Goes on with the changes, and with whoever was heard.
    pub(super) fn go_on(&mut self) {
        let (heard, still): (Vec<_>, _) = std::mem::take(&mut self.changes.hearings)
            .into_iter()
            .partition(|hearing| hearing.outstanding.is_all_done());
        self.changes.hearings = still;
        for Hearing { anew, .. } in heard {
            self.all_heard(anew);
        }
        loop {
            match self.changes.now.take() {
                None => {
                    let Some((change, ticket)) = self.changes.waiting.pop_front() else { return };
                    self.begin(change, ticket);
                }
                Some(Stage::Counting(census, ticket)) if Arc::strong_count(&census) == 1 => {
                    self.counted(&census, ticket);
                }
                Some(Stage::Dismissing(until_gone, ticket)) if until_gone.is_all_done() => {
                    self.answer(ticket, true);
                }
                Some(stage) => {
                    self.changes.now = Some(stage);
                    return;
                }
            }
        }
    }

    fn begin(&mut self, change: SettingChange, ticket: Ticket) {
        if let Err(refusal) = self.settings.check(&change) {
            let refused = Err(refusal.code().to_owned());
            return self.seen.push(Seen::Answered(ticket, refused));
        }
        let census = Arc::new(Census { change, found: AtomicU64::new(0) });
        if matches!(census.change, SettingChange::DeleteQueue(_)) {
            for (id, epoch) in self.directory.clone() {
                self.send(Party::Chat(id, epoch), Mail::BeCounted(census.clone()));
            }
        }
        self.changes.now = Some(Stage::Counting(census, ticket));
    }

    /// Everybody was counted: what is in use stays.
    fn counted(&mut self, census: &Census, ticket: Ticket) {
        if census.found.load(Ordering::Relaxed) > 0 {
            return self.seen.push(Seen::Answered(ticket, Err("in_use".to_owned())));
        }
        let what = What::Setting(census.change.clone(), ticket);
        let append = Append { appended: self.now, at: self.clock(), what };
        self.disk.append(append).expect("only a conversation must continue anything");
        self.changes.now = Some(Stage::Writing(ticket));
    }

    /// A change is durable, and comes into force.
    pub(super) fn changed(&mut self, change: SettingChange, ticket: Ticket) {
        let before = self.settings.clone();
        let mut after = Registry::clone(&before);
        after.apply(change);
        let after = Arc::new(after);
        self.settings = after.clone();
        let until_gone = Outstanding::default();
        self.dismiss(&before, &after, &until_gone);
        let anew = self.follow(&before, &after);
        self.have_heard(anew);
        self.changes.now = Some(Stage::Dismissing(until_gone, ticket));
    }

    fn dismiss(&mut self, before: &Registry, after: &Registry, until_gone: &Outstanding) {
        for id in before.queues.keys().filter(|id| !after.queues.contains_key(id)) {
            if let Some(epoch) = self.lines.remove(id) {
                self.send(Party::Queue(id.clone(), epoch), Mail::Dismiss(until_gone.clone()));
            }
        }
        for id in before.agents.keys().filter(|id| !after.agents.contains_key(id)) {
            let epoch = self.desks.get(id).copied();
            if !self.rules.leaves_late() {
                self.desks.remove(id);
            }
            if let Some(epoch) = epoch {
                self.send(Party::Agent(id.clone(), epoch), Mail::Dismiss(until_gone.clone()));
            }
        }
    }

    /// Starts and tells agents and queues, so that they are as the settings say. Gives who is new.
    pub(super) fn follow(&mut self, before: &Registry, after: &Registry) -> MadeAnew {
        let is_new = |id: &&QueueId| !before.queues.contains_key(id);
        let mut anew = MadeAnew::default();
        for id in after.queues.keys().filter(is_new) {
            self.minted += 1;
            self.lines.insert(id.clone(), self.minted);
            let made = queue::Behavior::hearing(self.clock());
            self.queues.insert((id.clone(), self.minted), made);
            anew.queues.push((id.clone(), self.minted));
        }
        let same = |(id, workstream): (&WorkstreamId, &Arc<Workstream>)| {
            before.workstreams.get(id).is_none_or(|old| old.units == workstream.units)
        };
        if !self.rules.ignores_units() && !after.workstreams.iter().all(same) {
            for (id, epoch) in self.directory.clone() {
                self.send(Party::Chat(id, epoch), Mail::StateClaims(None));
            }
        }
        for (id, settings) in &after.agents {
            let Some(old) = before.agents.get(id) else {
                let epoch = self.start_agent(id, settings, after);
                anew.agents.push((id.clone(), epoch));
                continue;
            };
            if old != settings {
                self.tell_agent(id, Mail::Configure(settings.clone()));
            }
            let queues: BTreeSet<_> = after.queues_of(id).collect();
            if before.queues_of(id).collect::<BTreeSet<_>>() != queues {
                self.tell_agent(id, Mail::Serve(queues.into_iter().cloned().collect()));
            }
        }
        anew
    }

    fn start_agent(
        &mut self,
        id: &AgentId,
        settings: &Arc<AgentSettings>,
        registry: &Registry,
    ) -> u64 {
        let chosen = self.disk.presences.get(id).copied();
        let agent = Agent::hearing(settings.clone(), chosen, self.clock());
        self.minted += 1;
        let epoch = self.minted;
        let desk = Desk::new(epoch, agent, registry.queues_of(id).cloned().collect());
        self.desks.insert(id.clone(), epoch);
        desk.started(self);
        self.agents.insert((id.clone(), epoch), desk);
        epoch
    }

    /// Has everybody state their claims to queues and agents that were made anew, and tells those
    /// when all have.
    pub(super) fn have_heard(&mut self, anew: MadeAnew) {
        if anew.queues.is_empty() && anew.agents.is_empty() {
            return;
        }
        let outstanding = Outstanding::default();
        if !self.rules.forgets_claims() {
            for (id, epoch) in self.directory.clone() {
                let state = Mail::StateClaims(Some(outstanding.clone()));
                self.send(Party::Chat(id, epoch), state);
            }
        }
        if self.rules.hears_too_soon() {
            return self.all_heard(anew);
        }
        self.changes.hearings.push(Hearing { outstanding, anew });
    }

    /// Tells those who waited for it, not who has their name by now.
    fn all_heard(&mut self, anew: MadeAnew) {
        let names_alone = self.rules.hears_by_name();
        for (id, epoch) in anew.queues {
            let epoch = self.lines.get(&id).copied().filter(|_| names_alone).unwrap_or(epoch);
            self.send(Party::Queue(id, epoch), Mail::Queue(QueueCommand::AllHeard));
        }
        for (id, epoch) in anew.agents {
            let epoch = self.desks.get(&id).copied().filter(|_| names_alone).unwrap_or(epoch);
            self.send(Party::Agent(id, epoch), Mail::Agent(AgentCommand::AllHeard));
        }
    }
}
