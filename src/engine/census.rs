//! Asking every live conversation something, and knowing when all have done it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix::Addr;
use tokio::sync::{mpsc, oneshot};

use crate::domain::agent::command::AgentCommand;
use crate::domain::conversation::event::Opening;
use crate::domain::id::{QueueId, WidgetId, WorkstreamId};
use crate::domain::queue::QueueCommand;
use crate::domain::settings::registry::SettingChange;
use crate::engine::agent::AgentActor;
use crate::engine::directory::send;
use crate::engine::message::{ToAgent, ToConversation, ToQueue};
use crate::engine::queue::QueueActor;
use crate::engine::shared::Shared;

/// How many conversations are asked before any more are, so that what is asked takes little memory
/// however many there are.
const ASKED_AT_ONCE: usize = 10_000;

/// Held by everybody who was asked, until they have done it.
#[derive(Clone, Debug)]
pub(super) struct Outstanding {
    _held: mpsc::Sender<()>,
}

/// Comes when nothing is outstanding any more.
#[derive(Debug)]
pub(super) struct AllDone(mpsc::Receiver<()>);

pub(super) fn outstanding() -> (Outstanding, AllDone) {
    let (held, all) = mpsc::channel(1);
    (Outstanding { _held: held }, AllDone(all))
}

impl AllDone {
    pub(super) async fn come(mut self) {
        // Nothing is ever sent: this ends when the last sender is dropped.
        self.0.recv().await;
    }
}

/// Actors of queues and agents that hear all claims before they act. It is they who are told when
/// all were heard, not who has their name by then: that may be somebody who was made anew after
/// them, and has not heard all.
#[derive(Debug, Default)]
pub(super) struct MadeAnew {
    pub(super) queues: Vec<Addr<QueueActor>>,
    pub(super) agents: Vec<Addr<AgentActor>>,
}

/// A setting that live chats may go by.
#[derive(Debug)]
enum Setting {
    Queue(QueueId),
    Workstream(WorkstreamId),
    Widget(WidgetId),
}

/// How many live chats go by a setting.
#[derive(Debug)]
pub(super) struct Census {
    setting: Setting,
    found: AtomicU64,
}

impl Census {
    /// Counts a live chat that began like this.
    pub(super) fn count(&self, opening: &Opening) {
        let goes_by_it = match &self.setting {
            Setting::Queue(queue) => opening.queue == *queue,
            Setting::Workstream(workstream) => opening.workstream == *workstream,
            Setting::Widget(widget) => opening.widget == *widget,
        };
        if goes_by_it {
            self.found.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Setting {
    /// What a change would take away.
    fn taken_away_by(change: &SettingChange) -> Option<Self> {
        match change {
            SettingChange::DeleteQueue(id) => Some(Self::Queue(id.clone())),
            SettingChange::DeleteWorkstream(id) => Some(Self::Workstream(id.clone())),
            SettingChange::DeleteWidget(id) => Some(Self::Widget(id.clone())),
            _ => None,
        }
    }
}

impl Shared {
    /// How many live chats go by what a change would take away. Whoever begins one meanwhile must
    /// not find that setting any more, or this is old when it comes.
    pub(super) async fn count_chats_under(&self, change: &SettingChange) -> u64 {
        let Some(setting) = Setting::taken_away_by(change) else { return 0 };
        let census = Arc::new(Census { setting, found: AtomicU64::new(0) });
        self.ask_all(|held| ToConversation::BeCounted(census.clone(), held)).await;
        census.found.load(Ordering::Relaxed)
    }

    /// Asks every live conversation, and returns when each has dropped what it was given to hold.
    async fn ask_all(&self, question: impl Fn(Outstanding) -> ToConversation) {
        let ids = self.directory.conversation_ids();
        for asked in ids.chunks(ASKED_AT_ONCE) {
            let (outstanding, all_done) = outstanding();
            for id in asked {
                self.directory.tell_live(*id, question(outstanding.clone()));
            }
            drop(outstanding);
            all_done.come().await;
        }
    }

    /// Has everybody state their claims to queues and agents that were made anew, and tells those
    /// when all have: until then they give nothing away.
    pub(super) fn have_heard(self: &Arc<Self>, anew: MadeAnew) {
        if anew.queues.is_empty() && anew.agents.is_empty() {
            return;
        }
        let shared = self.clone();
        self.threads.handle(0).spawn(async move {
            shared.have_claims_stated().await;
            for queue in anew.queues {
                send(&queue, ToQueue::Command(QueueCommand::AllHeard));
            }
            for agent in anew.agents {
                send(&agent, ToAgent::Command(AgentCommand::AllHeard));
            }
        });
    }

    /// Returns when every live conversation has stated its claims, and whoever they claim from has
    /// been told.
    async fn have_claims_stated(&self) {
        self.ask_all(|held| ToConversation::StateClaims(Some(held))).await;
        // What a thread has gathered for queues and agents it sends a turn later: go behind that.
        for thread in 0..self.threads.count() {
            let (done, sent) = oneshot::channel();
            self.threads.handle(thread).spawn_fn(move || {
                actix::spawn(async move {
                    // Whoever waited for this has stopped, and does not mind.
                    let _nobody_waits = done.send(());
                });
            });
            // A thread that died has said so itself.
            let _died = sent.await;
        }
    }
}
