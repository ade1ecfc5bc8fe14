//! Files of others under names that are ours, and files of ours under names that an operator gave.
//! The program empties, replaces and waits for nothing that somebody else needs.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::console::PATIENCE;
use crate::files;
use crate::program::Program;
use crate::read_only::behind;

/// Runs a command that must end by itself.
pub(crate) fn run(mut command: Command) -> Output {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it waits for something: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

/// The one sentence with which the command is refused.
fn refused(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

fn done(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

fn make_pipe(path: &Path) {
    done(&Command::new("mkfifo").arg(path).output().expect("mkfifo (of coreutils) is there"));
}

/// Every command on a data directory, and a server on it.
fn all_commands(data: &Path, beside: &Path) -> Vec<Command> {
    let copy = beside.join("never-made");
    let chat = "00000000-0000-0000-0000-000000000001";
    let commands: [&[&str]; 5] = [
        &["--listen", "127.0.0.1:0", "--log", "error"],
        &["check"],
        &["backup", copy.to_str().unwrap()],
        &["explain", chat],
        &["dry-run", "--window", "60s"],
    ];
    commands.into_iter().map(|arguments| behind(data, arguments)).collect()
}

const OWN: [&str; 10] = [
    "journal.db",
    "journal.db-wal",
    "journal.db-shm",
    "chats.db",
    "archive.db",
    "lock",
    "history",
    "secret",
    "signing.json",
    "access.json",
];

#[tokio::test]
async fn a_backup_takes_the_place_of_no_file_of_a_data_directory() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let neighbour = dir.path().join("neighbour");
    // Furnishing waits for its disk in a runtime of its own, which no thread may do that already
    // runs in another runtime.
    let furnish = || files::furnish(&neighbour, 3);
    std::thread::scope(|scope| scope.spawn(furnish).join()).unwrap();
    let server = Program::start(&data, "--demo");
    let mut places: Vec<PathBuf> = OWN.iter().map(|name| data.join(name)).collect();
    places.push(dir.path().join("neighbour/../data/secret"));
    places.push(neighbour.join("journal.db"));
    places.push(neighbour.join("secret"));
    for name in ["journal.db", "secret"] {
        let other_name = dir.path().join(format!("also-{name}"));
        std::fs::hard_link(data.join(name), &other_name).unwrap();
        places.push(other_name);
    }
    let linked = dir.path().join("linked");
    symlink(&data, &linked).unwrap();
    places.push(linked.join("access.json"));
    let theirs = files::contents(&neighbour);
    let secrets = ["secret", "access.json", "history"].map(|name| data.join(name));
    let before = secrets.clone().map(|path| std::fs::read(path).unwrap());
    for place in places {
        for flags in [&[][..], &["--force"]] {
            let mut arguments = vec!["backup", place.to_str().unwrap()];
            arguments.extend(flags);
            let said = refused(&run(behind(&data, &arguments)));
            let told = said.contains("is a file of a data directory");
            assert!(told && said.contains(place.to_str().unwrap()), "{said}");
        }
    }
    assert_eq!(secrets.map(|path| std::fs::read(path).unwrap()), before);
    assert!(files::contents(&neighbour) == theirs);
    assert!(!data.join("archive.db").exists());
    // The server has noticed nothing. What it writes goes where the next start looks for it.
    server.admin.put("/v1/queues/later", serde_json::json!({})).await.ok();
    server.kill();
    done(&run(behind(&data, &["check"])));
    let server = Program::start(&data, "--demo");
    server.admin.get("/v1/queues/later").await.ok();
}

#[test]
fn a_backup_replaces_nothing_that_is_no_file_and_removes_nothing_of_others() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    files::furnish(&data, 3);
    let dear = dir.path().join("dear");
    std::fs::write(&dear, "something dear").unwrap();
    symlink(&dear, dir.path().join("a-link")).unwrap();
    symlink("nowhere", dir.path().join("a-link-to-nothing")).unwrap();
    make_pipe(&dir.path().join("a-pipe"));
    std::fs::create_dir(dir.path().join("a-directory")).unwrap();
    for (name, kind) in [
        ("a-link", "a symbolic link"),
        ("a-link-to-nothing", "a symbolic link"),
        ("a-pipe", "a pipe"),
        ("a-directory", "a directory"),
    ] {
        let place = dir.path().join(name);
        let before = std::fs::symlink_metadata(&place).unwrap().file_type();
        for flags in [&[][..], &["--force"]] {
            let mut arguments = vec!["backup", place.to_str().unwrap()];
            arguments.extend(flags);
            let said = refused(&run(behind(&data, &arguments)));
            assert!(said.contains(&format!("it is {kind}, and not a file")), "{said}");
        }
        assert_eq!(std::fs::symlink_metadata(&place).unwrap().file_type(), before);
    }
    assert!(!dir.path().join("nowhere").exists());

    // Somebody's file that has the name of a part of the copy.
    let copy = dir.path().join("copy");
    let theirs = dir.path().join("copy.partial");
    std::fs::write(&theirs, "something dear").unwrap();
    done(&run(behind(&data, &["backup", copy.to_str().unwrap()])));
    assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "something dear");
    assert_eq!(std::fs::read_to_string(&dear).unwrap(), "something dear");
}

#[test]
fn two_who_copy_to_one_place_do_not_take_it_from_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    files::furnish(&data, 3);
    let copy = dir.path().join("copy");
    let unfinished = dir.path().join("copy.holdline-partial");
    // Holds the file as another copy in progress holds it.
    let other = std::fs::File::create(&unfinished).unwrap();
    other.lock().unwrap();
    let said = refused(&run(behind(&data, &["backup", copy.to_str().unwrap()])));
    assert!(said.contains("another copy is being made there"), "{said}");
    assert!(unfinished.exists() && !copy.exists());
    // A copy in progress that is killed no longer holds the file.
    drop(other);
    done(&run(behind(&data, &["backup", copy.to_str().unwrap()])));
    assert!(!unfinished.exists() && copy.exists());
}

#[test]
fn a_link_in_a_data_directory_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let dear = dir.path().join("dear");
    std::fs::write(&dear, "something dear").unwrap();
    for name in [
        "lock",
        "history",
        "chats.db.damaged",
        "unclean",
        "secret",
        "signing.json",
        "access.json",
        "archive.db",
    ] {
        let data = dir.path().join(format!("data-{name}"));
        files::furnish(&data, 3);
        drop(std::fs::remove_file(data.join(name)));
        symlink(&dear, data.join(name)).unwrap();
        let server = behind(&data, &["--listen", "127.0.0.1:0", "--log", "error"]);
        let said = refused(&run(server));
        let told = format!("{name}: it is a symbolic link, and not a file");
        let used = format!("{name} cannot be used: it is a symbolic link, and not a file");
        assert!(said.contains(&told) || said.contains(&used), "{name}: {said}");
        assert_eq!(std::fs::read_to_string(&dear).unwrap(), "something dear", "{name}");
        let is_link = std::fs::symlink_metadata(data.join(name)).unwrap().is_symlink();
        assert!(is_link, "{name} is left as it is");
    }
    // Somebody's file that has one of our names as a second name.
    for name in ["lock", "history"] {
        let data = dir.path().join(format!("twice-{name}"));
        files::furnish(&data, 3);
        drop(std::fs::remove_file(data.join(name)));
        std::fs::hard_link(&dear, data.join(name)).unwrap();
        match name {
            "lock" => {
                let server = behind(&data, &["--listen", "127.0.0.1:0", "--log", "error"]);
                let said = refused(&run(server));
                assert!(said.contains("something that no server has written"), "{said}");
            }
            // A history file that says nothing is begun anew, in a file of its own.
            _ => drop(files::open(&data).unwrap()),
        }
        assert_eq!(std::fs::read_to_string(&dear).unwrap(), "something dear", "{name}");
    }
}

#[test]
fn the_directory_itself_may_be_reached_by_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let known = files::furnish(&data, 3);
    let linked = dir.path().join("linked");
    symlink(&data, &linked).unwrap();
    done(&run(behind(&linked, &["check"])));
    let (_journal, recovered) = files::open(&linked).unwrap();
    known.assert_recovered(&recovered);
}

#[test]
fn nothing_waits_for_a_pipe() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    make_pipe(&pipe);
    let restored = dir.path().join("restored");
    let said = refused(&run(behind(&restored, &["restore", pipe.to_str().unwrap()])));
    assert!(said.contains("pipe cannot be used: it is a pipe, and not a file"), "{said}");
    assert!(!restored.exists());

    let data = dir.path().join("data");
    files::furnish(&data, 3);
    let copy = dir.path().join("copy");
    done(&run(behind(&data, &["backup", copy.to_str().unwrap()])));
    // SQLite would look beside the copy, at these names, for transactions that were not finished.
    for suffix in ["-journal", "-wal"] {
        let beside = dir.path().join(format!("copy{suffix}"));
        make_pipe(&beside);
        let said = refused(&run(behind(&restored, &["restore", copy.to_str().unwrap()])));
        assert!(said.contains("it is a pipe"), "{said}");
        std::fs::remove_file(&beside).unwrap();
    }
    // An operator may name a copy by a link to it.
    let latest = dir.path().join("latest");
    symlink(&copy, &latest).unwrap();
    done(&run(behind(&restored, &["restore", latest.to_str().unwrap()])));

    for name in ["journal.db", "journal.db-wal", "chats.db", "lock", "history"] {
        let data = dir.path().join(format!("data-{name}"));
        files::furnish(&data, 3);
        drop(std::fs::remove_file(data.join(name)));
        make_pipe(&data.join(name));
        for command in all_commands(&data, dir.path()) {
            let shown = format!("{command:?}");
            let said = refused(&run(command));
            assert!(said.contains("it is a pipe") && said.contains(name), "{shown}: {said}");
        }
    }
    for name in ["secret", "signing.json", "access.json"] {
        let data = dir.path().join(format!("data-{name}"));
        files::furnish(&data, 3);
        make_pipe(&data.join(name));
        for arguments in [
            &["--listen", "127.0.0.1:0", "--log", "error"][..],
            &["backup", dir.path().join("never-made").to_str().unwrap()],
        ] {
            let said = refused(&run(behind(&data, arguments)));
            assert!(said.contains("it is a pipe") && said.contains(name), "{arguments:?}: {said}");
        }
    }
}
