//! A data directory that cannot be written, or that belongs to another user.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;

use crate::files;
use crate::mounts::{Disk, in_namespace, provoked};
use crate::program;

#[test]
fn a_read_only_file_system_is_told_and_left_as_it_is() {
    in_namespace("read_only::a_read_only_file_system_is_told_and_left_as_it_is", || {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(dir.path(), "medium", 4_096);
        files::furnish(&disk.path, 6);
        let before = files::contents(&disk.path);
        disk.make_read_only();
        let fault = files::open(&disk.path).expect_err("nothing can be written there");
        provoked(&fault.to_string());
        assert!(fault.to_string().contains("Read-only file system"), "{fault}");
        let mut command = program::command(&disk.path);
        command.args(["--listen", "127.0.0.1:0", "--log", "error"]);
        let output = program::run(command);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("Read-only file system"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(files::contents(&disk.path) == before, "nothing was changed");
    });
}

#[test]
fn a_copy_that_cannot_be_written_is_told_and_leaves_nothing() {
    in_namespace("read_only::a_copy_that_cannot_be_written_is_told_and_leaves_nothing", || {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        files::furnish(&data, 60);
        let disk = Disk::new(dir.path(), "small", 64);
        let copy = disk.path.join("copy");
        let output = program::run(behind(&data, &["backup", copy.to_str().unwrap()]));
        let said = String::from_utf8(output.stderr).unwrap();
        provoked(&said);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("full"), "{said}");
        assert!(files::contents(&disk.path).is_empty(), "nothing is left");
    });
}

/// The program, run with a command on this data directory.
pub(crate) fn behind(data: &std::path::Path, arguments: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_holdline"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HOLDLINE_")) {
        command.env_remove(name);
    }
    command.args(arguments).arg("--data").arg(data);
    command
}

#[test]
fn a_directory_that_is_not_ours_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let open_to_all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(dir.path(), open_to_all.clone()).unwrap();
    let data = dir.path().join("data");
    files::furnish(&data, 3);
    let binary = dir.path().join("holdline");
    std::fs::copy(env!("CARGO_BIN_EXE_holdline"), &binary).unwrap();
    std::fs::set_permissions(&binary, open_to_all).unwrap();
    let closed = std::fs::Permissions::from_mode(0o700);
    let is_root = rustix::process::geteuid().is_root();
    // File modes do not stop the superuser, so the superuser runs the program as another user.
    let mode = if is_root { closed } else { std::fs::Permissions::from_mode(0o000) };
    std::fs::set_permissions(&data, mode).unwrap();
    for arguments in [
        vec!["--listen", "127.0.0.1:0", "--log", "error", "--data", data.to_str().unwrap()],
        vec!["check", "--data", data.to_str().unwrap()],
        vec!["backup", "/tmp/never-made", "--data", data.to_str().unwrap()],
    ] {
        let mut command = std::process::Command::new(&binary);
        command.args(&arguments).current_dir("/");
        if is_root {
            command.uid(65_534).gid(65_534);
        }
        let output = loop {
            match command.output() {
                // A process that another test is starting may hold the copy open for writing for a
                // moment.
                Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {}
                output => break output.unwrap(),
            }
        };
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("Permission denied"), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let open = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(&data, open).unwrap();
}
