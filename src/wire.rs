//! The forms that are spoken outside: what HTTP and the feed say, and how it is read. Domain types
//! are converted by hand, so that neither side can change the other by accident.

pub mod document;
pub mod feed;
pub mod narrative;
pub mod objects;
pub mod time;
