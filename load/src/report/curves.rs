//! The curves of growth, as plots.

use super::figures::{Curve, Growth};
use super::plot::{Axis, Bound, Line, Plot, Stroke};
use super::text::{number, round_bytes, short, time};

/// Memory is extrapolated to this many chats.
const FAR: f64 = 1_000_000.0;

/// A heartbeat may cost this many times what it costs on the floor.
const TIMES_FLOOR: f64 = 1.5;

/// Each curve that has points, with the name of its file.
pub fn curves(growth: &Growth) -> Vec<(&'static str, Plot)> {
    Curve::ALL
        .into_iter()
        .filter(|curve| growth.points.iter().any(|point| point.curve == *curve))
        .map(|curve| (curve.file(), plot(growth, curve)))
        .collect()
}

fn plot(growth: &Growth, curve: Curve) -> Plot {
    let mut names: Vec<&str> = Vec::new();
    for point in growth.points.iter().filter(|point| point.curve == curve) {
        if !names.contains(&point.of.as_str()) {
            names.push(&point.of);
        }
    }
    let mut lines: Vec<Line> = names.into_iter().map(|name| line(growth, curve, name)).collect();
    match curve {
        Curve::Memory => lines.extend(extrapolated(&lines)),
        Curve::Processor => lines.extend(of_floor(&lines)),
        _ => {}
    }
    let (label, read): (_, fn(f64) -> String) = match curve.unit() {
        "B" => ("memory", round_bytes),
        "µs" => ("time", time),
        unit => (unit, number),
    };
    let bounds = curve.budgets().iter();
    // A single line has no legend.
    let title = match &lines[..] {
        [line] => format!("{}, {}", curve.title(), line.name),
        _ => curve.title().to_owned(),
    };
    Plot {
        title,
        x: Axis { label: curve.counts(), is_log: true, read: short },
        y: Axis { label, is_log: curve.is_log(), read },
        lines,
        bounds: bounds.map(|(name, value)| Bound { name, value: *value }).collect(),
    }
}

/// A mark for every point that was measured, and a line through the medians of each size.
fn line(growth: &Growth, curve: Curve, name: &str) -> Line {
    let of = growth.points.iter().filter(|point| point.curve == curve && point.of == name);
    let mut marks: Vec<_> = of.map(|point| (point.chats as f64, point.value)).collect();
    marks.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let same = marks.chunk_by(|one, other| one.0.total_cmp(&other.0).is_eq());
    let points = same.map(|same| {
        let middle = f64::midpoint(same[(same.len() - 1) / 2].1, same[same.len() / 2].1);
        (same[0].0, middle)
    });
    Line { name: name.into(), points: points.collect(), marks, stroke: Stroke::Measured }
}

/// Extrapolates from the most chats with sockets that were measured, at the same memory for each.
fn extrapolated(lines: &[Line]) -> Option<Line> {
    let sockets = lines.iter().filter(|line| line.name.starts_with("sockets"));
    let most = sockets.filter_map(|line| line.points.last().copied());
    let (chats, value) = most.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (chats < FAR).then(|| Line {
        name: "sockets, extrapolated, not measured".into(),
        points: vec![(chats, value), (FAR, value * FAR / chats)],
        marks: Vec::new(),
        stroke: Stroke::Extrapolated,
    })
}

/// What the design allows a heartbeat: a multiple of the floor, so its line has the floor's shape.
fn of_floor(lines: &[Line]) -> Option<Line> {
    let floor = lines.iter().find(|line| line.name == "floor")?;
    Some(Line {
        name: "budget: 1.5 × the floor".into(),
        points: floor.points.iter().map(|(chats, us)| (*chats, us * TIMES_FLOOR)).collect(),
        marks: Vec::new(),
        stroke: Stroke::Budget,
    })
}
