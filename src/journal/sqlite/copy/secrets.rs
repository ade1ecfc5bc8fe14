//! The secrets of a data directory in a copy of its journal: small files beside the events.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::journal::sqlite::copy::fault::CopyFault;
use crate::journal::sqlite::schema;
use crate::private;

/// Writes the secrets of a directory into a copy.
pub(super) fn keep_secrets(dir: &Path, secrets: &[&str], copy: &Path) -> Result<(), CopyFault> {
    let failed = |source| CopyFault::Database { file: copy.to_owned(), source };
    let connection = open_copy(copy).map_err(failed)?;
    // A copy of a copy has the table already.
    connection.execute_batch("DROP TABLE IF EXISTS secrets").map_err(failed)?;
    connection.execute_batch(schema::SECRETS).map_err(failed)?;
    for name in secrets {
        let path = dir.join(name);
        let content = private::read(&path);
        let content = content.map_err(|source| CopyFault::File { path, source })?;
        let Some(content) = content else { continue };
        let sql = "INSERT INTO secrets (name, content) VALUES (?, ?)";
        connection.execute(sql, (name, content)).map_err(failed)?;
    }
    Ok(())
}

/// Writes the secrets that a copy keeps into a directory.
pub(super) fn write_secrets(copy: &Path, dir: &Path, secrets: &[&str]) -> Result<(), CopyFault> {
    let failed = |source| CopyFault::Database { file: copy.to_owned(), source };
    let connection = schema::open_for_reading(copy).map_err(failed)?;
    let exists = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'secrets')";
    let exists: bool = connection.query_row(exists, (), |row| row.get(0)).map_err(failed)?;
    if !exists {
        // The journal was copied in another way.
        return Ok(());
    }
    for name in secrets {
        let sql = "SELECT content FROM secrets WHERE name = ?";
        let content: Option<Vec<u8>> =
            connection.query_row(sql, [name], |row| row.get(0)).optional().map_err(failed)?;
        let Some(content) = content else { continue };
        let path = dir.join(name);
        let write = || {
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(&content)?;
            file.sync_all()
        };
        write().map_err(|source| CopyFault::File { path: path.clone(), source })?;
    }
    Ok(())
}

fn open_copy(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    schema::distrust(&connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
    Ok(connection)
}
