//! Why there is no configuration: each setting that is wrong, and what it must be.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why there is no configuration.
#[derive(Debug)]
pub enum ConfigFault {
    /// The flags were not understood, or only help was asked for. Printing it says which.
    Usage(Box<clap::Error>),
    /// The file could not be read.
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Some settings are wrong; each is told.
    Invalid(Vec<Mistake>),
}

/// One setting that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// Which setting, as it is called in the file.
    pub key: String,
    /// Where it came from, such as `--listen` or `holdline.toml`.
    pub source: String,
    /// What it must be.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, source, message } = self;
        write!(formatter, "{key} (from {source}) {message}")
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => error.fmt(formatter),
            Self::File { path, source } => {
                write!(formatter, "the configuration {} cannot be read: {source}", path.display())
            }
            Self::Invalid(mistakes) => {
                formatter.write_str("the configuration is wrong:")?;
                mistakes.iter().try_for_each(|mistake| write!(formatter, "\n  {mistake}"))
            }
        }
    }
}

impl std::error::Error for ConfigFault {}
