//! The store of a server, and of every command that needs all of a journal. No other code need know
//! which store that is.

use std::path::Path;
use std::sync::Arc;

use crate::journal::sqlite::SqliteJournal;
use crate::journal::{Journal, Receipts, Recovered};

pub use crate::journal::sqlite::OpenFault;

/// Opens the journal in this directory, which is made if it is not there, and reads what is needed
/// to start again. It blocks until everything in the journal can be read.
pub fn open(
    dir: &Path,
    receipts: Arc<dyn Receipts>,
) -> Result<(Arc<dyn Journal>, Recovered), OpenFault> {
    let (journal, recovered) = SqliteJournal::open(dir, receipts)?;
    Ok((Arc::new(journal), recovered))
}
