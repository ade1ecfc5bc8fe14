//! The page of one run.

use maud::{Markup, html};

use super::{machine, page as whole, plots, repeat};
use crate::report::figures::{Count, Judgement, Latency, Phase, Run, Second};
use crate::report::plot::{Axis, Line, Plot};
use crate::report::text::{bytes, number, round_bytes, time};

/// The page of a run.
///
/// # Errors
/// When a plot cannot be drawn, which is a fault of this program.
pub fn page(run: &Run) -> anyhow::Result<String> {
    let title = format!("{} on {}", run.scenario, run.target.name);
    let body = html! {
        h1 { (title) }
        p.soft { (run.about) }
        p.soft {
            (run.target.name) " " (run.target.version) " · " (run.began) " · "
            (number(run.took_s)) " s"
        }
        (verdict(run))
        (tiles(run))
        h2 { "How long things took" }
        (latencies(&run.latencies))
        (plots(&percentiles(&run.latencies))?)
        h2 { "What must be zero" }
        (counts(&run.zeros, true))
        h2 { "What it cost" }
        (phases(run))
        h2 { "Second by second" }
        (plots(&series(&run.series))?)
        h2 { "What happened" }
        (counts(&run.counts, false))
        @if !run.remarks.is_empty() {
            ul.soft { @for remark in &run.remarks { li { (remark) } } }
        }
        @if let Some(promise) = &run.target.promise {
            p { "An acknowledged post means: " (promise) "." }
        }
        (repeat(&run.repeat))
        h2 { "Machine" }
        (machine(&run.machine))
        h2 { "Workload" }
        p.soft { "Seed " (run.seed) }
        pre { (serde_json::to_string_pretty(&run.workload)?) }
    };
    Ok(whole(&title, &body))
}

fn verdict(run: &Run) -> Markup {
    let (class, word, about) = match run.verdict.judgement() {
        Judgement::Passed => ("passed", "Passed", "Everything that must be zero is zero."),
        Judgement::Failed => ("failed", "Failed", "The server did what it must not do:"),
        Judgement::Void => ("void", "Void", "The figures say nothing of the server:"),
    };
    let reasons = run.verdict.void.iter().chain(&run.verdict.faults);
    html! {
        div class=(format!("verdict {class}")) {
            strong { (word) }
            span { (about) }
            @if run.verdict.judgement() != Judgement::Passed {
                ul { @for reason in reasons { li { (reason) } } }
            }
        }
    }
}

/// The figures that a reader looks for first.
fn tiles(run: &Run) -> Markup {
    let mut tiles: Vec<(String, String)> = Vec::new();
    let mut add = |value: String, name: String| tiles.push((value, name));
    if let Some(phase) = run.phases.iter().max_by_key(|phase| phase.chats) {
        add(number(phase.chats as f64), "chats at once".into());
    }
    let work = run.phases.iter().find(|phase| phase.name == "work" || phase.name == "settle");
    let each = work.and_then(|phase| phase.per_chat);
    if let Some(each) = each {
        add(bytes(each.resident), "resident for each chat".into());
        add(bytes(each.slab), "in the kernel for each socket".into());
    }
    if let Some(beat) = run.phases.iter().rev().find_map(|phase| phase.per_beat) {
        let name = format!("of processor for a heartbeat, at {} a second", number(beat.per_s));
        add(time(beat.processor_us), name);
    }
    for (name, about) in [
        ("notice", "after the deadline, p99 of notices"),
        ("resume", "until a returning customer is back, p99"),
        ("post", "until a post is acknowledged, p99"),
        ("heartbeat", "until a heartbeat is answered, p99"),
    ] {
        if let Some(latency) = run.latencies.iter().find(|latency| latency.name == name) {
            add(time(latency.p99_us as f64), about.into());
        }
    }
    html! {
        div.tiles { @for (value, name) in &tiles { div.tile { b { (value) } span { (name) } } } }
    }
}

fn latencies(latencies: &[Latency]) -> Markup {
    let cell = |us: u64| time(us as f64);
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th { "" } th { "count" } th { "median" } th { "p90" } th { "p99" }
                        th { "p99.9" } th { "most" } th.long { "from when to when" }
                    }
                }
                tbody {
                    @for latency in latencies {
                        tr {
                            td { (latency.name) }
                            td { (number(latency.count as f64)) }
                            td { (cell(latency.p50_us)) } td { (cell(latency.p90_us)) }
                            td { (cell(latency.p99_us)) } td { (cell(latency.p999_us)) }
                            td { (cell(latency.most_us)) }
                            td.long.soft { (latency.about) }
                        }
                    }
                }
            }
        }
    }
}

fn counts(counts: &[Count], must_be_zero: bool) -> Markup {
    let class = |count: &Count| match (must_be_zero, count.count) {
        (false, _) => "",
        (true, 0) => "zero",
        (true, _) => "wrong",
    };
    let shown = counts.iter().filter(|count| must_be_zero || count.count > 0);
    let shown: Vec<&Count> = shown.collect();
    // The two tables stand side by side, so that a long list does not make a long page.
    let half = shown.len().div_ceil(2).max(1);
    html! {
        div.two {
            @for part in shown.chunks(half) {
                div.scroll {
                    table {
                        tbody {
                            @for count in part {
                                tr {
                                    td.long { (count.name) }
                                    td class=(class(count)) { (number(count.count as f64)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn phases(run: &Run) -> Markup {
    let dash = || "–".to_owned();
    let cores = |phase: &Phase| {
        (phase.user_us + phase.system_us) as f64 / 1e6 / phase.took_s.max(f64::MIN_POSITIVE)
    };
    html! {
        div.scroll {
            table {
                thead {
                    tr {
                        th { "part" } th { "time" } th { "chats" } th { "resident" }
                        th { "huge pages" } th { "B a chat" } th { "kernel B" } th { "cores" }
                        th { "µs a heartbeat" } th { "heartbeats/s" } th { "switches" }
                        th { "waited for a core" }
                    }
                }
                tbody {
                    @for phase in &run.phases {
                        tr {
                            td { (phase.name) }
                            td { (number(phase.took_s)) " s" }
                            td { (number(phase.chats as f64)) }
                            td { (bytes(phase.memory.resident as f64)) }
                            td { (bytes(phase.memory.huge as f64)) }
                            td { (phase.per_chat.map_or_else(dash, |each| number(each.resident))) }
                            td { (phase.per_chat.map_or_else(dash, |each| number(each.slab))) }
                            td { (number(cores(phase))) }
                            td {
                                (phase.per_beat.map_or_else(dash, |each| number(each.processor_us)))
                            }
                            td { (phase.per_beat.map_or_else(dash, |each| number(each.per_s))) }
                            td {
                                (number((phase.switches_voluntary + phase.switches_forced) as f64))
                            }
                            td { (time(phase.queued_us as f64)) }
                        }
                    }
                }
            }
        }
        p.soft { "The empty server had " (bytes(run.empty.resident as f64)) " resident." }
    }
}

/// How a share of all values reads on an axis that counts the nines: 2 is 99 of 100.
fn nines(at: f64) -> String {
    let share = 100.0 * (1.0 - 10_f64.powf(-at));
    match at {
        at if at < 0.05 => "0 %".into(),
        at if at.fract().abs() > 0.01 => String::new(),
        at => format!("{share:.*} %", (at - 2.0).max(0.0) as usize),
    }
}

/// Latencies before the work, and after a loss; all others belong to the work itself.
const COMING: [&str; 3] = ["connect", "ready", "resume"];

/// The endings of the names of latencies of customers who stay through a storm.
const STAYING: [&str; 3] = [" before", " in storm", " after"];

/// Coming, working and staying, in plots of their own, so that none has more lines than there are
/// colours.
fn percentiles(latencies: &[Latency]) -> [Plot; 3] {
    let stays = |latency: &&Latency| STAYING.iter().any(|part| latency.name.ends_with(part));
    let (staying, all): (Vec<&Latency>, Vec<&Latency>) = latencies.iter().partition(stays);
    let (coming, working): (Vec<&Latency>, Vec<&Latency>) =
        all.into_iter().partition(|latency| COMING.contains(&latency.name.as_str()));
    [
        percentile("Those who stay through the storm: share below a time", &staying),
        percentile("Coming and returning: share below a time", &coming),
        percentile("Work: share below a time", &working),
    ]
}

fn percentile(title: &str, latencies: &[&Latency]) -> Plot {
    let line = |latency: &Latency| {
        let most = (latency.count.max(1) as f64).log10().min(6.0);
        let points = latency.points.iter();
        let points = points.map(|point| (-(1.0 - point.share).log10(), point.us as f64));
        Line {
            name: latency.name.clone(),
            points: points
                .filter(|(nines, _)| *nines > 0.02)
                .map(|(nines, us)| (nines.min(most), us.max(1.0)))
                .collect(),
            ..Line::default()
        }
    };
    Plot {
        title: title.into(),
        x: Axis { label: "share", is_log: false, read: nines },
        y: Axis { label: "time", is_log: true, read: time },
        lines: latencies.iter().copied().map(line).collect(),
        bounds: Vec::new(),
    }
}

const SECONDS: Axis = Axis { label: "seconds of the run", is_log: false, read: number };

fn series(seconds: &[Second]) -> Vec<Plot> {
    let line = |name: &str, value: &dyn Fn(&Second) -> Option<f64>| Line {
        name: name.into(),
        points: seconds
            .iter()
            .filter_map(|second| value(second).map(|value| (second.at_s, value)))
            .collect(),
        ..Line::default()
    };
    let plot = |title: &str, label: &'static str, read: fn(f64) -> String, lines| {
        let y = Axis { label, is_log: false, read };
        Plot { title: title.into(), x: SECONDS, y, lines, bounds: Vec::new() }
    };
    let count = |value: u64| Some(value as f64);
    let mut all = vec![
        plot("Connections", "open", number, vec![line("open", &|at| count(at.connections))]),
        plot(
            "Memory of the server",
            "resident",
            round_bytes,
            vec![line("resident", &|at| count(at.resident))],
        ),
        plot(
            "Processor time",
            "cores",
            number,
            vec![
                line("server", &|at| Some(at.cores)),
                line("generator", &|at| Some(at.generator_cores)),
            ],
        ),
        plot(
            "Heartbeats and posts",
            "in a second",
            number,
            vec![line("heartbeats", &|at| count(at.beats)), line("posts", &|at| count(at.posts))],
        ),
        plot("Notices", "in a second", number, vec![line("notices", &|at| count(at.notices))]),
        plot(
            "Notices after the deadline, p99",
            "lateness",
            time,
            vec![line("p99", &|at| at.lateness_p99_us.map(|us| us as f64))],
        ),
    ];
    // A line that stays at zero says nothing.
    all.retain(|plot| {
        plot.lines.iter().any(|line| line.points.iter().any(|(_, value)| *value > 0.0))
    });
    for plot in &mut all {
        plot.lines.retain(|line| line.points.iter().any(|(_, value)| *value > 0.0));
    }
    all
}
