//! Holdline as a target.

pub mod dialect;
