//! Administrators, who change the settings.

use holdline::domain::settings::registry::SettingChange;

use crate::plan::What;
use crate::server::{Call, Millis, Server};
use crate::settings;
use crate::world::{Due, World};

/// How often an administrator tries to delete a queue that may still have chats.
const DROPS: u64 = 4;

impl<S: Server> World<S> {
    pub(super) fn administer(&mut self, what: What) {
        match what {
            What::Stream(which, stream) => {
                self.streams[which].0 = stream;
                self.put_stream(which);
            }
            What::Units { agent, units } if !self.consoles[agent].is_deleted => {
                self.change(SettingChange::PutAgent(settings::agent(agent, units)));
            }
            What::Units { .. } => {}
            What::Serve { agent, queue, on } => {
                let queues = &mut self.consoles[agent].queues;
                queues.retain(|it| *it != queue);
                if on {
                    queues.push(queue);
                }
                self.put_queue(queue);
            }
            What::Dismiss { agent, .. } if self.consoles[agent].is_deleted => {}
            What::Dismiss { agent, units, away } => {
                self.consoles[agent].is_deleted = true;
                self.change(SettingChange::DeleteAgent(settings::agent_id(agent)));
                self.put_happening(away, What::PutAgain { agent, units });
            }
            What::PutAgain { agent, .. } if !self.consoles[agent].is_deleted => {}
            What::PutAgain { agent, units } => {
                self.consoles[agent].is_deleted = false;
                self.change(SettingChange::PutAgent(settings::agent(agent, units)));
                for queue in self.consoles[agent].queues.clone() {
                    self.put_queue(queue);
                }
            }
            What::Requeue { which, away } => self.requeue(which, away),
            What::Redirect { which, queue } => {
                self.streams[which].1 = queue;
                self.put_queue(queue);
                self.put_stream(which);
            }
            What::DropQueue(queue) => {
                self.change(SettingChange::DeleteQueue(settings::queue_id(queue)));
            }
            other => unreachable!("{other:?} is nobody's"),
        }
    }

    /// Another queue, with the same agents, replaces a workstream's own queue for a while.
    fn requeue(&mut self, which: usize, away: Millis) {
        let other = self.streams.len() + which;
        for console in &mut self.consoles {
            console.queues.retain(|it| *it != other);
            if console.queues.contains(&which) {
                console.queues.push(other);
            }
        }
        self.put_happening(0, What::Redirect { which, queue: other });
        self.put_happening(away, What::Redirect { which, queue: which });
        for number in 1..=DROPS {
            let part = away * number / (DROPS + 1);
            self.put_happening(part, What::DropQueue(which));
            self.put_happening(away + part, What::DropQueue(other));
        }
    }

    fn put_stream(&mut self, which: usize) {
        let (stream, queue) = self.streams[which];
        self.watch.stream(self.now, which, &stream);
        self.change(SettingChange::PutWorkstream(settings::workstream(which, &stream, queue)));
    }

    /// Puts a queue with every agent who serves it and is not deleted.
    fn put_queue(&mut self, queue: usize) {
        let serves = |it: &usize| {
            let console = &self.consoles[*it];
            !console.is_deleted && console.queues.contains(&queue)
        };
        let agents: Vec<_> = (0..self.consoles.len()).filter(serves).collect();
        self.change(SettingChange::PutQueue(settings::queue(queue, &agents)));
    }

    fn change(&mut self, change: SettingChange) {
        self.call(None, Call::Change(Box::new(change)));
    }

    fn put_happening(&mut self, after: Millis, what: What) {
        self.put(self.now + after, Due::Happening(what));
    }
}
