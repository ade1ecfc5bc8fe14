//! `holdline dry-run`: what another window would have made of the chats that were.

use std::fmt::Write as _;

use crate::clock::Clock;
use crate::commands::fault::{CommandFault, NotRehearsed};
use crate::commands::output::tell;
use crate::config::DataFlags;
use crate::domain::conversation::event::{Event, Recorded};
use crate::domain::id::WorkstreamId;
use crate::domain::rehearsal::{Findings, Rehearsal};
use crate::domain::settings::registry::Registry;
use crate::domain::settings::{WINDOW_SECONDS, Workstream};
use crate::domain::time::{Span, Timestamp};
use crate::journal::sqlite::history::{End, History};
use crate::wire::time::{duration, moment, rfc3339, spoken};

/// Replays the chats that were with another window, and tells what would have been different
///
/// It compares each chat up to the first difference: what would have followed is not known. It
/// reads the data directory, beside a running server or after one, and changes nothing.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The window, such as 120s, 5min or 1h
    #[arg(long, value_name = "LENGTH")]
    window: String,
    /// Only chats of this workstream
    #[arg(long, value_name = "ID")]
    workstream: Option<WorkstreamId>,
    /// Only chats that began at this time or later, such as 2026-03-01 or 2026-03-01T14:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Tell it as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataFlags,
}

/// Rehearses, and tells what was found.
pub(super) fn run(args: &Args) -> Result<(), CommandFault> {
    let window = parse_window(&args.window)?;
    let since = args.since.as_deref().map(parse_since).transpose()?.unwrap_or_default();
    let history = History::open(&args.data.directory()?)?;
    let settings = history.settings()?;
    let latest = history.latest()?.unwrap_or_default();
    let until = match history.end() {
        End::Running => Clock::start(latest).now(),
        End::Stopped(at) => at.max(latest),
        End::Unknown => latest,
    };
    let mut rehearsal = Rehearsal::new(window, until);
    history.each(since, |id, history| {
        let workstream = workstream_of(&history, &settings);
        let wanted = workstream
            .filter(|workstream| args.workstream.as_ref().is_none_or(|id| *id == workstream.id));
        if let Some(workstream) = wanted {
            rehearsal.compare(id, &history, &workstream);
        }
    })?;
    let findings = rehearsal.findings();
    if let Some(id) = args.workstream.as_ref().filter(|_| findings.chats == 0)
        && !settings.workstreams.contains_key(id)
    {
        return Err(NotRehearsed::Unknown(id.clone()).into());
    }
    tell(
        if args.json { json(window, &findings) } else { report(window, until, &findings) }
            .trim_end(),
    )
}

/// The settings that a chat is handled under. A workstream that was removed has its defaults.
fn workstream_of(history: &[Recorded], settings: &Registry) -> Option<Workstream> {
    let Event::ConversationStarted(opening) = &history.first()?.event else { return None };
    let known = settings.workstreams.get(&opening.workstream);
    Some(known.map_or_else(
        || Workstream::new(opening.workstream.clone(), opening.queue.clone()),
        |workstream| Workstream::clone(workstream),
    ))
}

fn parse_window(given: &str) -> Result<Span, NotRehearsed> {
    let wrong = |problem| NotRehearsed::Flag { flag: "--window", given: given.to_owned(), problem };
    let window = duration(given).map_err(wrong)?;
    let (least, most) = (*WINDOW_SECONDS.start(), *WINDOW_SECONDS.end());
    if (Span::from_secs(least)..=Span::from_secs(most)).contains(&window) {
        Ok(window)
    } else {
        Err(wrong(format!("a window has {least} to {most} seconds")))
    }
}

fn parse_since(given: &str) -> Result<Timestamp, NotRehearsed> {
    moment(given, Timestamp::default()).map_err(|problem| NotRehearsed::Flag {
        flag: "--since",
        given: given.to_owned(),
        problem,
    })
}

fn report(window: Span, until: Timestamp, findings: &Findings) -> String {
    let mut text = format!(
        "With a window of {}, as far as {} until {}:\n\n",
        spoken(window),
        match findings.chats {
            1 => "1 chat tells".to_owned(),
            chats => format!("{chats} chats tell"),
        },
        rfc3339(until)
    );
    let lines = [
        ("absences that ended, or went on past the limit", findings.absences.to_string()),
        ("customers disconnected, in fact", findings.disconnected.to_string()),
        ("customers who would have been", findings.would_be_disconnected.to_string()),
        ("chats that would have ended earlier", by(findings.earlier, findings.earlier_by)),
        (
            "  of these: customers who came back after the limit",
            findings.returned_too_late.to_string(),
        ),
        ("chats that would have been held longer", by(findings.later, findings.later_by)),
        (
            "  of these: customers who came back, and now in time",
            findings.returned_in_time.to_string(),
        ),
        ("agents' time gained", spoken(findings.agent_time_gained)),
        ("agents' time lost", spoken(findings.agent_time_lost)),
    ];
    for (what, value) in lines {
        // A string takes whatever is written.
        let _infallible = writeln!(text, "  {what:<54} {value}");
    }
    text
}

fn by(chats: u64, time: Span) -> String {
    if chats == 0 { "0".to_owned() } else { format!("{chats}, by {} in all", spoken(time)) }
}

fn json(window: Span, findings: &Findings) -> String {
    serde_json::json!({
        "window_ms": window.as_millis(),
        "chats": findings.chats,
        "absences": findings.absences,
        "disconnected": findings.disconnected,
        "would_be_disconnected": findings.would_be_disconnected,
        "earlier": findings.earlier,
        "earlier_by_ms": findings.earlier_by.as_millis(),
        "returned_too_late": findings.returned_too_late,
        "later": findings.later,
        "later_by_ms": findings.later_by.as_millis(),
        "returned_in_time": findings.returned_in_time,
        "agent_time_gained_ms": findings.agent_time_gained.as_millis(),
        "agent_time_lost_ms": findings.agent_time_lost.as_millis(),
    })
    .to_string()
}
