//! The Containerfile: what can be known of it without a builder. Its health check and its entry
//! point are run as they stand there.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::console::{Console, PATIENCE};
use crate::program::{ADMINISTRATOR, Program};
use crate::proxy::free_address;

/// The instructions of the file, each as a word and the rest. Continued lines are joined into one.
fn instructions() -> Vec<(String, String)> {
    let text = std::fs::read_to_string("docs/deployment/Containerfile").expect("the file");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let whole = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let parted = whole.lines().filter_map(|line| line.trim().split_once(' '));
    parted.map(|(word, rest)| (word.to_owned(), rest.trim().to_owned())).collect()
}

fn all<'a>(instructions: &'a [(String, String)], word: &str) -> Vec<&'a str> {
    let those = instructions.iter().filter(|(name, _)| name == word);
    those.map(|(_, rest)| rest.as_str()).collect()
}

/// A command in the form of a list, as the builder keeps it.
fn command(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap_or_else(|error| panic!("{list}: {error}"))
}

fn run(words: &[String]) -> Output {
    Command::new(&words[0]).args(&words[1..]).output().expect("it can be run")
}

#[test]
fn it_has_two_stages_and_the_second_is_nobody_and_writes_only_to_its_volume() {
    let all_of_it = instructions();
    let last = all_of_it.iter().rposition(|(word, _)| word == "FROM").expect("a stage");
    let (build, image) = all_of_it.split_at(last);
    let known = [
        "FROM",
        "ARG",
        "WORKDIR",
        "COPY",
        "RUN",
        "USER",
        "VOLUME",
        "ENV",
        "EXPOSE",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
    ];
    let unknown = all_of_it.iter().find(|(word, _)| !known.contains(&word.as_str()));
    assert_eq!(unknown, None);
    assert!(all(build, "FROM")[0].ends_with(" AS build"));
    for copied in all(build, "COPY") {
        let mut names: Vec<_> = copied.split(' ').collect();
        names.pop();
        for name in names {
            assert!(Path::new(name).exists(), "there is no {name} to copy");
        }
    }
    let manifest = std::fs::read_to_string("Cargo.toml").expect("the manifest");
    let profile = all(build, "ARG")[0].strip_prefix("PROFILE=").expect("a profile");
    assert!(manifest.contains(&format!("[profile.{profile}]")), "{profile}");
    assert_eq!(all(image, "COPY"), ["--from=build /out/holdline /usr/local/bin/holdline"]);
    let user = all(image, "USER")[0].split(':').next().expect("a user");
    assert!(user.parse::<u32>().is_ok_and(|number| number > 0), "{user} is nobody's number");
    let volume = all(image, "VOLUME")[0];
    let environment = all(image, "ENV")[0];
    assert!(environment.contains(&format!("HOLDLINE_DATA={volume} ")), "{environment}");
    assert_eq!(all(image, "STOPSIGNAL"), ["SIGTERM"]);
}

#[test]
fn its_environment_is_understood() {
    let all_of_it = instructions();
    let environment = all(&all_of_it, "ENV")[0].to_owned();
    let value = |name: &str| {
        let found = environment.split_whitespace().filter_map(|one| one.split_once('='));
        let found = found.filter(|(one, _)| *one == name).map(|(_, value)| value.into());
        found.last()
    };
    let config = holdline::config::Config::load(["holdline".into()], value, |_| unreachable!());
    let config = config.expect("the environment is good");
    assert!(config.listen.ip().is_unspecified() && config.demo == Some(false));
    let port = config.listen.port().to_string();
    assert_eq!(all(&all_of_it, "EXPOSE"), [port]);
}

#[test]
fn its_health_check_tells_a_server_that_lives_from_none() {
    let all_of_it = instructions();
    let check = all(&all_of_it, "HEALTHCHECK")[0];
    let (_, list) = check.split_once("CMD ").expect("a command");
    let ask = |address: SocketAddr| {
        let port = format!("/{}", address.port());
        run(&command(list).iter().map(|word| word.replace("/8080", &port)).collect::<Vec<_>>())
    };
    let data = tempfile::tempdir().expect("a directory");
    let program = Program::start(data.path(), "--no-demo");
    let output = ask(program.address);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!ask(free_address()).status.success(), "nobody is there");
}

/// Makes a root that cannot be written, as a builder's `--read-only` does, becomes the image's user
/// in it, and starts the given command there.
const READ_ONLY: &str = r#"
    set -eu
    root=$1 program=$2 user=$3
    shift 3
    mount --make-rprivate /
    mount --bind / "$root"
    mount -o remount,bind,ro "$root"
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    mount -t tmpfs none "$root/tmp"
    install -D -m 0755 "$program" "$root/tmp/bin/holdline"
    install -d -o "$user" -g "$user" -m 0700 "$root/tmp/data"
    export PATH="/tmp/bin:$PATH" HOLDLINE_DATA=/tmp/data
    exec chroot "$root" setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs "$@"
"#;

/// The program as the image starts it.
fn entry(address: SocketAddr) -> (tempfile::TempDir, std::process::Child) {
    let all_of_it = instructions();
    let words = command(all(&all_of_it, "ENTRYPOINT")[0]);
    let user = all(&all_of_it, "USER")[0].split(':').next().expect("a user").to_owned();
    let root = tempfile::tempdir().expect("a directory");
    let mut entry = Command::new("unshare");
    entry.args(["--mount", "bash", "-c", READ_ONLY, "bash"]).arg(root.path());
    entry.arg(env!("CARGO_BIN_EXE_holdline")).arg(user).args(words);
    entry.args(["--listen", &address.to_string()]);
    entry.env("HOLDLINE_DEMO", "false").env("HOLDLINE_ADMIN_TOKEN", ADMINISTRATOR);
    entry.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    (root, entry.spawn().expect("unshare is there"))
}

#[tokio::test]
async fn its_entry_needs_no_rights_and_no_root_to_write_to_and_tells_no_token() {
    let address = free_address();
    let (_root, mut process) = entry(address);
    let admin = Console::new(&format!("http://{address}"), ADMINISTRATOR);
    let started = Instant::now();
    while admin.request(Method::GET, "/readyz").send().await.is_err() {
        if process.try_wait().expect("it can be asked").is_some() {
            let output = process.wait_with_output().expect("it has ended");
            panic!("it needs root: {}", String::from_utf8_lossy(&output.stderr));
        }
        assert!(started.elapsed() < PATIENCE, "it does not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    admin.put("/v1/agents/ada", json!({ "name": "Ada" })).await.ok();
    // The signal reaches the program, because the program has taken the shell's place.
    kill_process(Pid::from_child(&process), Signal::TERM).expect("it runs");
    let output = process.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains(ADMINISTRATOR), "the token is in the log");
}
