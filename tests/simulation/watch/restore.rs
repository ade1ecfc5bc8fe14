//! What a restore of a backup means to the watcher: what came after the backup never happened.

use std::collections::BTreeMap;

use holdline::domain::id::{AgentId, ConversationId};

use crate::plan::StreamPlan;
use crate::server::Millis;
use crate::watch::Watch;
use crate::watch::chat::Chat;
use crate::watch::setting::Setting;

/// What stood on the disk when it was copied.
#[derive(Clone, Debug)]
pub struct Backup {
    chats: BTreeMap<ConversationId, Chat>,
    streams: Vec<Setting<StreamPlan>>,
    units: BTreeMap<AgentId, Setting<u32>>,
    serving: Vec<Setting<Vec<AgentId>>>,
}

impl Watch {
    /// The disk is copied.
    pub fn backed_up(&mut self) {
        self.backup = Some(Backup {
            chats: self.chats.clone(),
            streams: self.streams.clone(),
            units: self.units.clone(),
            serving: self.serving.clone(),
        });
    }

    /// The last copy has replaced what was on the disk, and the server is down.
    pub fn restored(&mut self, now: Millis) {
        let Some(backup) = self.backup.clone() else { return };
        self.now = now;
        self.stats.restored += 1;
        self.stats.chats_undone += (self.chats.len() - backup.chats.len()) as u64;
        self.history += 1;
        self.chats = backup.chats;
        self.streams = backup.streams;
        self.units = backup.units;
        self.serving = backup.serving;
    }
}
