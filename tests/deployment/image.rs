//! The Containerfile: what can be known of it without a builder. Its health check and its entry
//! are run as they stand there.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::console::Console;
use crate::program::{ADMINISTRATOR, Program};
use crate::proxy::free_address;

/// The instructions of the file: each a word and the rest, with its continued lines in one.
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

#[tokio::test]
async fn its_entry_is_the_program_itself_and_keeps_the_token_out_of_the_log() {
    let all_of_it = instructions();
    let mut words = command(all(&all_of_it, "ENTRYPOINT")[0]);
    let (data, address) = (tempfile::tempdir().expect("a directory"), free_address());
    words.extend(["--listen".to_owned(), address.to_string()]);
    let folder = Path::new(env!("CARGO_BIN_EXE_holdline")).parent().expect("a folder");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let mut entry = Command::new(&words[0]);
    entry.args(&words[1..]).env("PATH", path).env("HOLDLINE_DATA", data.path());
    entry.env("HOLDLINE_DEMO", "false").env("HOLDLINE_ADMIN_TOKEN", ADMINISTRATOR);
    let mut process = entry.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("bash");
    let admin = Console::new(&format!("http://{address}"), ADMINISTRATOR);
    let started = std::time::Instant::now();
    while admin.request(reqwest::Method::GET, "/readyz").send().await.is_err() {
        assert!(started.elapsed() < crate::console::PATIENCE, "it does not start");
        assert!(process.try_wait().expect("it can be asked").is_none(), "it has ended");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // The signal reaches the program, because it has taken the shell's place.
    let id = rustix::process::Pid::from_child(&process);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it runs");
    let output = process.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = [output.stdout, output.stderr].concat();
    assert!(!String::from_utf8_lossy(&said).contains(ADMINISTRATOR), "the token is in the log");
}
