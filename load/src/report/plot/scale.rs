//! An axis of a plot: where values lie on it, and which of them are labelled.

use std::ops::Range;

use plotters::coord::ranged1d::{
    KeyPointHint, NoDefaultFormatting, Ranged, ReversibleRanged, ValueFormatter,
};
use plotters::coord::types::RangedCoordf64;

/// A stretch of an axis. On a logarithmic axis its ends are the logarithms.
#[derive(Clone)]
pub(super) struct Scale {
    inner: RangedCoordf64,
    ends: Range<f64>,
    is_log: bool,
}

impl Scale {
    pub(super) fn new(ends: Range<f64>, is_log: bool) -> Self {
        Self { inner: ends.clone().into(), ends, is_log }
    }

    /// The powers of ten on it; if these are few, two and five times these as well.
    fn powers(&self) -> Vec<f64> {
        const SLACK: f64 = 1e-9;
        let Range { start, end } = self.ends;
        let on_it = |at: &f64| (start - SLACK..=end + SLACK).contains(at);
        let (least, most) = (start.floor() as i32, end.ceil() as i32);
        let powers: Vec<f64> = (least..=most).map(f64::from).filter(on_it).collect();
        if powers.len() > 2 {
            return powers;
        }
        let all = (least..=most)
            .flat_map(|power| [1.0_f64, 2.0, 5.0].map(|times| f64::from(power) + times.log10()));
        all.filter(on_it).collect()
    }
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.inner.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if self.is_log { self.powers() } else { self.inner.key_points(hint) }
    }

    fn range(&self) -> Range<f64> {
        self.ends.clone()
    }
}

impl ReversibleRanged for Scale {
    fn unmap(&self, input: i32, limit: (i32, i32)) -> Option<f64> {
        self.inner.unmap(input, limit)
    }
}

impl ValueFormatter<f64> for Scale {
    fn format(value: &f64) -> String {
        <RangedCoordf64 as ValueFormatter<f64>>::format(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithmic_axis_is_read_at_round_values() {
        let read = |from: f64, to: f64| -> Vec<f64> {
            let scale = Scale::new(from.log10()..to.log10(), true);
            scale.powers().iter().map(|at| 10_f64.powf(*at).round()).collect()
        };
        assert_eq!(read(1_000.0, 1_000_000.0), [1e3, 1e4, 1e5, 1e6]);
        assert_eq!(read(1_000.0, 18_000.0), [1e3, 2e3, 5e3, 1e4]);
        assert_eq!(read(200.0, 1_000.0), [200.0, 500.0, 1_000.0]);
    }
}
