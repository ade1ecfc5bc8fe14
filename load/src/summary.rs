//! What a run has found, as text for a terminal.

use std::fmt::Write as _;

use holdline::domain::text::printable;

use crate::report::figures::{Judgement, Latency, Phase, Run};

/// The summary of a run.
pub fn summary(run: &Run) -> String {
    let mut text = String::new();
    // Writing to memory does not fail.
    let _ = write(run, &mut text);
    text
}

fn write(run: &Run, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n{} on {} {}", run.scenario, run.target.name, printable(&run.target.version))?;
    writeln!(out, "  {}", run.about)?;
    let machine = &run.machine;
    let cores = match machine.cores {
        1 => "1 core".to_owned(),
        cores => format!("{cores} cores"),
    };
    writeln!(out, "  {cores}, {}, Linux {}", machine.processor, machine.kernel)?;
    if let Some(promise) = &run.target.promise {
        writeln!(out, "  an acknowledged post means: {promise}")?;
    }
    writeln!(
        out,
        "\n  {:8} {:>7} {:>7} {:>9} {:>9} {:>8} {:>8} {:>10} {:>9} {:>9}",
        "part",
        "s",
        "chats",
        "resident",
        "B a chat",
        "kernel B",
        "cpu %",
        "µs a beat",
        "beats/s",
        "switches"
    )?;
    for phase in &run.phases {
        write_phase(phase, out)?;
    }
    writeln!(out, "  empty: {} KiB resident", run.empty.resident >> 10)?;
    writeln!(
        out,
        "\n  {:14} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}   (ms)",
        "latency", "count", "p50", "p90", "p99", "p99.9", "most"
    )?;
    for latency in &run.latencies {
        write_latency(latency, out)?;
    }
    writeln!(out)?;
    for count in run.counts.iter().filter(|count| count.count > 0) {
        writeln!(out, "  {:9} {}", count.count, printable(&count.name))?;
    }
    writeln!(out)?;
    for remark in &run.remarks {
        writeln!(out, "  {}", printable(remark))?;
    }
    let (bad, good): (Vec<_>, Vec<_>) = run.zeros.iter().partition(|zero| zero.count > 0);
    writeln!(out, "  {} counts that must be zero are zero", good.len())?;
    for zero in bad {
        writeln!(out, "  MUST BE ZERO: {} {}", zero.count, printable(&zero.name))?;
    }
    match run.verdict.judgement() {
        Judgement::Passed => writeln!(out, "\nPASSED"),
        Judgement::Failed => {
            writeln!(out, "\nFAILED: {}", printable(&run.verdict.faults.join("; ")))
        }
        Judgement::Void => writeln!(
            out,
            "\nVOID, the figures say nothing of the server: {}",
            printable(&run.verdict.void.join("; "))
        ),
    }
}

fn write_phase(phase: &Phase, out: &mut String) -> std::fmt::Result {
    let dash = || "–".to_owned();
    let cpu = (phase.user_us + phase.system_us) as f64 / phase.took_s.max(0.001) / 1e4;
    let per_chat = phase.per_chat;
    writeln!(
        out,
        "  {:8} {:>7.1} {:>7} {:>7} K {:>9} {:>8} {:>8.1} {:>10} {:>9} {:>9}",
        phase.name,
        phase.took_s,
        phase.chats,
        phase.memory.resident >> 10,
        per_chat.map_or_else(dash, |each| format!("{:.0}", each.resident)),
        per_chat.map_or_else(dash, |each| format!("{:.0}", each.slab)),
        cpu,
        phase.per_beat.map_or_else(dash, |each| format!("{:.2}", each.processor_us)),
        phase.per_beat.map_or_else(dash, |each| format!("{:.0}", each.per_s)),
        phase.switches_voluntary + phase.switches_forced,
    )
}

fn write_latency(latency: &Latency, out: &mut String) -> std::fmt::Result {
    let ms = |us: u64| us as f64 / 1_000.0;
    writeln!(
        out,
        "  {:14} {:>9} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.2}   {}",
        latency.name,
        latency.count,
        ms(latency.p50_us),
        ms(latency.p90_us),
        ms(latency.p99_us),
        ms(latency.p999_us),
        ms(latency.most_us),
        latency.about,
    )
}
