//! `holdline erase`: a chat, or every chat of a visitor, is erased from a stopped server's data.

use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::clock;
use crate::commands::fault::{CommandFault, NotErased};
use crate::commands::output::{counted, tell};
use crate::commands::person::Person;
use crate::config::DataFlags;
use crate::domain::audit::{Act, AuditEntry, AuditKind};
use crate::domain::conversation::event::Audience;
use crate::domain::id::{ConversationId, Seq, VisitorId};
use crate::domain::time::Timestamp;
use crate::journal::sqlite::history::History;
use crate::journal::{
    Append, Confirmed, Fault, Journal, Position, Receipts, Recovered, Which, store,
};
use crate::limits;

/// How often to check whether the files are clean.
const LOOKED_EVERY: Duration = Duration::from_millis(50);

/// Erases a closed chat, or every chat of a visitor, while no server uses the data directory
///
/// As DELETE /v1/conversations/ID and DELETE /v1/visitors/ID do. While one of the chats is not
/// closed nothing is erased. It is noted in the audit stream, and returns once nothing of what was
/// erased is in the files any more; backups that were made before keep what they have.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    person: Person,
    #[command(flatten)]
    data: DataFlags,
}

/// Receives no receipts, because nothing is appended to a chat here.
struct Nobody;

impl Receipts for Nobody {
    fn durable(&self, _: Vec<Confirmed>, _: Position) {}

    fn failed(&self, _: Vec<ConversationId>, _: Fault) {}
}

/// Erases, and tells how many chats there were.
pub(super) fn run(args: &Args) -> Result<(), CommandFault> {
    let dir = args.data.directory()?;
    // Fails if the directory is not there, so that this does not make it.
    drop(History::open(&dir)?);
    let opened = store::open(&dir, std::sync::Arc::new(Nobody))?;
    let (journal, Recovered { latest, .. }) = opened;
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(CommandFault::Output)?;
    let erased = runtime.block_on(async {
        let erasing = Erasing { journal: &*journal, now: clock::wall().max(latest) };
        let mut erased = 0;
        if let Some(id) = args.person.conversation {
            erased += erasing.chat(id).await?;
        }
        if let Some(visitor) = args.person.visitor {
            erased += erasing.visitor(visitor).await?;
        }
        while journal.has_traces() {
            tokio::time::sleep(LOOKED_EVERY).await;
        }
        Ok::<_, CommandFault>(erased)
    })?;
    tell(&format!("erased: {}", counted(erased, "chat")))
}

struct Erasing<'a> {
    journal: &'a dyn Journal,
    now: Timestamp,
}

impl Erasing<'_> {
    async fn chat(&self, id: ConversationId) -> Result<u64, CommandFault> {
        let found = self.journal.read(id, Seq::ZERO, Audience::Agent, 1, 1).await?;
        if found.is_empty() && self.journal.archived(id, Seq::ZERO, 1).await?.is_empty() {
            return Err(NotErased::Unknown(id).into());
        }
        let loaded = self.journal.load(id).await?;
        if loaded.is_some_and(|loaded| !loaded.is_closed()) {
            return Err(NotErased::Open(vec![id]).into());
        }
        self.note(Act::new(AuditKind::ChatErased, None).about_chat(id)).await?;
        Ok(self.journal.erase(vec![id], self.now).await?.erased.len() as u64)
    }

    async fn visitor(&self, visitor: VisitorId) -> Result<u64, CommandFault> {
        let most = limits::OPEN_NAMED_MAX;
        let open = self.journal.of_visitor(visitor, Which::Open, None, most).await?;
        if !open.is_empty() {
            return Err(NotErased::Open(open).into());
        }
        let act = Act::new(AuditKind::VisitorErased, None);
        self.note(act.about("visitor", &visitor.to_string())).await?;
        let mut erased = 0;
        for which in [Which::InJournal, Which::Archived] {
            loop {
                // Always from the beginning: the chats before are gone.
                let most = limits::ERASED_AT_ONCE;
                let ids = self.journal.of_visitor(visitor, which, None, most).await?;
                if ids.is_empty() {
                    break;
                }
                erased += self.journal.erase(ids, self.now).await?.erased.len() as u64;
            }
        }
        Ok(erased)
    }

    async fn note(&self, act: Act) -> Result<(), CommandFault> {
        let (done, written) = oneshot::channel();
        let act = act.with("command", "erase");
        let entry = Box::new(AuditEntry { at: self.now, times: 1, act });
        self.journal.append(Append::Audit { entry, done });
        written.await.unwrap_or(Err(Fault::Closed))?;
        Ok(())
    }
}
