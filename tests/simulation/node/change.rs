//! How a change of the settings comes into force in a simulated node: one at a time, it is checked,
//! written, and then told to the actors that it concerns. An actor that is made anew hears every
//! conversation's claims before it acts.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use holdline::behavior::message::{ToAgent, ToConversation, ToQueue};
use holdline::behavior::queue;
use holdline::domain::agent::command::AgentCommand;
use holdline::domain::conversation::command::Answer;
use holdline::domain::id::{AgentId, ConversationId, QueueId, WorkstreamId};
use holdline::domain::queue::QueueCommand;
use holdline::domain::settings::registry::{Registry, SettingChange};
use holdline::domain::settings::{AgentSettings, Workstream};

use crate::node::disk::{Append, What};
use crate::node::mail::{Mail, Party};
use crate::node::questions::Asker;
use crate::node::timers::Actor;
use crate::node::{Node, desk};
use crate::server::{Seen, Ticket};

/// The changes that are being made.
#[derive(Debug, Default)]
pub struct Changes {
    waiting: VecDeque<(SettingChange, Ticket)>,
    now: Option<Stage>,
    hearings: Vec<Hearing>,
    /// The number of the hearing of a start at which the actor of a chat has died.
    start: Option<u64>,
    /// How many live chats depend on what the change would take away.
    pub counted: u64,
}

/// The stage of the one change that is being made.
#[derive(Debug)]
enum Stage {
    Counting(SettingChange, Ticket),
    Writing(Ticket),
    Dismissing(Ticket),
}

/// Actors that were made anew, and wait until every conversation has stated its claims.
#[derive(Debug)]
struct Hearing {
    number: u64,
    anew: MadeAnew,
    /// Set once every conversation was heard: how often each thread will have sent mail when all
    /// that it has gathered by then is sent.
    behind: Option<Vec<u64>>,
}

/// Actors of queues and agents that hear all claims before they act.
#[derive(Clone, Debug, Default)]
pub struct MadeAnew {
    queues: Vec<(QueueId, u64)>,
    agents: Vec<(AgentId, u64)>,
}

impl Changes {
    /// Whether no change is being made, and no new actor waits for claims.
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
    /// Asks for a change, which waits for all earlier ones.
    pub(super) fn ask_change(&mut self, change: SettingChange, ticket: Ticket) {
        self.changes.waiting.push_back((change, ticket));
        self.go_on();
    }

    /// Goes on with the changes, and with new actors that have heard all claims.
    pub(super) fn go_on(&mut self) {
        let (questions, threads) = (&self.questions, &self.threads);
        let is_heard = |hearing: &mut Hearing| {
            let waits =
                |asker: &Asker| matches!(asker, Asker::Hearing(it, _) if *it == hearing.number);
            if questions.any(waits) {
                return false;
            }
            // Threads send later what they have gathered for queues and agents, so wait for that.
            let behind = hearing.behind.get_or_insert_with(|| threads.behind_mail());
            threads.have_sent(behind)
        };
        let heard: Vec<_> = self.changes.hearings.extract_if(.., is_heard).collect();
        for Hearing { anew, .. } in heard {
            self.all_heard(anew);
        }
        loop {
            match self.changes.now.take() {
                None => {
                    let Some((change, ticket)) = self.changes.waiting.pop_front() else { return };
                    self.begin(change, ticket);
                }
                Some(Stage::Counting(change, ticket))
                    if !self.questions.any(|it| matches!(it, Asker::Census(_))) =>
                {
                    self.counted(change, ticket);
                }
                Some(Stage::Dismissing(ticket))
                    if !self.questions.any(|it| matches!(it, Asker::Dismissal)) =>
                {
                    self.seen.push(Seen::Answered(ticket, Ok(Answer::Done)));
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
        self.changes.counted = 0;
        if let Some(setting) = change.takes_away() {
            for id in self.live() {
                let request = self.questions.ask(Asker::Census(id));
                self.tell_live(id, ToConversation::BeCounted(setting.clone(), request));
            }
        }
        self.changes.now = Some(Stage::Counting(change, ticket));
    }

    /// Every conversation was counted. A setting that is in use stays.
    fn counted(&mut self, change: SettingChange, ticket: Ticket) {
        if self.changes.counted > 0 {
            return self.seen.push(Seen::Answered(ticket, Err("in_use".to_owned())));
        }
        let what = What::Setting(change, ticket);
        let append = Append { appended: self.now, at: self.clock(), what, origin: None };
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
        self.dismiss(&before, &after);
        let anew = self.follow(&before, &after);
        self.have_heard(anew);
        self.changes.now = Some(Stage::Dismissing(ticket));
    }

    fn dismiss(&mut self, before: &Registry, after: &Registry) {
        for id in before.queues.keys().filter(|id| !after.queues.contains_key(id)) {
            if let Some(epoch) = self.lines.remove(id) {
                let dismiss = ToQueue::Dismiss(self.questions.ask(Asker::Dismissal));
                let mail = Mail::Queue(queue::Input::Told(dismiss));
                self.send(Party::Queue(id.clone(), epoch), mail);
            }
        }
        for id in before.agents.keys().filter(|id| !after.agents.contains_key(id)) {
            let epoch = self.desks.get(id).copied();
            if !self.rules.leaves_late() {
                self.desks.remove(id);
            }
            if let Some(epoch) = epoch {
                let dismiss = ToAgent::Dismiss(self.questions.ask(Asker::Dismissal));
                let mail = Mail::Agent(desk::Input::Told(dismiss));
                self.send(Party::Agent(id.clone(), epoch), mail);
            }
        }
    }

    /// Starts and tells agents and queues, so that they match the settings. Returns the new actors.
    pub(super) fn follow(&mut self, before: &Registry, after: &Registry) -> MadeAnew {
        let is_new = |id: &&QueueId| !before.queues.contains_key(id);
        let mut anew = MadeAnew::default();
        for id in after.queues.keys().filter(is_new) {
            self.minted += 1;
            self.lines.insert(id.clone(), self.minted);
            let made = queue::Behavior::hearing(self.clock());
            self.queues.insert((id.clone(), self.minted), Actor::new(made));
            anew.queues.push((id.clone(), self.minted));
        }
        let same = |(id, workstream): (&WorkstreamId, &Arc<Workstream>)| {
            before.workstreams.get(id).is_none_or(|old| old.units == workstream.units)
        };
        if !after.workstreams.iter().all(same) {
            for id in self.live() {
                self.tell_live(id, ToConversation::StateClaims(None));
            }
        }
        for (id, settings) in &after.agents {
            let Some(old) = before.agents.get(id) else {
                let epoch = self.start_agent(id, settings, after);
                anew.agents.push((id.clone(), epoch));
                continue;
            };
            if old != settings {
                let configure = AgentCommand::Configure(settings.clone());
                self.tell_agent(id, ToAgent::Command(configure));
            }
            let queues: BTreeSet<_> = after.queues_of(id).collect();
            if before.queues_of(id).collect::<BTreeSet<_>>() != queues {
                self.tell_agent(id, ToAgent::Serve(queues.into_iter().cloned().collect()));
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
        let settings = self.doors.settings_of_agent(settings.clone());
        let queues = registry.queues_of(id).cloned().collect();
        let desk = desk::hearing(settings, chosen, queues, self.disk.history, self.clock());
        self.minted += 1;
        let epoch = self.minted;
        self.desks.insert(id.clone(), epoch);
        self.agents.insert((id.clone(), epoch), Actor::new(desk));
        self.turn_agent((id.clone(), epoch), desk::Input::Begin);
        epoch
    }

    /// Has every conversation state its claims to queues and agents that were made anew, and tells
    /// those actors when all have.
    pub(super) fn have_heard(&mut self, anew: MadeAnew) {
        if anew.queues.is_empty() && anew.agents.is_empty() {
            return;
        }
        let number = self.ask_for_claims();
        if self.rules.hears_too_soon() {
            return self.all_heard(anew);
        }
        self.changes.hearings.push(Hearing { number, anew, behind: None });
    }

    /// The same at a start, at which every conversation has stated its claims by itself. If the
    /// actor of one has died in its first turn, all are asked, and nobody comes in before they have
    /// answered.
    pub(super) fn have_heard_at_start(&mut self, anew: MadeAnew) {
        let number = if self.dead.is_empty() {
            self.minted += 1;
            self.minted
        } else {
            self.ask_for_claims()
        };
        self.changes.start = Some(number);
        self.changes.hearings.push(Hearing { number, anew, behind: None });
    }

    /// Whether a conversation is still asked for its claims because its start has lost them.
    pub(super) fn is_starting(&self) -> bool {
        let start = self.changes.start;
        let asks =
            |asker: &Asker| matches!(asker, Asker::Hearing(number, _) if Some(*number) == start);
        !self.rules.lets_in_early() && self.questions.any(asks)
    }

    /// Asks every conversation for its claims. Returns the number of the hearing.
    fn ask_for_claims(&mut self) -> u64 {
        self.minted += 1;
        let number = self.minted;
        let asked = self.live().into_iter().filter(|_| !self.rules.forgets_claims());
        for id in asked.collect::<Vec<_>>() {
            let request = self.questions.ask(Asker::Hearing(number, id));
            self.tell_live(id, ToConversation::StateClaims(Some(request)));
        }
        number
    }

    /// A conversation's actor died with the question: it is opened again, and asked again.
    pub(super) fn ask_again(&mut self, id: ConversationId, asker: Asker) {
        if !self.directory.contains_key(&id) {
            return;
        }
        let counted = match (&asker, &self.changes.now) {
            (Asker::Census(_), Some(Stage::Counting(change, _))) => change.takes_away(),
            _ => None,
        };
        let request = self.questions.ask(asker);
        self.tell_live(
            id,
            match counted {
                Some(setting) => ToConversation::BeCounted(setting, request),
                None => ToConversation::StateClaims(Some(request)),
            },
        );
    }

    fn live(&self) -> Vec<ConversationId> {
        self.directory.keys().copied().collect()
    }

    /// Tells the actors that waited for it, even if other actors have their names by now.
    fn all_heard(&mut self, anew: MadeAnew) {
        let names_alone = self.rules.hears_by_name();
        for (id, epoch) in anew.queues {
            let epoch = self.lines.get(&id).copied().filter(|_| names_alone).unwrap_or(epoch);
            let all_heard = ToQueue::Command(QueueCommand::AllHeard);
            self.send(Party::Queue(id, epoch), Mail::Queue(queue::Input::Told(all_heard)));
        }
        for (id, epoch) in anew.agents {
            let epoch = self.desks.get(&id).copied().filter(|_| names_alone).unwrap_or(epoch);
            let all_heard = ToAgent::Command(AgentCommand::AllHeard);
            self.send(Party::Agent(id, epoch), Mail::Agent(desk::Input::Told(all_heard)));
        }
    }
}
