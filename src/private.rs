//! Files that are for this server alone: nobody else may read the files that it makes, and it opens
//! only regular files, never a link to somebody else's.

use std::fmt;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _,
    PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// The permissions of a file for everybody but its owner.
const BY_OTHERS: u32 = 0o077;

/// The mark of a directory in which everybody may make something of their own, as in /tmp.
const SHARED: u32 = 0o1000;

/// Keeps others from reading what this process makes from now on, whichever part of it makes it.
pub fn close_to_others() {
    let _before = rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Makes a directory that nobody else may look into, if it is not there.
pub fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The metadata of a file; nothing when it is not there. Anything but a regular file is refused: a
/// symbolic link, a directory, a pipe, a socket, a device.
pub fn look(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => must_be_file(&metadata).map(|()| Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The same for a file that a person has named: the name may be that of a link.
pub fn look_behind(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(metadata) => must_be_file(&metadata).map(|()| Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens a file with these options. It never waits for the file and never follows a link, and it
/// refuses anything but a regular file.
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    // A device may do something as soon as it is opened.
    look(path)?;
    // In case something else takes its place between the look and this.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options.custom_flags(flags.bits().cast_signed()).open(path)?;
    must_be_file(&file.metadata()?)?;
    Ok(file)
}

/// Reads a file; nothing when it is not there.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    match open(path, OpenOptions::new().read(true)) {
        Ok(mut file) => file.read_to_end(&mut bytes).map(|_| Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a file that a person has named: the name may be that of a link. A file that is larger than
/// `most` bytes is refused.
pub fn read_behind(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    look_behind(path)?;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    must_be_file(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(io::Error::other(format!("it is larger than {most} bytes")));
    }
    Ok(bytes)
}

/// Makes a file that nobody else may read, and syncs it. A file of this name that a crash has left
/// is removed: it may be open to others.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    remove(path)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Puts a file in the place of the one with this name, if there is one. After a crash in the middle
/// either the old file is there or the new one, and whole. The new one is durable when this
/// returns; after a failure it may be there or not.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = unfinished(path);
    write(&unfinished, bytes)?;
    fs::rename(&unfinished, path)?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// Removes what a crash in the middle of [`replace`] has left.
pub fn forget_unfinished(path: &Path) -> io::Result<()> {
    remove(&unfinished(path))
}

/// Makes the names in a directory durable.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Whether two names are of one file.
pub fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Something that others could read or change, and cannot any more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mended {
    /// What.
    pub path: PathBuf,
    /// What everybody could do with it, as chmod counts.
    pub mode: u32,
}

impl fmt::Display for Mended {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, mode } = self;
        let path = path.display();
        write!(formatter, "{path} was open to others (mode {mode:04o}), and is not any more")
    }
}

/// Whether everybody on this machine may read a file, if it is there.
pub fn is_open_to_all(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

/// Closes a file or a directory to others, if it is there and open to them. If it belongs to
/// somebody else it is refused then: they could open it again.
pub fn mend(path: &Path) -> io::Result<Option<Mended>> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & BY_OTHERS == 0 {
        return Ok(None);
    }
    must_be_own(&metadata)?;
    // By its name: to open and close a database file again would drop the locks of SQLite on it.
    fs::set_permissions(path, Permissions::from_mode(mode & !BY_OTHERS))?;
    Ok(Some(Mended { path: path.to_owned(), mode }))
}

/// Refuses a directory that is open to others and not this server's alone: closing it would take
/// from others what is theirs. It is shared if it has the mark of a shared directory, or holds a
/// directory or something of another user's.
pub fn refuse_shared(path: &Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & BY_OTHERS == 0 {
        return Ok(());
    }
    let refused = |why: String| {
        Err(io::Error::other(format!(
            "it is open to others (mode {mode:04o}), and {why}; name a directory that is for \
             Holdline alone"
        )))
    };
    must_be_own(&metadata)?;
    if mode & SHARED != 0 {
        return refused("shared with them".to_owned());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let found = entry.metadata()?;
        // Some kinds of file system always have that one.
        let is_directory = found.is_dir() && entry.file_name() != "lost+found";
        if is_directory || found.uid() != metadata.uid() {
            let name = entry.file_name();
            return refused(format!("holds something else ({})", name.display()));
        }
    }
    Ok(())
}

fn must_be_own(metadata: &Metadata) -> io::Result<()> {
    let (mode, owner) = (metadata.permissions().mode() & 0o7777, metadata.uid());
    if owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "it is open to others (mode {mode:04o}), and cannot be closed to them because it belongs \
         to another user (number {owner})"
    )))
}

fn must_be_file(metadata: &Metadata) -> io::Result<()> {
    let kind = metadata.file_type();
    let found = if kind.is_file() {
        return Ok(());
    } else if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(io::Error::other(format!("it is {found}, and not a file")))
}
