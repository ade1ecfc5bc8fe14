//! What is done to each target of a comparison, and how it is made equal.

use super::CompareArguments;
use super::contestant::Contestant;
use crate::workload::Workload;

/// Bytes that each socket receives before memory is read: a buffer that keeps the size it grew to
/// shows only then.
const PADDING: u32 = 4_608;

/// Connects in a second while memory is measured.
const CALM_PER_S: u32 = 1_000;

/// Connects in a second while it is measured how many a server takes.
const RUSH_PER_S: u32 = 20_000;

/// Chats that one agent can hold here.
const CHATS: u32 = 1_000;

/// The works of a comparison.
pub(super) struct Works {
    sessions: u32,
    /// Seconds between two heartbeats of a customer.
    every_s: f64,
    window_s: f64,
    seconds: f64,
    lateness_ms: f64,
}

impl Works {
    /// The works for these arguments.
    pub(super) fn of(arguments: &CompareArguments) -> anyhow::Result<Self> {
        let works = Self {
            sessions: arguments.sessions,
            every_s: f64::from(arguments.sessions) / arguments.heartbeats_per_second,
            window_s: arguments.window,
            seconds: arguments.seconds,
            lateness_ms: arguments.lateness,
        };
        // Refuses values out of range before any target is started.
        parse(&works.text("idle", "", CALM_PER_S))?;
        Ok(works)
    }

    /// How the works are made equal, in sentences.
    pub(super) fn about(&self, arguments: &CompareArguments) -> Vec<String> {
        vec![
            format!(
                "{} customers on loopback, plain WebSocket without compression, {:.0} heartbeats \
                 a second in all, one of each customer every {:.1} s; where the protocol has the \
                 server ask, it asks as often.",
                self.sessions, arguments.heartbeats_per_second, self.every_s
            ),
            format!(
                "Memory is the server's own, less the empty server, after {PADDING} bytes were \
                 received on each socket. Every server runs in one process with its defaults, \
                 except for what its configuration in load/peers says. The kernel's memory is that \
                 of the whole machine, and says nothing while others work on it."
            ),
            format!(
                "A second party is told that somebody lost did not return within {} s; every \
                 grace is set so that this is the whole time from the drop to the notice.",
                self.window_s
            ),
        ]
    }

    /// Connected, and nothing but heartbeats.
    pub(super) fn idle(&self, _contestant: &Contestant) -> anyhow::Result<Workload> {
        parse(&self.text("idle", &format!("padding = {{ bytes = {PADDING} }}"), CALM_PER_S))
    }

    /// Everybody is lost at once; half of them return.
    pub(super) fn drop(&self, contestant: &Contestant) -> anyhow::Result<Workload> {
        let mut rest = String::new();
        if contestant.no_grace.is_none() {
            let agents = self.sessions.div_ceil(CHATS).max(1);
            rest = format!("agents = {{ count = {agents}, chats = {CHATS} }}\n");
        }
        rest.push_str("[[losses]]\nshare = 0.5\nhow = \"reset\"\nat_s = 1\n");
        rest.push_str("[[losses]]\nshare = 0.5\nhow = \"reset\"\nat_s = 1\n");
        if contestant.no_return.is_none() {
            rest.push_str("back = 1.0\nback_after_s = [0.5, 1.5]\n");
        }
        let mut workload = parse(&self.text("drop", &rest, RUSH_PER_S))?;
        workload.duration_s = self.seconds.min(4.0);
        Ok(workload)
    }

    fn text(&self, name: &str, rest: &str, per_s: u32) -> String {
        let Self { sessions, every_s, window_s, seconds, lateness_ms } = self;
        // Silence must not end a session within the work; it is no part of it.
        let window_s = if name == "idle" { every_s.mul_add(2.0, 60.0) } else { *window_s };
        let every_s = if name == "idle" { *every_s } else { every_s.min(window_s / 2.0) };
        format!(
            "name = \"{name}\"\nsessions = {sessions}\nduration_s = {seconds}\n\
             window_s = {window_s}\nlateness_p99_ms = {lateness_ms}\npatience_s = 10\n\
             servers = 1\nramp = {{ per_s = {per_s}, patience_s = 60 }}\n\
             heartbeat = {{ every_s = {every_s} }}\n{rest}\n"
        )
    }
}

fn parse(text: &str) -> anyhow::Result<Workload> {
    Workload::parse(text, &[])
}
