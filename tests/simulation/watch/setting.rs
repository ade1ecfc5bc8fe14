//! What the watcher knows of a setting that changes.

use crate::server::{Millis, Ticket};

/// The known values of a setting. A change that was asked for may or may not be in force until it
/// is answered.
#[derive(Clone, Debug)]
pub struct Setting<T>(Vec<(Millis, Option<Millis>, Vec<T>, Ticket)>);

impl<T: Clone> Setting<T> {
    pub fn new(first: T) -> Self {
        Self(vec![(0, Some(0), vec![first], 0)])
    }

    pub fn ask(&mut self, now: Millis, value: T, ticket: Ticket) {
        self.0.push((now, None, vec![value], ticket));
    }

    /// A change whose call has no ticket yet gets this one.
    pub fn asked_by(&mut self, ticket: Ticket) {
        self.0.iter_mut().filter(|it| it.3 == Ticket::MAX).for_each(|it| it.3 = ticket);
    }

    pub fn done(&mut self, now: Millis, ticket: Ticket) {
        self.0.iter_mut().filter(|it| it.3 == ticket).for_each(|it| it.1 = Some(now));
    }

    /// Every value that was ever asked for.
    pub fn ever(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flat_map(|it| &it.2)
    }

    /// Every value that may have been in force at a moment.
    pub fn at(&self, moment: Millis) -> Vec<T> {
        let mut found = Vec::new();
        for (asked, done, values, _) in &self.0 {
            if *asked > moment {
                break;
            }
            if done.is_some_and(|done| done < moment) {
                found.clear();
            }
            found.extend_from_slice(values);
        }
        found
    }
}

impl<T: Clone + PartialEq> Setting<T> {
    /// Asks for a value that follows from the value in force, whichever that is.
    pub fn ask_from(&mut self, now: Millis, ticket: Ticket, follows: impl Fn(T) -> T) {
        let mut values = Vec::new();
        for value in self.at(now).into_iter().map(follows) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        self.0.push((now, None, values, ticket));
    }
}
