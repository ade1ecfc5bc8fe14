//! The figures of a comparison.

use serde::{Deserialize, Serialize};

use super::{Machine, Run, Subject};

/// Several targets under the same work, in turn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Comparison {
    /// The version of this form.
    pub form: u32,
    /// Its name.
    pub name: String,
    /// What is compared, and how it was made equal, in sentences.
    pub about: Vec<String>,
    /// When it began, RFC 3339.
    pub began: String,
    /// How often each target had its turn.
    pub rounds: u32,
    /// Where it ran.
    pub machine: Machine,
    /// The command that does the same again.
    pub repeat: String,
    /// The targets, in the order of their turns.
    pub targets: Vec<Compared>,
}

/// One target of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Compared {
    /// Which.
    pub target: Subject,
    /// Why it is not here, where it is not.
    pub absent: Option<String>,
    /// What was measured, the same measures in the same order for each target.
    pub measures: Vec<Measure>,
    /// What its runs had against them, each once.
    pub complaints: Vec<String>,
    /// All its runs.
    pub runs: Vec<Run>,
}

/// One figure, over all rounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Measure {
    /// What, as in `resident per chat`.
    pub name: String,
    /// In what, as in `B`.
    pub unit: String,
    /// Whether more is better.
    pub is_more_better: bool,
    /// One value for each round that has one.
    pub values: Vec<f64>,
    /// Why there is none, where there is none.
    pub missing: Option<String>,
}

/// The middle of several values, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median; of an even number of values, the mean of the two in the middle.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The greatest.
    pub most: f64,
}

impl Measure {
    /// The median and the spread; none where nothing was measured.
    pub fn spread(&self) -> Option<Spread> {
        let mut values: Vec<f64> =
            self.values.iter().copied().filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        Some(Spread { median, least, most })
    }
}
