//! A wheel of timers for very many places, with a slot for each millisecond. The timers of a slot
//! are linked through their places, so that a timer costs twelve bytes and no heap.

/// No place.
const NONE: u32 = u32::MAX;

/// Slots of the wheel, a millisecond each. A timer that is due later than a turn waits for another
/// one.
const SLOTS: u32 = 1 << 16;

/// One timer for each of a number of places; each is set or not.
#[derive(Debug)]
pub struct Wheel {
    heads: Vec<u32>,
    timers: Vec<Timer>,
    /// All slots before this millisecond have been emptied.
    turned_to: u32,
}

#[derive(Clone, Copy, Debug)]
struct Timer {
    due: u32,
    before: u32,
    after: u32,
}

/// A timer that is not set.
const UNSET: Timer = Timer { due: NONE, before: NONE, after: NONE };

impl Wheel {
    /// A wheel for this many places, with no timer set.
    pub fn new(places: usize) -> Self {
        Self { heads: vec![NONE; SLOTS as usize], timers: vec![UNSET; places], turned_to: 0 }
    }

    /// Sets the timer of a place to this millisecond, whatever it was before. A timer in the past
    /// is due at the next turn.
    pub fn set(&mut self, place: u32, due: u32) {
        self.unset(place);
        let due = due.max(self.turned_to).min(NONE - 1);
        let head = &mut self.heads[(due % SLOTS) as usize];
        let after = std::mem::replace(head, place);
        self.timers[place as usize] = Timer { due, before: NONE, after };
        if after != NONE {
            self.timers[after as usize].before = place;
        }
    }

    /// Clears the timer of a place, if it is set.
    pub fn unset(&mut self, place: u32) {
        let Timer { due, before, after } = self.timers[place as usize];
        if due == NONE {
            return;
        }
        if before == NONE {
            self.heads[(due % SLOTS) as usize] = after;
        } else {
            self.timers[before as usize].after = after;
        }
        if after != NONE {
            self.timers[after as usize].before = before;
        }
        self.timers[place as usize] = UNSET;
    }

    /// Takes all timers that are due by this millisecond, and puts their places into `due`.
    pub fn turn(&mut self, now: u32, due: &mut Vec<u32>) {
        let last = now.min(self.turned_to.saturating_add(SLOTS - 1));
        for millisecond in self.turned_to..=last {
            let mut place = self.heads[(millisecond % SLOTS) as usize];
            while place != NONE {
                let timer = self.timers[place as usize];
                if timer.due <= now {
                    self.unset(place);
                    due.push(place);
                }
                place = timer.after;
            }
        }
        self.turned_to = self.turned_to.max(now.saturating_add(1));
    }

    /// The first millisecond before `end` in which something may be due.
    pub fn next(&self, end: u32) -> Option<u32> {
        let end = end.min(self.turned_to.saturating_add(SLOTS));
        (self.turned_to..end).find(|at| self.heads[(at % SLOTS) as usize] != NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_due_once_and_in_its_millisecond() {
        let mut wheel = Wheel::new(4);
        wheel.set(0, 5);
        wheel.set(1, 5);
        wheel.set(2, 5 + SLOTS);
        wheel.set(3, 7);
        wheel.set(3, 6);
        wheel.unset(1);
        let mut due = Vec::new();
        wheel.turn(4, &mut due);
        assert!(due.is_empty());
        assert_eq!(wheel.next(100), Some(5));
        wheel.turn(5, &mut due);
        assert_eq!(due, [0]);
        wheel.turn(20, &mut due);
        assert_eq!(due, [0, 3]);
        wheel.turn(4 + SLOTS, &mut due);
        assert_eq!(due, [0, 3]);
        wheel.turn(6 + SLOTS, &mut due);
        assert_eq!(due, [0, 3, 2]);
        // A timer in the past is due at once.
        wheel.set(0, 1);
        wheel.turn(7 + SLOTS, &mut due);
        assert_eq!(due, [0, 3, 2, 0]);
    }
}
