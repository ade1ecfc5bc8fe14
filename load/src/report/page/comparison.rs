//! The page of a comparison.

use maud::{Markup, html};

use super::{machine, page as whole, repeat};
use crate::report::figures::{Compared, Comparison, Measure};
use crate::report::text::number;

/// The page of a comparison.
///
/// # Errors
/// None at present; as with the other pages, a plot could fail.
pub fn page(comparison: &Comparison) -> anyhow::Result<String> {
    let first = comparison.targets.first().map(|target| target.measures.as_slice());
    let places = first.unwrap_or_default().iter().enumerate();
    let body = html! {
        h1 { (comparison.name) }
        p.soft {
            (comparison.began) " · " (comparison.rounds) " rounds, in each every target in turn · "
            "a bar is the median, the line in it reaches from the least to the greatest"
        }
        @for sentence in &comparison.about { p { (sentence) } }
        div.measures {
            @for (place, measure) in places {
                div.card { (bars(comparison, place, measure)) }
            }
        }
        h2 { "Who took part" }
        (subjects(&comparison.targets))
        (complaints(&comparison.targets))
        (repeat(&comparison.repeat))
        h2 { "Machine" }
        (machine(&comparison.machine))
    };
    Ok(whole(&comparison.name, &body))
}

/// One measure of all targets, as bars of one scale.
fn bars(comparison: &Comparison, place: usize, measure: &Measure) -> Markup {
    let targets = &comparison.targets;
    let spreads = || targets.iter().filter_map(|target| target.measures.get(place)?.spread());
    let most = spreads().map(|spread| spread.most).fold(f64::MIN_POSITIVE, f64::max);
    let percent = |value: f64| format!("{:.2}%", 100.0 * (value / most).clamp(0.0, 1.0));
    let better = if measure.is_more_better { "more is better" } else { "less is better" };
    let has_floor = targets.iter().any(|target| comparison.times_floor(place, target).is_some());
    let times = if has_floor { "; × is times the floor" } else { "" };
    html! {
        h3 { (measure.name) " " span.soft { "in " (measure.unit) ", " (better) (times) } }
        div.rows {
            @for target in targets {
                div.name.own[target.target.name == "holdline"] { (target.target.name) }
                @match target.measures.get(place).and_then(Measure::spread) {
                    Some(spread) => {
                        div.track {
                            div.bar style=(format!("width:{}", percent(spread.median))) {}
                            div.reach style=(format!(
                                "left:{};width:{}",
                                percent(spread.least),
                                percent(spread.most - spread.least)
                            )) {}
                        }
                        div.value {
                            (number(spread.median))
                            @if let Some(times) = comparison.times_floor(place, target) {
                                span.soft { " · " (number(times.median)) " ×" }
                            }
                        }
                    }
                    None => div.none { (why_not(target, place)) },
                }
            }
        }
    }
}

fn why_not(target: &Compared, place: usize) -> String {
    let missing = target.measures.get(place).and_then(|measure| measure.missing.as_deref());
    match (&target.absent, missing) {
        (Some(absent), _) => format!("not here: {absent}"),
        (None, Some(missing)) => format!("N/A: {missing}"),
        (None, None) => "no figure".into(),
    }
}

fn subjects(targets: &[Compared]) -> Markup {
    html! {
        div.scroll {
            table {
                thead {
                    tr { th { "" } th.long { "version" } th.long { "acknowledges a post when" } }
                }
                tbody {
                    @for target in targets {
                        tr {
                            td { (target.target.name) }
                            td.long {
                                (target.absent.as_deref().unwrap_or(&target.target.version))
                            }
                            td.long.soft {
                                (target.target.promise.as_deref().unwrap_or("–"))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn complaints(targets: &[Compared]) -> Markup {
    let any = targets.iter().any(|target| !target.complaints.is_empty());
    html! {
        @if any {
            h2 { "What the runs had against themselves" }
            p.soft { "A run whose generator was late has no figures here." }
            ul {
                @for target in targets {
                    @for complaint in &target.complaints {
                        li { b { (target.target.name) } ": " (complaint) }
                    }
                }
            }
        }
    }
}
