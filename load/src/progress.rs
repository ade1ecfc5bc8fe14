//! What is shown while a run goes on: a line that moves on a terminal, plain lines elsewhere.

use std::io::{IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressStyle};

use crate::clock::{self, Moment};
use crate::driver::tally::Counts;
use crate::ledger::Ledger;
use crate::workload::Workload;

/// Seconds between two plain lines.
const PLAIN_EVERY: std::time::Duration = std::time::Duration::from_secs(5);

/// What is shown.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    is_plain: bool,
    phase: &'static str,
    plain_due: Moment,
}

impl Progress {
    /// Shows progress, or nothing at all.
    pub(crate) fn new(is_shown: bool, name: &str) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = (is_shown && is_terminal).then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {msg}") {
                bar.set_style(style);
            }
            bar.set_prefix(name.to_owned());
            bar
        });
        let is_plain = is_shown && !is_terminal;
        Self { bar, is_plain, phase: "start", plain_due: clock::now() }
    }

    /// Another part begins.
    pub(crate) fn phase(&mut self, phase: &'static str) {
        self.phase = phase;
        self.plain_due = clock::now();
    }

    /// Shows how far the run is.
    pub(crate) fn show(&mut self, counts: &Counts, ledger: &Ledger, workload: &Workload) {
        let text = format!(
            "{}: {} of {} in, {} beats, {} posted, {} lost, {} resumed, {} told",
            self.phase,
            counts.ready,
            workload.sessions,
            counts.beats,
            counts.posted,
            counts.lost,
            counts.resumed,
            ledger.notices,
        );
        if let Some(bar) = &self.bar {
            bar.set_message(text);
            bar.tick();
        } else if self.is_plain && clock::now() >= self.plain_due {
            self.plain_due = clock::now().after(PLAIN_EVERY);
            // Progress that cannot be shown is no reason to stop.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// The run is over.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
