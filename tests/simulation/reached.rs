//! What the seeds have reached: a table of what came to conversations, a row for each command,
//! signal, timer, loss and word of the disk; and a column for where a conversation stood, for how
//! the journal stood to it, and for what became of what it decided.
//!
//! If no seed reaches a cell that can occur, that is a gap. If a seed reaches a cell that cannot
//! occur, something is wrong (`reached/excuse.rs`).

mod came;
mod excuse;
mod standing;

use std::fmt::Write as _;

pub use crate::reached::came::Came;
use crate::reached::excuse::{Excuse, excuse};
pub use crate::reached::standing::{Column, Fate, Journal, Standing};

/// A cell of the table.
pub type Cell = (Came, Column);

/// How often each thing has happened, in one world or in many.
#[derive(Clone, Debug)]
pub struct Reached(Vec<u64>);

impl Default for Reached {
    fn default() -> Self {
        Self(vec![0; Came::ALL.len() * Column::COUNT])
    }
}

/// Every cell.
pub fn cells() -> impl Iterator<Item = Cell> {
    Came::ALL.iter().flat_map(|came| Column::all().map(|column| (*came, column)))
}

/// Whether a cell must be reached.
pub fn is_due((came, column): Cell) -> bool {
    excuse(came, column).is_none()
}

impl Reached {
    /// Counts something that comes to a conversation.
    pub fn meet(&mut self, came: Came, standing: Standing, journal: Journal) {
        self.0[place((came, Column::Stood(standing)))] += 1;
        self.0[place((came, Column::Journal(journal)))] += 1;
    }

    /// Counts the fate of what a conversation decided when something came to it.
    pub fn follow(&mut self, came: Came, fate: Fate) {
        self.0[place((came, Column::Became(fate)))] += 1;
    }

    /// Adds the counts of another world.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// How often a cell was reached.
    pub fn count(&self, cell: Cell) -> u64 {
        self.0[place(cell)]
    }

    /// The cells that can be reached, but were not.
    pub fn gaps(&self) -> Vec<String> {
        cells().filter(|cell| is_due(*cell) && self.count(*cell) == 0).map(name).collect()
    }

    /// The cells that cannot be reached, but were.
    pub fn impossible(&self) -> Vec<String> {
        let wrong = |cell: Cell| match excuse(cell.0, cell.1) {
            Some(Excuse::Never(why)) if self.count(cell) > 0 => {
                Some(format!("{}, though {why}", name(cell)))
            }
            _ => None,
        };
        cells().filter_map(wrong).collect()
    }

    /// The table, for people: a dash in a cell that cannot be reached, brackets where it need not
    /// be.
    pub fn table(&self) -> String {
        let mut text = format!("{:<34}", "");
        for column in Column::all() {
            let _ = write!(text, "{:>15}", column.name());
        }
        for came in Came::ALL {
            let _ = write!(text, "\n{:<34}", came.name());
            for column in Column::all() {
                let count = self.count((*came, column));
                let told = match excuse(*came, column) {
                    None => count.to_string(),
                    Some(Excuse::Never(_)) => "-".to_owned(),
                    Some(Excuse::Seldom(_)) => format!("({count})"),
                };
                let _ = write!(text, "{told:>15}");
            }
        }
        text
    }
}

fn place((came, column): Cell) -> usize {
    came as usize * Column::COUNT + column.place()
}

fn name((came, column): Cell) -> String {
    format!("{}: {}", came.name(), column.name())
}
