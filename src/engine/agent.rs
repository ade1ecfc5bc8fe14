//! The actor that drives one agent: it sets units aside, keeps the copies of their leases, tells
//! queues whether there is room, and feeds the agent's consoles.

mod audit;
mod catching_up;
mod consoles;
mod feeds;
mod kept;
mod mark;
mod missed;
mod open_feed;
mod presence;
mod report;
mod telling;

use std::sync::Arc;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, SpawnHandle};

use crate::behavior::message::{
    AgentView, Answered, Denial, RequestId, ToAgent, ToConversation, ToQueue,
};
use crate::domain::agent::Agent;
use crate::domain::agent::command::{AgentCommand, AgentEvent, AgentRefusal};
use crate::domain::id::{AgentId, ConversationId, QueueId};
use crate::domain::lease::Lease;
use crate::domain::queue::QueueCommand;
use crate::domain::time::{Span, Timestamp};
use crate::engine::agent::feeds::Feeds;
use crate::engine::agent::report::Report;
use crate::engine::answers::Question;
use crate::engine::mailbox::OpenFeed;
use crate::engine::shared::Shared;

/// How long a chat that two believe to have takes to say who is right.
const SORTED_OUT_WITHIN: std::time::Duration = std::time::Duration::from_millis(200);

/// A timer that is served later than this was held up by ourselves. What consoles have said
/// meanwhile is then still to be read, and is given as long.
const HELD_UP: Span = Span::from_secs(1);

/// Drives one agent.
#[derive(Debug)]
pub(super) struct AgentActor {
    shared: Arc<Shared>,
    agent: Agent,
    /// The queues they serve.
    queues: Vec<QueueId>,
    /// What queues, and feeds, were told last.
    told: Report,
    feeds: Feeds,
    timer: Option<(Timestamp, SpawnHandle)>,
    /// When the timer should be served.
    served_at: Timestamp,
    /// When feeds are told of the leases, which have changed.
    capacity_at: Option<Timestamp>,
    /// When they were told last.
    capacity_told_at: Timestamp,
    /// The last conversation that was audited.
    audited: Option<ConversationId>,
    /// The requests that are not answered yet.
    asked: Vec<RequestId>,
}

impl AgentActor {
    /// An agent who serves these queues.
    pub(super) fn new(shared: Arc<Shared>, agent: Agent, queues: Vec<QueueId>) -> Self {
        let feeds = Feeds::new(shared.run, shared.history);
        let told = Report::of(&agent);
        Self {
            shared,
            agent,
            queues,
            told,
            feeds,
            timer: None,
            served_at: Timestamp::default(),
            capacity_at: None,
            capacity_told_at: Timestamp::default(),
            audited: None,
            asked: Vec::new(),
        }
    }

    fn id(&self) -> &AgentId {
        &self.agent.settings().id
    }

    fn perform(&mut self, command: AgentCommand) -> Result<Vec<AgentEvent>, AgentRefusal> {
        let events = self.decide(command, self.shared.clock.now())?;
        self.tell_changes();
        Ok(events)
    }

    /// Decides and applies; what others must hear of the agent is not told yet.
    fn decide(
        &mut self,
        command: AgentCommand,
        now: Timestamp,
    ) -> Result<Vec<AgentEvent>, AgentRefusal> {
        let events = self.agent.decide(command, now)?;
        self.agent.commit(&events, now);
        self.act_upon(&events);
        Ok(events)
    }

    /// Tells conversations of the agent's absence and return, and ends the feeds that hang.
    fn act_upon(&mut self, events: &[AgentEvent]) {
        for event in events {
            let agent = || self.id().clone();
            let (conversation, message) = match event {
                AgentEvent::LeaseForfeited { conversation } => {
                    (conversation, ToConversation::AgentGone(agent()))
                }
                AgentEvent::AbsenceNoticed { conversation, since } => {
                    (conversation, ToConversation::MissAgent(agent(), *since))
                }
                AgentEvent::ReturnNoticed { conversation } => {
                    (conversation, ToConversation::MeetAgent(agent()))
                }
                AgentEvent::FeedHung(feed) => {
                    self.shared.metrics.hung_feeds.inc();
                    self.feeds.end(*feed);
                    continue;
                }
                _ => continue,
            };
            self.tell_conversation(*conversation, message);
        }
    }

    /// Takes what conversations have said while very many spoke; what has changed is told once.
    fn take_several(&mut self, messages: Vec<ToAgent>, context: &mut Context<Self>) {
        let now = self.shared.clock.now();
        for message in messages {
            match message {
                ToAgent::Command(command @ AgentCommand::Adjust { .. }) => {
                    // An adjustment is never refused.
                    let events = self.agent.decide(command, now).unwrap_or_default();
                    self.act_upon(&events);
                    self.agent.commit_all(events, now);
                }
                other => {
                    self.tell_changes();
                    self.take(other, context);
                }
            }
        }
        self.tell_changes();
    }

    fn view(&self) -> AgentView {
        AgentView {
            settings: self.agent.settings().clone(),
            presence: self.agent.presence(),
            chosen: self.agent.chosen(),
            link: self.agent.link(),
            used: self.agent.used(),
            leases: self
                .agent
                .leases()
                .iter()
                .map(|(conversation, held)| (*conversation, held.lease.clone()))
                .collect(),
        }
    }

    fn reserve(
        &mut self,
        queue: QueueId,
        conversation: ConversationId,
        lease: Lease,
        context: &mut Context<Self>,
    ) {
        let agent = self.id().clone();
        match self.perform(AgentCommand::Reserve { conversation, lease }) {
            Ok(_) => {
                // The queue hears of it first: the conversation may come back to it at once.
                self.tell_queue(&queue, QueueCommand::Granted(conversation, agent.clone()));
                self.ask_about(conversation);
            }
            Err(refusal) => {
                self.tell_queue(&queue, QueueCommand::Refused(conversation, agent.clone()));
                if refusal == AgentRefusal::AlreadyHeld {
                    // Somebody is wrong about who has this chat; only the chat itself knows.
                    self.ask_about(conversation);
                    self.tell_conversation(conversation, ToConversation::StateClaims(None));
                    // Not at once, or the queue would ask again before the chat has spoken.
                    context.run_later(SORTED_OUT_WITHIN, move |actor, _| {
                        actor.tell_availability(&queue);
                    });
                } else {
                    // The queue counted on more than there is; it must hear how it is.
                    self.tell_availability(&queue);
                }
            }
        }
    }

    fn tell_availability(&self, queue: &QueueId) {
        self.tell_queue(queue, QueueCommand::AgentChanged(self.agent.availability()));
    }

    fn tell_queue(&self, queue: &QueueId, command: QueueCommand) {
        self.shared.post.tell_queue(queue, ToQueue::Command(command));
    }

    fn tell_conversation(&self, conversation: ConversationId, message: ToConversation) {
        self.shared.post.tell(conversation, message);
    }

    fn dismiss(&mut self, request: RequestId, context: &mut Context<Self>) {
        self.asked.push(request);
        let id = self.id().clone();
        for queue in &self.queues {
            let left = QueueCommand::AgentLeft(id.clone());
            self.shared.post.tell_queue(queue, ToQueue::Command(left));
        }
        for conversation in self.agent.leases().keys() {
            let gone = ToConversation::AgentGone(id.clone());
            self.shared.post.tell(*conversation, gone);
        }
        self.shared.metrics.leases.dec_by(i64::try_from(self.told.leases).unwrap_or(0));
        context.stop();
    }

    fn serve(&mut self, queues: Vec<QueueId>) {
        for left in self.queues.iter().filter(|queue| !queues.contains(queue)) {
            let left_it = QueueCommand::AgentLeft(self.id().clone());
            self.shared.post.tell_queue(left, ToQueue::Command(left_it));
        }
        self.queues = queues;
        self.tell_queues();
    }

    fn wake(&mut self, context: &mut Context<Self>) {
        let due = self.timer.take().map(|(at, _)| at);
        if self.shared.is_draining() {
            // We have ended their feeds ourselves: nobody is to be given up, or missed, for that.
            return;
        }
        let now = self.shared.clock.now();
        if let Some(at) = due.filter(|_| now.since(self.served_at) > HELD_UP) {
            return self.arm(at, now + HELD_UP, context);
        }
        // A wake is never refused.
        let _never = self.perform(AgentCommand::Wake);
        self.close_ended();
        self.tell_capacity_if_due();
        self.rearm(context);
    }

    fn rearm(&mut self, context: &mut Context<Self>) {
        let wake_at = self.agent.wake_at().into_iter().chain(self.capacity_at).min();
        if self.timer.as_ref().map(|(at, _)| *at) == wake_at {
            return;
        }
        if let Some((_, armed)) = self.timer.take() {
            context.cancel_future(armed);
        }
        if let Some(at) = wake_at {
            self.arm(at, at.max(self.shared.clock.now()), context);
        }
    }

    fn arm(&mut self, at: Timestamp, served_at: Timestamp, context: &mut Context<Self>) {
        let armed = context.run_later(self.shared.clock.until(served_at), Self::wake);
        self.timer = Some((at, armed));
        self.served_at = served_at;
    }
}

impl Actor for AgentActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.tell_queues();
        let every = std::time::Duration::from_millis(self.shared.audit_every.as_millis().max(1));
        context.run_interval(every, |actor, _| actor.audit());
    }
}

impl Drop for AgentActor {
    /// However it ends, by a panic too, nobody waits for it in vain.
    fn drop(&mut self) {
        for request in self.asked.drain(..) {
            self.shared.answers.deny(request);
        }
    }
}

impl Handler<ToAgent> for AgentActor {
    type Result = ();

    fn handle(&mut self, message: ToAgent, context: &mut Self::Context) {
        self.take(message, context);
        self.rearm(context);
    }
}

impl Handler<Question<ToAgent>> for AgentActor {
    type Result = ();

    fn handle(&mut self, question: Question<ToAgent>, context: &mut Self::Context) {
        let (message, unanswered) = question.open();
        self.take(message, context);
        self.rearm(context);
        unanswered.take_over();
    }
}

impl Handler<Question<OpenFeed>> for AgentActor {
    type Result = ();

    fn handle(&mut self, question: Question<OpenFeed>, context: &mut Self::Context) {
        let (opening, unanswered) = question.open();
        self.open_feed(opening, context);
        self.rearm(context);
        unanswered.take_over();
    }
}

impl AgentActor {
    fn take(&mut self, message: ToAgent, context: &mut Context<Self>) {
        match message {
            ToAgent::Command(command) => {
                // What is refused here is asked with an answer elsewhere.
                let _refused = self.perform(command);
            }
            ToAgent::ChoosePresence(presence, by, request) => {
                self.choose_presence(presence, by, request, context);
            }
            ToAgent::Show(request) => {
                self.shared.answer(request, Ok(Answered::Agent(Box::new(self.view()))));
            }
            ToAgent::Reserve(queue, conversation, lease) => {
                self.reserve(queue, conversation, lease, context);
            }
            ToAgent::Adjust { conversation, seq, lease, repeated } => {
                let command = AgentCommand::Adjust { conversation, seq, lease };
                if repeated {
                    self.check_repeated(command);
                } else {
                    // An adjustment is never refused.
                    let _never = self.perform(command);
                }
            }
            ToAgent::AskAbout(conversation) => self.ask_about(conversation),
            ToAgent::Serve(queues) => self.serve(queues),
            ToAgent::Several(messages) => self.take_several(messages, context),
            ToAgent::Dismiss(request) => self.dismiss(request, context),
            ToAgent::Tell(told) => {
                self.feeds.tell(&self.shared, told);
                self.close_ended();
            }
            ToAgent::Shown(feed, told) => {
                if self.feeds.show(&self.shared, feed, told, true) {
                    self.show_more_when_room(feed, context);
                }
                self.close_ended();
            }
            ToAgent::EndFeeds => self.feeds.end_all(),
            ToAgent::ForgetKept => self.feeds.forget_kept(),
            ToAgent::Beat(feed, request) => self.beat(&feed, request),
            ToAgent::Expect(grace, request) => {
                let expected = self.agent.expected_by(grace, self.shared.clock.now());
                let answer = expected.map(Answered::Expected).map_err(|_| Denial::AgentGone);
                self.shared.answer(request, answer);
            }
        }
    }
}
