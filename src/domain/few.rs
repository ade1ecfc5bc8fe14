//! A list that is empty nearly everywhere. While it is empty it is only a pointer, because millions
//! of chats have one.

use std::ops::{Deref, DerefMut};

/// A list that takes 8 bytes while nothing is in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::domain) struct Few<T>(
    #[expect(clippy::box_collection, reason = "so that an empty one is a pointer")]
    Option<Box<Vec<T>>>,
);

impl<T> Few<T> {
    /// Adds one. Nearly always it stays the only one, so room is made for no more.
    pub(in crate::domain) fn push(&mut self, one: T) {
        let list = self.0.get_or_insert_default();
        if list.is_empty() {
            list.reserve_exact(1);
        }
        list.push(one);
    }

    /// Removes all for which `holds` is false, and frees the list's memory with the last.
    pub(in crate::domain) fn retain(&mut self, holds: impl FnMut(&T) -> bool) {
        if let Some(list) = &mut self.0 {
            list.retain(holds);
            if list.is_empty() {
                self.0 = None;
            }
        }
    }

    /// Removes all.
    pub(in crate::domain) fn clear(&mut self) {
        self.0 = None;
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.0.as_deref_mut().map_or(&mut [], Vec::as_mut_slice)
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(mut list: Vec<T>) -> Self {
        list.shrink_to_fit();
        Self((!list.is_empty()).then(|| Box::new(list)))
    }
}

impl<T> From<Few<T>> for Vec<T> {
    fn from(few: Few<T>) -> Self {
        few.0.map_or_else(Self::new, |list| *list)
    }
}
