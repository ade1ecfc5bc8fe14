//! The actor that drives one agent. It gives the behavior each input, and performs the outputs. It
//! keeps the ends of the agent's feeds, the timer and the requests that wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, SpawnHandle, WrapFuture,
};
use tokio::sync::oneshot;

use crate::behavior::agent::{Behavior, Choice, Facts, FeedEvent, Input, Note, Output};
use crate::behavior::message::{RequestId, ToAgent, ToQueue, Trouble};
use crate::domain::agent::{Agent, FeedNumber};
use crate::domain::id::{AgentId, QueueId};
use crate::domain::position::Position;
use crate::domain::time::Timestamp;
use crate::engine::answers::Question;
use crate::engine::feed::{FeedSender, NotTold};
use crate::engine::mailbox::OpenFeed;
use crate::engine::shared::Shared;
use crate::journal::{Append, Fault};
use crate::limits;

/// Drives one agent.
#[derive(Debug)]
pub(super) struct AgentActor {
    shared: Arc<Shared>,
    id: AgentId,
    behavior: Behavior,
    /// The ends into which the events of the open feeds go.
    feeds: BTreeMap<FeedNumber, FeedSender>,
    /// When it is woken, and by which timer.
    timer: Option<(Timestamp, SpawnHandle)>,
    /// The requests that are not answered yet.
    asked: Vec<RequestId>,
    /// Empty between two turns.
    outputs: Vec<Output>,
}

impl AgentActor {
    /// An agent who serves these queues.
    pub(super) fn new(shared: Arc<Shared>, agent: Agent, queues: Vec<QueueId>) -> Self {
        let id = agent.settings().id.clone();
        let (run, history, audit_every) = (shared.run, shared.history, shared.audit_every);
        let behavior = Behavior::new(agent, queues, run, history, audit_every);
        Self {
            shared,
            id,
            behavior,
            feeds: BTreeMap::new(),
            timer: None,
            asked: Vec::new(),
            outputs: Vec::new(),
        }
    }

    fn facts(&self) -> Facts {
        Facts {
            told_through: Position(self.shared.told_through.load(Ordering::Relaxed)),
            is_draining: self.shared.is_draining(),
        }
    }

    /// Gives the behavior one input, and those that follow from it.
    fn turn(&mut self, input: Input, context: &mut Context<Self>) {
        let (now, facts) = (self.shared.clock.now(), self.facts());
        let mut outputs = std::mem::take(&mut self.outputs);
        let (mut next, mut following) = (Some(input), VecDeque::new());
        while let Some(input) = next {
            self.behavior.handle(input, now, facts, &mut outputs);
            for output in outputs.drain(..) {
                following.extend(self.perform(output, context));
            }
            next = following.pop_front();
        }
        outputs.shrink_to(limits::AGENT_OUTPUTS_ROOM_KEPT);
        self.outputs = outputs;
        self.rearm(context);
    }

    /// Performs one output. Gives back what the behavior must hear of at once.
    fn perform(&mut self, output: Output, context: &mut Context<Self>) -> Option<Input> {
        match output {
            Output::ToConversation(id, message) => drop(self.shared.post.tell(id, *message)),
            Output::ToQueue(id, command) => {
                self.shared.post.tell_queue(&id, ToQueue::Command(*command));
            }
            Output::Listened => self.shared.post.note_listening(&self.id),
            Output::Feed { feed, is_part, id, kind, data } => {
                return self.tell_feed(feed, is_part, FeedEvent { id, kind, data });
            }
            Output::EndFeed(feed) => drop(self.feeds.remove(&feed)),
            Output::AbandonFeed(feed) => {
                if let Some(sender) = self.feeds.remove(&feed) {
                    sender.forget();
                }
            }
            Output::AwaitRoom(feed) => self.await_room(feed, context),
            Output::ReadMissed(feed, after) => self.read_missed(feed, after, context),
            Output::WritePresence(choice, at) => self.write_presence(choice, at, context),
            Output::Answer(request, answer) => {
                self.asked.retain(|asked| *asked != request);
                self.shared.answer(request, *answer);
            }
            Output::Note(note) => self.note(note),
            Output::Stop(request) => {
                self.asked.push(request);
                context.stop();
            }
        }
        None
    }

    /// Puts an event into a feed. A feed that does not take it is removed.
    fn tell_feed(&mut self, feed: FeedNumber, is_part: bool, event: FeedEvent) -> Option<Input> {
        let sender = self.feeds.get(&feed)?;
        let told = if is_part { sender.tell_part(event) } else { sender.tell(event) };
        let refusal = told.err()?;
        self.feeds.remove(&feed);
        Some(match refusal {
            NotTold::Full => {
                self.shared.metrics.slow_feeds.inc();
                Input::FeedSlow(feed)
            }
            NotTold::Closed => Input::FeedClosed(feed),
        })
    }

    fn open_feed(&mut self, opening: OpenFeed, context: &mut Context<Self>) {
        let OpenFeed { sender, closed, opening } = opening;
        let feed = opening.feed;
        self.feeds.insert(feed, sender);
        self.turn(Input::OpenFeed(opening), context);
        context.spawn(closed.into_actor(self).map(move |_, actor, context| {
            actor.feeds.remove(&feed);
            actor.turn(Input::FeedClosed(feed), context);
        }));
    }

    fn await_room(&self, feed: FeedNumber, context: &mut Context<Self>) {
        let Some(room) = self.feeds.get(&feed).map(FeedSender::room) else { return };
        context.spawn(room.into_actor(self).map(move |(), actor, context| {
            actor.turn(Input::Room(feed), context);
        }));
    }

    fn read_missed(&self, feed: FeedNumber, after: Position, context: &mut Context<Self>) {
        let (agent, journal) = (self.id.clone(), &self.shared.journal);
        let (most, bytes) = (limits::FEED_PART_MAX, limits::FEED_PART_BYTES_MAX);
        let reading = journal.of_agent(agent, after, most, bytes);
        context.spawn(reading.into_actor(self).map(move |read, actor, context| {
            let read = read.map_err(|fault| Trouble::from(&fault));
            actor.turn(Input::Missed(feed, read), context);
        }));
    }

    fn write_presence(&mut self, choice: Choice, at: Timestamp, context: &mut Context<Self>) {
        let (done, written) = oneshot::channel();
        let (agent, presence, by) = (self.id.clone(), choice.presence, choice.by.clone());
        self.asked.push(choice.request);
        self.shared.journal.append(Append::Presence { agent, presence, by, at, done });
        context.spawn(written.into_actor(self).map(move |written, actor, context| {
            let written = match written {
                Ok(Ok(_)) => {
                    actor.shared.presences.insert(actor.id.clone(), presence);
                    Ok(())
                }
                Ok(Err(fault)) => Err(Trouble::from(&fault)),
                Err(_) => Err(Trouble::from(&Fault::Closed)),
            };
            actor.turn(Input::PresenceWritten(choice, written), context);
        }));
    }

    fn note(&self, note: Note) {
        let (agent, metrics) = (&self.id, &self.shared.metrics);
        match note {
            Note::Leases(more) => drop(metrics.leases.inc_by(more)),
            Note::FeedHung => drop(metrics.hung_feeds.inc()),
            Note::Drift(command) => {
                metrics.drift.inc();
                tracing::error!(
                    %agent, ?command,
                    "a lease of agent {agent} had drifted: it is put right"
                );
            }
            Note::Unread(fault) => tracing::error!(
                %agent, %fault,
                "what a feed of agent {agent} has missed cannot be read"
            ),
        }
    }

    fn rearm(&mut self, context: &mut Context<Self>) {
        let wake_at = self.behavior.wake_at(self.facts());
        if self.timer.as_ref().map(|(at, _)| *at) == wake_at {
            return;
        }
        if let Some((_, armed)) = self.timer.take() {
            context.cancel_future(armed);
        }
        self.timer = wake_at.map(|at| {
            let armed = context.run_later(self.shared.clock.until(at), |actor, context| {
                actor.timer = None;
                actor.turn(Input::Wake, context);
            });
            (at, armed)
        });
    }
}

impl Actor for AgentActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.turn(Input::Begin, context);
    }
}

impl Drop for AgentActor {
    /// However the actor ends, even by a panic, no caller waits for it in vain.
    fn drop(&mut self) {
        for request in self.asked.drain(..) {
            self.shared.answers.deny(request);
        }
    }
}

impl Handler<ToAgent> for AgentActor {
    type Result = ();

    fn handle(&mut self, message: ToAgent, context: &mut Self::Context) {
        self.turn(Input::Told(message), context);
    }
}

impl Handler<Question<ToAgent>> for AgentActor {
    type Result = ();

    fn handle(&mut self, question: Question<ToAgent>, context: &mut Self::Context) {
        let (message, unanswered) = question.open();
        self.turn(Input::Told(message), context);
        unanswered.take_over();
    }
}

impl Handler<Question<OpenFeed>> for AgentActor {
    type Result = ();

    fn handle(&mut self, question: Question<OpenFeed>, context: &mut Self::Context) {
        let (opening, unanswered) = question.open();
        self.open_feed(opening, context);
        unanswered.take_over();
    }
}
