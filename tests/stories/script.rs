//! The language of the scripts, one step a line; `#` begins a remark.
//!
//! ```text
//! workstream window=60s heartbeat=10s offer=30s declines=3 grace=60s units=1
//!            offer-grace=10s notice=10s|never
//!            block=always|never|30s open=20m|never active=never wrapup=15m idle=30s/60s
//! agent ada units=2               somebody at work; unknown agents have one unit
//! request ada                     they ask for something
//! feed ada closed|open            they lose, or open, their console
//! presence ada away               they choose a presence
//! start                           the customer asks for a chat
//! join tab1                       a session comes in, and beats on time from now on
//! silence tab1                    it sends nothing any more, and answers nothing
//! background tab1                 it sends nothing any more, but its browser answers pings
//! beat tab1                       it sends one beat now
//! leaving tab1 hidden|unloaded    its page announces that it is being left
//! lose tab1 closed:1001|reset|draining|refused      its connection is lost
//! post customer m1 "hi"           a message; or of an agent: post ada m1 "hi"
//! end customer | end ada | end by sue               the chat is over
//! offer ada | accept ada | decline ada | release ada | release by sue
//! close ada | close by sue | force-close by sue | assign ada by sue
//! at 12s | after 5s               time passes; timers are served when they are due
//! stall 5s                        time passes; the server is too busy to serve timers
//! wake                            a timer that may be due
//! restart after 10m               the server is down for so long; consoles come back, or not:
//!                                 restart after 10m without consoles
//! ```

use std::sync::Arc;

use holdline::domain::agent::Presence;
use holdline::domain::cause::{Cause, Leaving, Misuse};
use holdline::domain::conversation::command::{Authority, Command, StartRequest};
use holdline::domain::conversation::event::Author;
use holdline::domain::id::{AgentId, SessionId, VisitorId};
use holdline::domain::settings::{IdleRule, WrapupBlock};
use holdline::domain::text::{DisplayName, MessageText};
use holdline::domain::time::Span;

use crate::time;

/// One step of a story.
#[derive(Debug)]
pub(crate) enum Step {
    Configure(Vec<Setting>),
    Hire(AgentId, u32),
    Feed(AgentId, bool),
    Request(AgentId),
    Choose(AgentId, Presence),
    Join(SessionId),
    Live(SessionId, Manner),
    Beat(SessionId),
    Announce(SessionId, Leaving),
    Offer(AgentId),
    Ask(Command),
    At(Span),
    After(Span),
    Stall(Span),
    Restart(Span, bool),
}

/// How a session shows that it is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Manner {
    Beating,
    AnsweringPings,
    Silent,
}

/// One setting of the workstream.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Setting {
    Window(Span),
    Heartbeat(Span),
    Offer(Span),
    Declines(u8),
    Grace(Span),
    OfferGrace(Span),
    Notice(Option<Span>),
    Units(u32),
    Block(WrapupBlock),
    Open(Option<Span>),
    Active(Option<Span>),
    Wrapup(Option<Span>),
    Idle(Option<IdleRule>),
}

/// The session that a story calls `tab1`.
pub(crate) fn session(name: &str) -> Result<SessionId, String> {
    let number = name.strip_prefix("tab").and_then(|number| number.parse().ok());
    number.map(SessionId::from_bits).ok_or_else(|| format!("{name:?} is not a tab such as tab1"))
}

/// What one line asks.
pub(crate) fn parse(line: &str) -> Result<Step, String> {
    let words: Vec<_> = line.split_whitespace().collect();
    let unknown = || format!("{line:?} is not a step of a story");
    Ok(match words[..] {
        ["workstream", ref settings @ ..] => {
            Step::Configure(settings.iter().map(|one| setting(one)).collect::<Result<_, _>>()?)
        }
        ["agent", name, units] => {
            let units = units.strip_prefix("units=").and_then(|units| units.parse().ok());
            Step::Hire(agent(name)?, units.ok_or_else(unknown)?)
        }
        ["feed", name, "open"] => Step::Feed(agent(name)?, true),
        ["feed", name, "closed"] => Step::Feed(agent(name)?, false),
        ["presence", name, chosen] => {
            let presence = Presence::ALL.into_iter().find(|one| one.name() == chosen);
            Step::Choose(agent(name)?, presence.ok_or_else(unknown)?)
        }
        ["join", tab] => Step::Join(session(tab)?),
        ["silence", tab] => Step::Live(session(tab)?, Manner::Silent),
        ["background", tab] => Step::Live(session(tab)?, Manner::AnsweringPings),
        ["beat", tab] => Step::Beat(session(tab)?),
        ["leaving", tab, "hidden"] => Step::Announce(session(tab)?, Leaving::Hidden),
        ["leaving", tab, "unloaded"] => Step::Announce(session(tab)?, Leaving::Unloaded),
        ["offer", name] => Step::Offer(agent(name)?),
        ["at", at] => Step::At(time::parse(at)?),
        ["after", span] => Step::After(time::parse(span)?),
        ["stall", span] => Step::Stall(time::parse(span)?),
        ["request", name] => Step::Request(agent(name)?),
        ["restart", "after", span] => Step::Restart(time::parse(span)?, true),
        ["restart", "after", span, "without", "consoles"] => {
            Step::Restart(time::parse(span)?, false)
        }
        _ => Step::Ask(command(line, &words)?.ok_or_else(unknown)?),
    })
}

fn command(line: &str, words: &[&str]) -> Result<Option<Command>, String> {
    Ok(Some(match *words {
        ["start"] => start()?,
        ["lose", tab, cause] => {
            Command::Lose { session: session(tab)?, cause: parse_cause(cause)? }
        }
        ["post", from, id, ref others @ ..] => {
            let quoted = line.split_once('"').and_then(|(_, text)| text.strip_suffix('"'));
            let text = quoted.ok_or("a message stands in quotes")?;
            let by = match *others {
                ["by", supervisor, ..] => Some(agent(supervisor)?),
                _ => None,
            };
            Command::Post {
                by,
                from: if from == "customer" {
                    Author::Customer
                } else {
                    Author::Agent(agent(from)?)
                },
                id: told(id.parse())?,
                text: told(MessageText::parse(text))?,
            }
        }
        ["end", "customer"] => Command::EndByCustomer,
        ["end", ref by @ ..] => Command::End { by: authority(by)? },
        ["release", ref by @ ..] => Command::Release { by: authority(by)? },
        ["close", ref by @ ..] => Command::Close { by: authority(by)? },
        ["force-close", "by", supervisor] => Command::ForceClose { by: agent(supervisor)? },
        ["assign", name, "by", supervisor] => {
            Command::Assign { agent: agent(name)?, by: agent(supervisor)? }
        }
        ["accept", name] => {
            Command::Accept { by: None, agent: agent(name)?, name: told(DisplayName::parse(name))? }
        }
        ["accept", name, "by", supervisor] => Command::Accept {
            agent: agent(name)?,
            name: told(DisplayName::parse(name))?,
            by: Some(agent(supervisor)?),
        },
        ["decline", name] => Command::Decline { by: None, agent: agent(name)? },
        ["decline", name, "by", supervisor] => {
            Command::Decline { agent: agent(name)?, by: Some(agent(supervisor)?) }
        }
        ["wake"] => Command::Wake,
        _ => return Ok(None),
    }))
}

fn start() -> Result<Command, String> {
    Ok(Command::Start(StartRequest {
        widget: told("shop".parse())?,
        visitor: VisitorId::from_bits(1),
        start: told("s1".parse())?,
        salt: 0,
        name: None,
        form: None,
        context: None,
        page: Some(Arc::from("https://shop.example/")),
        locale: None,
    }))
}

fn authority(words: &[&str]) -> Result<Authority, String> {
    match *words {
        [name] => Ok(Authority::Agent(agent(name)?)),
        ["by", supervisor] => Ok(Authority::Supervisor(agent(supervisor)?)),
        _ => Err("expected an agent, or \"by\" and a supervisor".to_owned()),
    }
}

fn parse_cause(text: &str) -> Result<Cause, String> {
    Ok(match text {
        "reset" => Cause::Reset,
        "draining" => Cause::Draining,
        "refused" => Cause::Refused(Misuse::Protocol),
        _ => {
            let code = text.strip_prefix("closed:").and_then(|code| code.parse().ok());
            Cause::Closed(code.ok_or_else(|| format!("{text:?} is not a cause"))?)
        }
    })
}

fn setting(text: &str) -> Result<Setting, String> {
    let unknown = || format!("{text:?} is not a setting");
    let (name, value) = text.split_once('=').ok_or_else(unknown)?;
    let span = || time::parse(value);
    let maybe = || if value == "never" { Ok(None) } else { span().map(Some) };
    Ok(match name {
        "window" => Setting::Window(span()?),
        "heartbeat" => Setting::Heartbeat(span()?),
        "offer" => Setting::Offer(span()?),
        "declines" => Setting::Declines(told(value.parse())?),
        "grace" => Setting::Grace(span()?),
        "offer-grace" => Setting::OfferGrace(span()?),
        "notice" => Setting::Notice(maybe()?),
        "units" => Setting::Units(told(value.parse())?),
        "block" => Setting::Block(match value {
            "always" => WrapupBlock::Always,
            "never" => WrapupBlock::Never,
            _ => WrapupBlock::For(span()?),
        }),
        "open" => Setting::Open(maybe()?),
        "active" => Setting::Active(maybe()?),
        "wrapup" => Setting::Wrapup(maybe()?),
        "idle" => {
            let (warn, close) = value.split_once('/').ok_or_else(unknown)?;
            Setting::Idle(Some(IdleRule { warn: time::parse(warn)?, close: time::parse(close)? }))
        }
        _ => return Err(unknown()),
    })
}

fn agent(name: &str) -> Result<AgentId, String> {
    told(name.parse())
}

fn told<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}
