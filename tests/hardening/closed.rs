//! What other users of the machine could read. They can read nothing that the server makes, and
//! what was open to them before is closed, or refused.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::files;
use crate::program::Program;
use crate::read_only::behind;
use crate::strangers::run;

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The directory and its entries, as far as other users may do anything with them.
fn open_to_others(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.chain([dir.to_owned()]).filter(|path| mode(path) & 0o077 != 0).collect()
}

/// A server whose log goes to a file. The umask of its shell lets other users read what the server
/// makes.
fn start(data: &Path, log: &Path) -> Program {
    let mut open = std::process::Command::new("sh");
    open.args(["-c", "umask 000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_holdline")]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HOLDLINE_")) {
        open.env_remove(name);
    }
    open.args(["--listen", "127.0.0.1:0", "--log", "warn", "--data"]).arg(data);
    open.stdout(Stdio::piped()).stderr(std::fs::File::create(log).unwrap());
    Program::spawn(open)
}

/// The administrator's token that the data directory keeps.
fn administrator(data: &Path) -> String {
    let text = std::fs::read(data.join("access.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&text).unwrap();
    kept["administrator"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_directory_that_was_open_to_others_is_closed_with_all_that_is_made_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let (data, log) = (dir.path().join("data"), dir.path().join("log"));
    std::fs::create_dir(&data).unwrap();
    set_mode(&data, 0o755);
    let server = start(&data, &log);
    assert_eq!(open_to_others(&data), [PathBuf::new(); 0], "all of it is ours alone");
    let said = std::fs::read_to_string(&log).unwrap();
    let line = format!("{} was open to others (mode 0755)", data.display());
    assert!(said.contains(&line), "{said}");
    let admin = server.admin.with_token(&administrator(&data));
    admin.post("/v1/secrets/signing/rotate", serde_json::json!({})).await.ok();
    assert_eq!(open_to_others(&data), [PathBuf::new(); 0], "and so is what is replaced");
    server.terminate();
    assert!(server.ended().await.success());

    // An earlier release left the files like this, or somebody copied them without care for their
    // modes.
    let names =
        ["journal.db", "chats.db", "lock", "history", "secret", "signing.json", "access.json"];
    names.iter().for_each(|name| set_mode(&data.join(name), 0o644));
    let server = start(&data, &log);
    assert_eq!(open_to_others(&data), [PathBuf::new(); 0], "it is closed again");
    let said = std::fs::read_to_string(&log).unwrap();
    for name in names {
        let line = format!("{} was open to others (mode 0644)", data.join(name).display());
        assert!(said.contains(&line), "{line} in {said}");
    }
    server.terminate();
    assert!(server.ended().await.success());
    let server = start(&data, &log);
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(!said.contains("open to others"), "there is nothing to mend: {said}");
    drop(server);
}

#[test]
fn what_a_restoring_makes_is_closed_and_so_is_where() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    files::furnish(&data, 3);
    assert_eq!(open_to_others(&data), [PathBuf::new(); 0], "whoever makes the files");
    let copy = dir.path().join("copy");
    let made = run(behind(&data, &["backup", copy.to_str().unwrap()]));
    assert!(made.status.success(), "{made:?}");
    let restored = dir.path().join("restored");
    std::fs::create_dir(&restored).unwrap();
    set_mode(&restored, 0o777);
    let made = run(behind(&restored, &["restore", copy.to_str().unwrap()]));
    let said = String::from_utf8(made.stdout).unwrap();
    assert!(made.status.success(), "{said}");
    let line = format!("{} was open to others (mode 0777)", restored.display());
    assert!(said.contains(&line), "{said}");
    assert_eq!(open_to_others(&restored), [PathBuf::new(); 0]);
}

#[test]
fn what_others_need_is_not_closed_to_them() {
    let dir = tempfile::tempdir().unwrap();
    let (shared, home) = (dir.path().join("shared"), dir.path().join("home"));
    for (place, inside, mode) in [(&shared, "a-file", 0o1777), (&home, "pictures/", 0o755)] {
        std::fs::create_dir(place).unwrap();
        match inside.strip_suffix('/') {
            Some(inside) => std::fs::create_dir(place.join(inside)).unwrap(),
            None => std::fs::write(place.join(inside), "something dear").unwrap(),
        }
        set_mode(place, mode);
        let output = run(behind(place, &["--listen", "127.0.0.1:0", "--log", "error"]));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("a directory that is for Holdline alone"), "{said}");
        let found = std::fs::metadata(place).unwrap().permissions().mode() & 0o7777;
        assert_eq!(found, mode, "{}", place.display());
        assert_eq!(std::fs::read_dir(place).unwrap().count(), 1, "nothing was made there");
    }
    // An operator who has closed the directory knows what is in it.
    set_mode(&home, 0o700);
    drop(start(&home, &dir.path().join("log")));
}

#[test]
fn what_belongs_to_somebody_else_and_is_open_to_others_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    files::furnish(&data, 3);
    let copy = dir.path().join("copy");
    let made = run(behind(&data, &["backup", copy.to_str().unwrap()]));
    assert!(made.status.success(), "{made:?}");
    // Only the superuser can give a directory away. For every other user the temporary directory is
    // one that belongs to somebody else and is open to others.
    let theirs = if rustix::process::geteuid().is_root() {
        let theirs = dir.path().join("theirs");
        std::fs::create_dir(&theirs).unwrap();
        std::os::unix::fs::chown(&theirs, Some(65_534), Some(65_534)).unwrap();
        set_mode(&theirs, 0o755);
        theirs
    } else {
        std::env::temp_dir()
    };
    let before = std::fs::read_dir(&theirs).unwrap().count();
    for arguments in
        [&["--listen", "127.0.0.1:0", "--log", "error"][..], &["restore", copy.to_str().unwrap()]]
    {
        let output = run(behind(&theirs, arguments));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        if arguments[0] == "restore" && before > 0 {
            continue;
        }
        assert!(said.contains("open to others") && said.contains("another user"), "{said}");
        assert!(said.contains(theirs.to_str().unwrap()), "{said}");
    }
    assert_eq!(std::fs::read_dir(&theirs).unwrap().count(), before, "nothing was made there");

    // A file that is another user's, in a directory that is ours.
    if rustix::process::geteuid().is_root() {
        let journal = data.join("journal.db");
        std::os::unix::fs::chown(&journal, Some(65_534), Some(65_534)).unwrap();
        set_mode(&journal, 0o666);
        let output = run(behind(&data, &["--listen", "127.0.0.1:0", "--log", "error"]));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("journal.db") && said.contains("another user"), "{said}");
        assert_eq!(std::fs::metadata(&journal).unwrap().uid(), 65_534);
    }
}
