//! A comparison as text for a terminal.

use std::fmt::Write as _;

use crate::report::figures::{Compared, Comparison, Measure};
use crate::report::number;

/// The comparison as a table: a line for each target, a column for each measure.
pub(super) fn table(comparison: &Comparison) -> String {
    let mut out = String::new();
    // Writing to memory does not fail.
    let _ = write(comparison, &mut out);
    out
}

fn write(comparison: &Comparison, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n{}, median of {} rounds (least–most)", comparison.name, comparison.rounds)?;
    for sentence in &comparison.about {
        writeln!(out, "  {sentence}")?;
    }
    let first = comparison.targets.first().map(|target| target.measures.as_slice());
    for (place, measure) in first.unwrap_or_default().iter().enumerate() {
        writeln!(out, "\n  {} [{}]", measure.name, measure.unit)?;
        for target in &comparison.targets {
            let name = format!("{} {}", target.target.name, target.target.version);
            writeln!(out, "    {name:24} {}", cell(comparison, target, place))?;
        }
    }
    writeln!(out)?;
    for target in &comparison.targets {
        if let Some(promise) = &target.target.promise {
            writeln!(out, "  {:12} acknowledges a post when: {promise}", target.target.name)?;
        }
    }
    for target in &comparison.targets {
        for complaint in &target.complaints {
            writeln!(out, "  {:12} {complaint}", target.target.name)?;
        }
    }
    Ok(())
}

fn cell(comparison: &Comparison, target: &Compared, place: usize) -> String {
    if let Some(absent) = &target.absent {
        return format!("not here: {absent}");
    }
    let Some(measure) = target.measures.get(place) else { return "–".into() };
    let times = comparison.times_floor(place, target);
    let times = times.map_or_else(String::new, |times| {
        let [median, least, most] = [times.median, times.least, times.most].map(number);
        format!("  {median} × the floor  ({least}–{most})")
    });
    format!("{:32}{times}", value(measure)).trim_end().to_owned()
}

fn value(measure: &Measure) -> String {
    match (&measure.missing, measure.spread()) {
        (Some(missing), _) => format!("N/A: {missing}"),
        (None, None) => "no figure".into(),
        (None, Some(spread)) => format!(
            "{:>10}  ({}–{})",
            number(spread.median),
            number(spread.least),
            number(spread.most)
        ),
    }
}
