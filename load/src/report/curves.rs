//! The curves of growth, as plots.

use super::figures::{Curve, Growth};
use super::plot::{Axis, Line, Plot};
use super::text::{number, round_bytes, short, time};

/// Each curve that has points, with the name of its file.
pub fn curves(growth: &Growth) -> Vec<(&'static str, Plot)> {
    Curve::ALL
        .into_iter()
        .filter(|curve| growth.points.iter().any(|point| point.curve == *curve))
        .map(|curve| (curve.file(), plot(growth, curve)))
        .collect()
}

fn plot(growth: &Growth, curve: Curve) -> Plot {
    let points = || growth.points.iter().filter(|point| point.curve == curve);
    let mut names: Vec<&str> = points().map(|point| point.of.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let lines = names.into_iter().map(|name| {
        let of = points().filter(|point| point.of == name);
        let mut points: Vec<_> = of.map(|point| (point.chats as f64, point.value)).collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        Line { name: name.into(), points, has_marks: true }
    });
    let (label, read): (_, fn(f64) -> String) = match curve.unit() {
        "B" => ("memory", round_bytes),
        "µs" => ("time", time),
        unit => (unit, number),
    };
    Plot {
        title: curve.title().into(),
        x: Axis { label: curve.counts(), is_log: true, read: short },
        y: Axis { label, is_log: curve.is_log(), read },
        lines: lines.collect(),
        bound: curve.bound(),
    }
}
