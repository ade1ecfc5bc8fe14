//! `holdline explain`: why a chat is as it is, or was at some time, from what is stored.

use clap::builder::NonEmptyStringValueParser;

use crate::commands::fault::{CommandFault, Unexplained};
use crate::commands::output::tell;
use crate::config::DataFlags;
use crate::domain::conversation::event::Recorded;
use crate::domain::id::ConversationId;
use crate::domain::time::Timestamp;
use crate::journal::sqlite::history::History;
use crate::wire::narrative;
use crate::wire::objects::Timeline;
use crate::wire::time::{moment, rfc3339};

/// Tells why a chat is in its state, in its first line, and then everything that happened in it
///
/// Sessions with their programs and signs of life, losses with cause and evidence, timers, states,
/// offers and leases, in order. It reads the data directory, beside a running server or after one,
/// and changes nothing. What was said in the chat is not told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The conversation
    #[arg(value_name = "ID")]
    id: ConversationId,
    /// Tell the state as it was then: a time of day in UTC on the day on which the chat began,
    /// such as 14:03:07, or a whole time, such as 2026-03-01T14:03:07Z
    #[arg(long, value_name = "TIME", value_parser = NonEmptyStringValueParser::new())]
    at: Option<String>,
    /// Tell it as one JSON object, as GET /v1/conversations/ID/timeline does
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataFlags,
}

/// Tells the account.
pub(super) fn run(args: &Args) -> Result<(), CommandFault> {
    let history = History::open(&args.data.directory()?)?.conversation(args.id)?;
    let Some(first) = history.first() else { return Err(Unexplained::Unknown(args.id).into()) };
    let (began, at) = (first.at, args.at.as_deref().map(|given| parse(given, first.at)));
    let at = at.transpose()?;
    let known = history.into_iter().filter(|recorded| at.is_none_or(|at| recorded.at <= at));
    let known: Vec<_> = known.collect();
    let told = if args.json { page(args.id, known) } else { narrative::account(args.id, known) };
    let told = told.ok_or(Unexplained::NotBegun { id: args.id, began })?;
    match at {
        Some(at) if !args.json => tell(&format!("At {}: {}", rfc3339(at), told.trim_end())),
        _ => tell(told.trim_end()),
    }
}

fn parse(given: &str, began: Timestamp) -> Result<Timestamp, Unexplained> {
    moment(given, began).map_err(|problem| Unexplained::Time { given: given.to_owned(), problem })
}

fn page(id: ConversationId, history: Vec<Recorded>) -> Option<String> {
    let mut timeline = Timeline::whole(id);
    for recorded in history {
        timeline.take(recorded);
    }
    let view = timeline.view()?;
    let page = timeline.finish(&view, None, None);
    // This cannot fail: the page has only strings and numbers.
    serde_json::to_string_pretty(&page).ok()
}
