//! What happened, told: notices for a transcript, sentences and facts for a timeline, and the one
//! sentence that says why a chat is in its state. Every event is told; the compiler sees to it.

mod account;
mod changes;
mod ending;
mod facts;
mod loss;
mod sessions;
mod timeline;
mod transcript;
mod why;

pub use account::account;
pub use changes::in_words;
pub use ending::because;
pub use facts::details;
pub use loss::evidence;
pub use sessions::{Attended, End, Sessions};
pub use timeline::{kind, sentence};
pub use transcript::notice;
pub use why::{Grounds, why, why_with_nobody};
