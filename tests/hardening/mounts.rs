//! File systems for a test. They are mounted in a mount namespace of the test's own, and go with
//! it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variable that tells a test that it runs in the namespace.
const INSIDE: &str = "TEST_OF_HOLDLINE_IN_ITS_NAMESPACE";

/// What the inner run prints when it has really brought about what the test is about.
const PROVOKED: &str = "provoked: ";

/// Runs this test again in a mount namespace of its own, and there runs `trial`. Where no namespace
/// can be made the test fails: it never passes without having tried.
#[track_caller]
pub(crate) fn in_namespace(test: &str, trial: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        trial();
        return;
    }
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--propagation", "private"]);
    if !rustix::process::geteuid().is_root() {
        unshare.arg("--map-root-user");
    }
    let inner = std::env::current_exe().expect("the test is a program");
    unshare.arg(inner).args(["--exact", test, "--nocapture", "--test-threads=1"]);
    let output = unshare.env(INSIDE, "1").output().expect("unshare (of util-linux) is installed");
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains(PROVOKED), "{test} was not run, or provoked nothing: {said}");
}

/// Says that the condition which the test is about was really there.
pub(crate) fn provoked(what: &str) {
    println!("{PROVOKED}{what}");
}

/// A small file system in memory.
pub(crate) struct Disk {
    pub(crate) path: PathBuf,
}

impl Disk {
    /// A file system of this many KiB, mounted on a new directory.
    pub(crate) fn new(parent: &Path, name: &str, kib: u32) -> Self {
        let path = parent.join(name);
        std::fs::create_dir(&path).expect("the directory is new");
        let size = format!("size={kib}k,mode=700");
        mount(&["-t", "tmpfs", "-o", &size, "tmpfs", path.to_str().expect("UTF-8")]);
        Self { path }
    }

    /// Takes all the room that is left. It can be called again when there is more.
    pub(crate) fn fill(&self) {
        let mut ballast = File::options()
            .create(true)
            .append(true)
            .open(self.ballast())
            .expect("an empty file needs no room");
        let block = [0x55; 4_096];
        loop {
            match ballast.write(&block) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{error}");
                    break;
                }
            }
        }
    }

    /// Gives all the room back.
    pub(crate) fn empty(&self) {
        std::fs::remove_file(self.ballast()).expect("it was filled");
    }

    pub(crate) fn make_read_only(&self) {
        mount(&["-o", "remount,ro", self.path.to_str().expect("UTF-8")]);
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }
}

pub(crate) fn mount(arguments: &[&str]) {
    let output = Command::new("mount").args(arguments).output().expect("mount is installed");
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "mount {arguments:?}: {complained}");
}
