//! The operator of the server copies its journal, and replaces the journal with a copy when
//! something has gone wrong with it.

use crate::plan::{StreamPlan, What};
use crate::server::{Millis, Server};
use crate::world::{Due, World};

/// How soon after a start the administrators put missing settings again.
const PUT_AGAIN_AFTER: Millis = 1_000;

/// The settings when the journal was copied, as far as they had been asked for.
#[derive(Clone, Debug)]
pub struct Backup {
    streams: Vec<(StreamPlan, usize)>,
    /// For each agent, whether they were deleted, and which queues they served.
    agents: Vec<(bool, Vec<usize>)>,
}

impl<S: Server> World<S> {
    pub(super) fn back_up(&mut self) {
        if !self.server.is_up() {
            return;
        }
        self.server.back_up();
        self.watch.backed_up();
        let agents = self.consoles.iter().map(|it| (it.is_deleted, it.queues.clone()));
        self.backup = Some(Backup { streams: self.streams.clone(), agents: agents.collect() });
    }

    pub(super) fn restore(&mut self, down: Millis) {
        let Some(backup) = self.backup.clone() else { return };
        self.crash(0, down, 0);
        self.server.restore();
        self.watch.restored(self.now);
        self.streams = backup.streams;
        for (agent, (is_deleted, queues)) in backup.agents.into_iter().enumerate() {
            let console = &mut self.consoles[agent];
            (console.is_deleted, console.queues) = (is_deleted, queues);
            if is_deleted {
                let units = console.plan.units;
                let at = self.now + down + PUT_AGAIN_AFTER;
                self.put(at, Due::Happening(What::PutAgain { agent, units }));
            }
        }
    }
}
