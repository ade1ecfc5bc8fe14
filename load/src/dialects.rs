//! Every dialect by its name, so that a driver process can be told which to speak.

use anyhow::Context as _;

use crate::dialect::{Dialect, Spoken};
use crate::holdline::dialect::{HoldlineDialect, NAME as HOLDLINE};
use crate::peer;

/// Makes a dialect of its name and settings.
///
/// # Errors
/// When there is none of that name, or it does not understand its settings.
pub fn speak(spoken: &Spoken) -> anyhow::Result<Box<dyn Dialect>> {
    match spoken.name.as_str() {
        HOLDLINE => {
            let settings = serde_json::from_value(spoken.settings.clone())?;
            Ok(Box::new(HoldlineDialect::new(settings)))
        }
        name => peer::speak(spoken)?.with_context(|| format!("there is no dialect named {name}")),
    }
}
