//! `holdline export`: everything that is kept of a chat or of a visitor.

use crate::clock;
use crate::commands::fault::{CommandFault, NothingKept};
use crate::commands::output::tell;
use crate::commands::person::Person;
use crate::config::DataFlags;
use crate::domain::id::ConversationId;
use crate::journal::sqlite::history::History;
use crate::wire::objects::ExportLine;

/// Gives out everything that is kept of a chat or of a visitor, as one JSON object on each line
///
/// As GET /v1/conversations/ID/export and GET /v1/visitors/ID/export do. It reads the data
/// directory, beside a running server or after one, and changes nothing: it is not noted in the
/// audit stream.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    person: Person,
    #[command(flatten)]
    data: DataFlags,
}

/// Gives it out.
pub(super) fn run(args: &Args) -> Result<(), CommandFault> {
    let history = History::open(&args.data.directory()?)?;
    let (now, mut conversations, mut events) = (clock::wall(), 0, 0);
    let mut give = |id: ConversationId, first: Option<ExportLine>| {
        let kept = history.kept(id)?;
        if kept.is_empty() {
            return Ok(false);
        }
        first.iter().try_for_each(|first| tell(&first.text()))?;
        for event in &kept {
            let (place, stored) = ((event.seq, event.at), (event.kind, event.body.as_str()));
            let line = ExportLine::event(id, place, stored, event.is_seen_by_customer);
            tell(&line.text())?;
        }
        conversations += 1;
        events += kept.len() as u64;
        Ok::<_, CommandFault>(true)
    };
    if let Some(id) = args.person.conversation
        && !give(id, Some(ExportLine::of_conversation(id, now)))?
    {
        return Err(NothingKept(id).into());
    }
    if let Some(visitor) = args.person.visitor {
        tell(&ExportLine::of_visitor(visitor, now).text())?;
        for id in history.of_visitor(visitor)? {
            give(id, None)?;
        }
    }
    tell(&ExportLine::end(conversations, events).text())
}
