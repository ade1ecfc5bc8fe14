//! The findings of a run, in the form of the report.

use super::Act;
use super::meter::Part;
use crate::cost::Cost;
use crate::driver::fate::fate;
use crate::driver::tally::{Counts, Latencies, histogram};
use crate::ledger::{Findings, Wrong};
use crate::machine::Machine;
use crate::report::figures::{
    self, Count, FORM, Latency, Memory, PerBeat, PerChat, Phase, Run, Setting, Subject, Verdict,
};
use crate::strangers;
use crate::target::{Demands, Target};
use crate::workload::{How, Shape, Workload};

/// The report tells of a generator that uses more of its core than this.
const BUSY: f64 = 0.8;

/// If other processes had more than this share of the cores on which the servers were to be alone,
/// the run says nothing of the servers.
const FOREIGN_MAX: f64 = 0.1;

/// A server that has answered fewer than this share of the heartbeats was behind. It then works off
/// many at a time, so the cost of one means something else.
const ANSWERED_LEAST: f64 = 0.98;

/// The server's own counters that explain what customers and agents saw, and their wording.
const COUNTERS: [(&str, &str); 6] = [
    ("probes", "sessions that the server asked for a sign of life"),
    ("slow_feeds", "feeds that the server ended as slow"),
    ("slow_readers", "sockets that the server closed as slow"),
    ("journal_bytes", "bytes of the journal on the disk, once it was stopped"),
    ("projection_bytes", "bytes of what is read of it, the same"),
    ("mailbox_refusals", "messages not taken inside of the server"),
];

/// Puts the findings together.
pub(super) fn tell(act: &Act<'_>, target: &dyn Target, machine: &Machine) -> Run {
    let counts = act.crew.counts();
    let findings = act.ledger.find(act.audited, act.site.has_agents);
    let zeros = zeros(act, &counts, &findings);
    let void = void(act, &counts);
    let faults = zeros.iter().filter(|zero| zero.count > 0);
    let faults = faults.map(|zero| format!("{}: {}", zero.name, zero.count));
    let faults = faults.chain(act.faults.iter().cloned()).collect();
    let ended = act.meter.parts.last().map_or(act.meter.began(), |part| part.to);
    Run {
        form: FORM,
        scenario: act.workload.name.clone(),
        about: act.workload.about.clone(),
        began: act.began.clone(),
        took_s: ended.since(act.meter.began()).as_secs_f64(),
        target: subject(act, target),
        machine: of_machine(machine),
        workload: serde_json::to_value(act.workload).unwrap_or_default(),
        seed: act.workload.seed,
        repeat: act.options.repeat.clone(),
        verdict: Verdict { void, faults },
        empty: memory(&act.meter.empty),
        phases: act.meter.parts.iter().map(|part| phase(act, part)).collect(),
        latencies: latencies(act, &findings),
        zeros,
        counts: happened(act, &counts, &findings),
        series: act.series.told(&findings.notices),
        remarks: remarks(act),
    }
}

fn subject(act: &Act<'_>, target: &dyn Target) -> Subject {
    let demands = Demands { durable: act.workload.durable, ..Demands::default() };
    Subject {
        name: target.name().to_owned(),
        version: target.version().unwrap_or_default(),
        promise: target.promise(&demands).map(str::to_owned),
        processes: act.processes,
        allocator: None,
    }
}

pub(super) fn of_machine(machine: &Machine) -> figures::Machine {
    let setting = |name: &str, value: String| Setting { name: name.to_owned(), value };
    let mut limits = vec![
        setting("RLIMIT_NOFILE", machine.descriptors.to_string()),
        setting("fs.file-max", machine.descriptors_in_all.to_string()),
        setting("memory available", machine.available.to_string()),
    ];
    let crates = machine.crates.iter();
    limits.extend(crates.map(|(name, version)| setting(&format!("crate {name}"), version.clone())));
    figures::Machine {
        kernel: machine.kernel.clone(),
        processor: machine.processor.clone(),
        cores: u32::try_from(machine.cores).unwrap_or(0),
        memory: machine.memory,
        huge_pages: machine.settings.get("transparent_hugepage").cloned().unwrap_or_default(),
        limits,
        sysctls: machine.settings.iter().map(|(name, it)| setting(name, it.clone())).collect(),
    }
}

/// Why the figures may not be used.
fn void(act: &Act<'_>, counts: &Counts) -> Vec<String> {
    let mut void = Vec::new();
    let lateness = &act.latencies.lateness;
    let p99_ms = lateness.value_at_quantile(0.99) as f64 / 1_000.0;
    let bound = act.workload.lateness_p99_ms;
    if !lateness.is_empty() && p99_ms > bound {
        void.push(format!(
            "the generator was late: p99 {p99_ms:.1} ms, and {bound} ms are allowed"
        ));
    }
    let sessions = u64::from(act.workload.sessions);
    if counts.entered * 2 < sessions {
        void.push(format!("only {} of {sessions} customers came in", counts.entered));
    }
    if let Some((part, share)) = foreign(act).filter(|(_, share)| *share > FOREIGN_MAX) {
        let percent = share * 100.0;
        void.push(format!("others used {percent:.0} % of the servers' cores ({part})"));
    }
    if act.workload.slow.share > 0.0 && act.site.counters.get("slow_readers") == Some(&0.0) {
        void.push("nobody read so slowly that the server closed them".to_owned());
    }
    void
}

/// The part of the run in which other processes had the largest share of the servers' cores. The
/// part before everybody is in is not measured.
fn foreign(act: &Act<'_>) -> Option<(&'static str, f64)> {
    let parts = act.meter.parts.iter().filter(|part| part.name != "settle");
    let shares = parts.filter_map(|part| Some((part.name, part.foreign?)));
    shares.max_by(|one, other| one.1.total_cmp(&other.1))
}

/// What must not have happened.
fn zeros(act: &Act<'_>, counts: &Counts, findings: &Findings) -> Vec<Count> {
    let mut zeros = Vec::new();
    let mut zero = |name: &str, count: u64| zeros.push(Count { name: name.to_owned(), count });
    let sessions = u64::from(act.workload.sessions);
    zero("customers who did not come in", sessions.saturating_sub(counts.entered));
    zero("notices too early", findings.early);
    zero("notices missed", findings.missed);
    zero("notices told twice", findings.twice);
    zero("notices after a return", findings.after_return);
    zero("notices after an end", findings.after_end);
    zero("chats lost by customers who were in time", findings.places_lost);
    let mut message = |whose: &str, wrong: Wrong| {
        zero(&format!("{whose} lost"), wrong.lost);
        zero(&format!("{whose} twice"), wrong.twice);
        zero(&format!("{whose} out of order"), wrong.reordered);
    };
    let leaves = act.workload.agents.leave_share > 0.0;
    message("posts at the agents", act.ledger.fed(!leaves && act.workload.restart.is_none()));
    message("replies at the customers", act.ledger.heard(act.audited));
    message("messages in the transcripts", act.transcripts);
    if let Some(strangers) = &act.strangers {
        zero("operators' and agents' requests that were not answered", strangers.unanswered);
        zero("attempts of strangers that were not made", strangers.missed);
    }
    zero("sockets closed without a reason", counts.closes_unexpected.values().sum());
    for (code, count) in &counts.refusals {
        zero(&format!("requests refused: {code}"), *count);
    }
    if let Some(accounts) = &act.accounts {
        zero("agents whose units are not the sum of their leases", accounts.unequal);
        zero("leases that do not match a chat", accounts.strayed);
        zero("drift found by the server", accounts.drift);
    }
    let told = act.site.counters.get("expiries").copied();
    if let (Some(told), None) = (told, &act.workload.restart) {
        let fewest = findings.windows_ended;
        // Strangers leave chats of their own, whose windows may or may not be over by now.
        let most = fewest + act.strangers.as_ref().map_or(0, strangers::Told::chats);
        let told = told as u64;
        let wrong = fewest.saturating_sub(told) + told.saturating_sub(most);
        zero("ends of windows, more or fewer than there were", wrong);
    }
    zeros
}

/// What happened.
fn happened(act: &Act<'_>, counts: &Counts, findings: &Findings) -> Vec<Count> {
    let mut all = Vec::new();
    let mut add = |name: &str, count: u64| all.push(Count { name: name.to_owned(), count });
    add("customers who came in", counts.entered);
    add("heartbeats", counts.beats);
    add("heartbeats answered", counts.beats_answered);
    add("posts", counts.posts);
    add("posts acknowledged", counts.posted);
    add("posts said again", counts.reposts);
    add("posts with nobody there", counts.posts_skipped);
    add("replies heard", counts.heard);
    add("customers lost", counts.lost);
    add("returns", counts.resumed);
    add("returns too late", counts.restarted);
    add("chats ended", counts.ended);
    add("chats over by themselves", counts.over);
    add("goodbyes of the server", counts.byes);
    for (how, count) in &counts.closes_expected {
        add(&format!("sockets closed with a reason: {how}"), *count);
    }
    for (how, count) in &counts.closes_unexpected {
        add(&format!("sockets closed without a reason: {how}"), *count);
    }
    add("connects that failed", counts.connects_failed);
    let slow = |customer: &u32| fate(act.workload, *customer).is_slow;
    add("customers who read slowly", (0..act.workload.sessions).filter(slow).count() as u64);
    if let Some(strangers) = &act.strangers {
        strangers
            .outcomes
            .iter()
            .for_each(|(what, count)| add(&format!("strangers, {what}"), *count));
        add("operators' and agents' requests answered beside them", strangers.answered);
        add("microseconds of the slowest of these", strangers.slowest_us);
    }
    add("bytes resident in the drivers", counts.resident);
    add("notices", act.ledger.notices);
    add("windows ended", findings.windows_ended);
    add("windows ended with no agent to tell", findings.unwatched);
    add("chats accepted by agents", act.ledger.accepted);
    add("transcripts compared", act.transcripts_read);
    add("messages in those", act.transcripts.checked);
    if let Some(accounts) = &act.accounts {
        add("leases compared", accounts.leases);
    }
    for (counter, words) in COUNTERS {
        if let Some(count) = act.site.counters.get(counter) {
            add(words, *count as u64);
        }
    }
    all
}

fn latencies(act: &Act<'_>, findings: &Findings) -> Vec<Latency> {
    let Latencies { connect, ready, beat, post, resume, lateness, staying_beat, staying_post } =
        &act.latencies;
    let mut notices = histogram();
    findings.notices.iter().for_each(|(_, late)| notices.saturating_record(*late));
    let from = match act.workload.shape {
        Shape::Open => "from its due time to the answer",
        Shape::Closed => "from its sending to the answer",
    };
    let all = [
        ("connect", "from its due time to the answer to the upgrade", connect),
        ("ready", "from the upgrade until the customer is in the chat", ready),
        ("heartbeat", from, beat),
        ("post", "from its due time to the acknowledgement", post),
        ("post before", "of those who stay, due before the storm", &staying_post.before),
        ("post in storm", "of those who stay, due in the storm", &staying_post.storm),
        ("post after", "of those who stay, due after the storm", &staying_post.after),
        ("beat before", "of those who stay, due before the storm", &staying_beat.before),
        ("beat in storm", "of those who stay, due in the storm", &staying_beat.storm),
        ("beat after", "of those who stay, due after the storm", &staying_beat.after),
        ("post to agent", "from its due time until an agent has it", &act.ledger.feed),
        ("resume", "from the due time of a return until the chat is back", resume),
        ("notice", "from the deadline until an agent was told", &notices),
        ("generator", "how late the generator itself was", lateness),
    ];
    let some = all.into_iter().filter(|(.., histogram)| !histogram.is_empty());
    some.map(|(name, about, histogram)| Latency::of(name, about, histogram)).collect()
}

fn memory(cost: &Cost) -> Memory {
    Memory {
        resident: cost.resident,
        proportional: cost.proportional,
        huge: cost.huge,
        slab: cost.slab_sum().unwrap_or(0),
    }
}

fn phase(act: &Act<'_>, part: &Part) -> Phase {
    let cost = &part.cost;
    let took_s = part.to.since(part.from).as_secs_f64();
    let counts = &part.counts;
    let rate = counts.beats as f64 / (counts.elapsed_us.max(1) as f64 / 1e6);
    let beats = if part.name == "work" { rate * took_s } else { 0.0 };
    let keeps_up = !is_behind(counts);
    let per_beat = (is_beats_alone(act.workload) && beats > 0.0 && keeps_up).then(|| PerBeat {
        processor_us: (cost.processor_us as f64 - act.meter.empty_us_per_s * took_s) / beats,
        per_s: rate,
    });
    let empty = &act.meter.empty;
    // One chat in a hundred may be on its way; then the figure still says what a chat takes.
    let each = |now: u64, empty: u64| now.saturating_sub(empty) as f64 / counts.entered as f64;
    let is_enough = counts.entered >= 100 && part.name != "ramp";
    let per_chat = is_enough.then(|| PerChat {
        resident: each(cost.resident, empty.resident),
        proportional: each(cost.proportional, empty.proportional),
        // Both ends of each socket are on this machine.
        slab: each(cost.slab_sum().unwrap_or(0), empty.slab_sum().unwrap_or(0)) / 2.0,
    });
    Phase {
        name: part.name.to_owned(),
        from_s: part.from.since(act.meter.began()).as_secs_f64(),
        took_s,
        memory: memory(cost),
        user_us: cost.user_us,
        system_us: cost.system_us,
        switches_voluntary: cost.voluntary,
        switches_forced: cost.involuntary,
        queued_us: cost.waited_us,
        chats: counts.ready,
        beats: beats as u64,
        per_chat,
        per_beat,
    }
}

/// Whether heartbeats are answered, but too few were.
fn is_behind(counts: &Counts) -> bool {
    let answered = counts.beats_answered as f64;
    answered > 0.0 && answered < counts.beats as f64 * ANSWERED_LEAST
}

/// The most memory that the server had in the work beyond what it had before.
fn growth_in_work(act: &Act<'_>) -> Option<String> {
    let before = act.meter.parts.iter().find(|part| part.name == "settle")?.cost.resident;
    let most = act.series.most_resident().max(before);
    let kibibytes = (most - before) >> 10;
    Some(format!("The server had at most {kibibytes} KiB more resident than before the work."))
}

/// Whether the workload does nothing but heartbeats.
fn is_beats_alone(workload: &Workload) -> bool {
    let is_quiet = workload.posts.per_s == 0.0 && workload.agents.posts_per_s == 0.0;
    let nobody_acts = workload.losses.iter().all(|loss| loss.share == 0.0);
    is_quiet
        && nobody_acts
        && workload.strangers.is_none()
        && workload.restart.is_none()
        && workload.slow.share == 0.0
}

fn remarks(act: &Act<'_>) -> Vec<String> {
    let mut remarks = act.remarks.clone();
    let busiest = act.crew.busiest();
    remarks.push(format!("The busiest driver used {:.0} % of a core.", busiest * 100.0));
    if busiest > BUSY {
        remarks.push("A driver was busy for more than 80 % of the time.".to_owned());
    }
    if act.workload.shape == Shape::Closed {
        remarks
            .push("The loop was closed: what the server did while it was slow is hidden.".into());
    }
    if act.workload.losses.iter().any(|loss| loss.how == How::Silent) {
        remarks.push("An absence in silence counts from the last frame that was sent.".to_owned());
    }
    if let Some((part, share)) = foreign(act) {
        let percent = share * 100.0;
        remarks.push(format!("Others used {percent:.1} % of the servers' cores at most ({part})."));
    }
    let work = act.meter.parts.iter().find(|part| part.name == "work");
    if let Some(Part { counts, .. }) = work.filter(|part| is_behind(&part.counts)) {
        let Counts { beats, beats_answered, .. } = counts;
        remarks.push(format!(
            "Of {beats} heartbeats {beats_answered} were answered by the end of the work: the \
             server was behind, and what one costs is not told."
        ));
    }
    if act.workload.slow.share > 0.0 || act.workload.strangers.is_some() {
        remarks.extend(growth_in_work(act));
    }
    let idle = act.meter.empty_us_per_s / 1e4;
    remarks.push(format!("The empty server used {idle:.2} % of a core, which was taken off."));
    remarks
}
