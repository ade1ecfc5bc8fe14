//! The targets.

pub(crate) mod backups;
pub(crate) mod configuration;
pub(crate) mod cursors;
pub(crate) mod documents;
pub(crate) mod forwarded;
pub(crate) mod frames;
pub(crate) mod keys;
pub(crate) mod proxy_header;
pub(crate) mod records;
pub(crate) mod requests;
pub(crate) mod signed;
pub(crate) mod snapshots;
