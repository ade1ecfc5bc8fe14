//! What becomes of what a simulated queue wants done.

use holdline::behavior::message::ToQueue;
use holdline::behavior::queue::{Input, Output};
use holdline::domain::id::QueueId;

use crate::node::Node;
use crate::node::mail::Mail;

impl Node {
    /// A queue's mailbox has come to this.
    pub(super) fn tell_line(&mut self, it: (QueueId, u64), mail: Mail) {
        let Some(mut line) = self.queues.remove(&it) else { return };
        let command = match mail {
            Mail::Queue(command) => command,
            Mail::Dismiss(_until_gone) => return,
            mail => unreachable!("a queue is never told {mail:?}"),
        };
        let asks = !self.rules.forgets_those_who_wait(&command);
        let now = self.clock();
        let (mut inputs, mut outputs) = (vec![Input::Told(ToQueue::Command(command))], Vec::new());
        while let Some(input) = inputs.pop() {
            line.handle(input, now, &mut outputs);
            for output in outputs.drain(..) {
                if let Output::Reserve(agent, chat, lease) = output
                    && asks
                    && !self.tell_agent(&agent, Mail::Reserve(it.0.clone(), chat, lease))
                {
                    inputs.push(Input::Missing(chat, agent));
                }
            }
        }
        self.queues.insert(it, line);
    }
}
