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

impl Comparison {
    /// A figure as a multiple of the floor's, which means the same on another machine. Each round
    /// is divided by the floor of that round, as both had the machine at nearly the same time. None
    /// for the floor itself, and if the floor took no part.
    pub fn times_floor(&self, place: usize, target: &Compared) -> Option<Spread> {
        let floor = self.targets.iter().find(|target| target.target.name == FLOOR)?;
        if target.target.name == FLOOR {
            return None;
        }
        let floor = floor.measures.get(place)?;
        let measure = target.measures.get(place)?;
        let of = |round: u32| floor.of_round(round).filter(|value| *value > 0.0);
        let values = measure.rounds.iter().zip(&measure.values);
        let times = values.filter_map(|(round, value)| Some(value / of(*round)?));
        Spread::of(times.collect())
    }
}

/// The name of the least possible server, as a target.
const FLOOR: &str = "floor";

/// One target of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Compared {
    /// The target.
    pub target: Subject,
    /// Why the target is not here, if it is not.
    pub absent: Option<String>,
    /// What was measured, the same measures in the same order for each target.
    pub measures: Vec<Measure>,
    /// What its runs complained of, each complaint once.
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
    /// Which rounds those are, from 1.
    pub rounds: Vec<u32>,
    /// Why there is no value, if there is none.
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
    /// Adds the figure of a round.
    pub fn add(&mut self, round: u32, value: f64) {
        self.values.push(value);
        self.rounds.push(round);
    }

    /// The figure of a round, where it has one.
    fn of_round(&self, round: u32) -> Option<f64> {
        let place = self.rounds.iter().position(|one| *one == round)?;
        self.values.get(place).copied()
    }

    /// The median and the spread; none where nothing was measured.
    pub fn spread(&self) -> Option<Spread> {
        Spread::of(self.values.clone())
    }
}

impl Spread {
    /// The spread of these values; none if there are none.
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.retain(|value| value.is_finite());
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        Some(Self { median, least, most })
    }
}
