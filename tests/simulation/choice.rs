//! Which seeds are kept so that every cell of the table is reached.

use std::collections::BTreeMap;

use crate::reached::{Cell, Reached, cells, is_due};

/// How many of the kept seeds reach each cell, if that many do.
const EACH: usize = 2;

/// Which seeds reach which cell.
#[derive(Debug, Default)]
pub struct Choice {
    seeds: BTreeMap<Cell, Vec<u64>>,
}

impl Choice {
    /// Notes what a seed has reached.
    pub fn note(&mut self, seed: u64, reached: &Reached) {
        for cell in cells().filter(|cell| is_due(*cell) && reached.count(*cell) > 0) {
            self.seeds.entry(cell).or_default().push(seed);
        }
    }

    /// Chooses few seeds that reach every cell that any seed has reached. Each choice adds the
    /// most.
    pub fn choose(&self) -> Vec<u64> {
        let mut left: BTreeMap<Cell, usize> =
            self.seeds.iter().map(|(cell, seeds)| (*cell, seeds.len().min(EACH))).collect();
        let mut chosen = Vec::new();
        while !left.is_empty() {
            let mut worth = BTreeMap::<u64, usize>::new();
            for seed in left.keys().flat_map(|cell| &self.seeds[cell]) {
                *worth.entry(*seed).or_default() += usize::from(!chosen.contains(seed));
            }
            let Some((best, _)) = worth.into_iter().max_by_key(|(_, worth)| *worth) else { break };
            chosen.push(best);
            left.retain(|cell, left| {
                *left -= usize::from(self.seeds[cell].contains(&best));
                *left > 0
            });
        }
        chosen
    }
}
