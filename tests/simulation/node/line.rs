//! The simulated actor of a queue: it asks agents for those who wait.

use holdline::domain::id::QueueId;
use holdline::domain::queue::{Queue, QueueCommand, QueueEvent};

use crate::node::Node;
use crate::node::mail::Mail;

/// The actor of one queue.
#[derive(Debug)]
pub struct Line {
    queue: Queue,
}

impl Line {
    /// An empty one, which serves nobody until it is told that everybody was heard.
    pub fn hearing() -> Self {
        Self { queue: Queue::hearing() }
    }

    pub fn handle(&mut self, node: &mut Node, id: &QueueId, command: QueueCommand) {
        let now = node.clock();
        let may_match = node.rules.may_match(&command);
        let Some(event) = self.queue.decide(command) else { return };
        self.queue.apply(&event, now);
        if may_match {
            self.serve(node, id);
        }
    }

    fn note(&mut self, node: &Node, command: QueueCommand) {
        if let Some(event) = self.queue.decide(command) {
            self.queue.apply(&event, node.clock());
        }
    }

    fn serve(&mut self, node: &mut Node, id: &QueueId) {
        let now = node.clock();
        while let Some(event) = self.queue.decide(QueueCommand::Match) {
            let QueueEvent::Asked(chat, agent) = event.clone() else { break };
            let lease = self.queue.provisional_lease(chat, agent.clone());
            self.queue.apply(&event, now);
            if !node.tell_agent(&agent, Mail::Reserve(id.clone(), chat, lease)) {
                self.note(node, QueueCommand::Refused(chat, agent.clone()));
                self.note(node, QueueCommand::AgentLeft(agent));
            }
        }
    }
}
