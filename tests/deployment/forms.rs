//! The other files of docs/deployment: their timeouts against the silences of Holdline, the unit
//! against what systemd says of it, and the page's commands on a directory.

use std::fs::read_to_string;
use std::process::Command;
use std::time::Duration;

use holdline::config::Config;
use holdline::domain::liveness::Liveness;
use holdline::domain::time::Span;
use holdline::limits;

use crate::page::examples_of;
use crate::program::Program;

const PAGE: &str = "docs/deployment.md";
const FOLDER: &str = "docs/deployment";

/// The worst that systemd may say of the unit, in tenths. 0 is the closest sandbox that there is.
const EXPOSURE_MAX: u32 = 9;

fn file(name: &str) -> String {
    read_to_string(format!("{FOLDER}/{name}")).expect("the file can be read")
}

/// The longest silence of a socket, whose widget may be asked to beat every 120 s.
fn silence_of_a_socket() -> Duration {
    let most = Liveness::probe_after(Span::from_secs(120));
    Duration::from_millis(u64::try_from(most.as_millis()).expect("it is positive"))
}

/// Every duration behind this word, in seconds.
fn durations(text: &str, before: &str) -> Vec<u64> {
    let after = text.split(before).skip(1);
    let number = |rest: &str| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_else(|_| panic!("no duration behind {before:?}"))
    };
    after.map(number).collect()
}

#[test]
fn every_timeout_is_longer_than_the_silence_that_it_meets() {
    let socket = silence_of_a_socket();
    let feed = Duration::from_secs(limits::FEED_KEEP_SECONDS);
    let nginx = file("nginx.conf");
    let (widgets, rest) = nginx.split_once("# Feeds.").expect("the two locations");
    let envoy = file("envoy.yaml");
    for (what, text, before, silence) in [
        ("nginx", widgets, "proxy_read_timeout ", socket),
        ("nginx", widgets, "proxy_send_timeout ", socket),
        ("nginx", rest, "proxy_read_timeout ", feed),
        ("HAProxy", &file("haproxy.cfg"), "timeout tunnel ", socket),
        ("HAProxy", &file("haproxy.cfg"), "timeout client ", feed),
        ("HAProxy", &file("haproxy.cfg"), "timeout server ", feed),
        ("Envoy", &envoy, "stream_idle_timeout: ", socket),
        ("Envoy", &envoy, " idle_timeout: ", feed),
    ] {
        let found = durations(text, before);
        assert!(!found.is_empty(), "{what}: {before}");
        for seconds in found {
            assert!(Duration::from_secs(seconds) > silence, "{what}: {before}{seconds}");
        }
    }
    // A timeout for a whole route would end what lasts; only zero is longer than everything.
    assert_eq!(durations(&envoy, " timeout: ")[..2], [0, 0]);
    let page = read_to_string(PAGE).expect("the page");
    for told in [format!("{} s", socket.as_secs()), format!("{} s", feed.as_secs())] {
        assert!(page.contains(&told), "the page says {told}");
    }
}

#[test]
fn the_unit_is_as_closed_as_it_is_said_to_be() {
    let unit = file("holdline.service");
    let config = Config::load(
        ["holdline", "--config", "holdline.toml"].map(std::ffi::OsString::from),
        |_| None,
        |_| Ok(file("holdline.toml")),
    );
    let config = config.expect("the configuration is good");
    assert!(config.listen.ip().is_loopback() && config.demo == Some(false));
    let operators = config.operator_listen.expect("operators have an address of their own");
    assert!(operators.ip().is_loopback() && !config.page);
    for port in [config.listen.port(), operators.port()] {
        assert!(unit.contains(&format!("SocketBindAllow=tcp:{port}\n")), "its own port");
    }
    assert_eq!(config.data.to_str(), Some("/var/lib/holdline"), "its state directory");
    let stop = durations(&unit, "TimeoutStopSec=");
    let drain = config.drain.as_secs() + limits::HTTP_FINISH_SECONDS_MAX;
    assert!(stop.len() == 1 && stop[0] > drain, "a drain is not cut off");

    let mut asked = Command::new("systemd-analyze");
    let threshold = format!("--threshold={EXPOSURE_MAX}");
    asked.args(["security", "--offline=yes", "--no-pager", &threshold]);
    let output = match asked.arg(format!("{FOLDER}/holdline.service")).output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("PASSED OVER: the unit's sandbox: there is no systemd-analyze ({error})");
            return;
        }
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("unrecognized option") {
        eprintln!("PASSED OVER: the unit's sandbox: systemd-analyze is too old ({said})");
        return;
    }
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{said}");
    assert!(told.contains("Overall exposure level for holdline.service"), "{told}");
}

#[test]
fn the_page_and_its_folder_name_the_same_files() {
    let page = read_to_string(PAGE).expect("the page");
    let there = std::fs::read_dir(FOLDER).expect("the folder");
    let there = there.map(|entry| entry.expect("an entry").file_name().into_string().expect("it"));
    for name in there {
        assert!(page.contains(&format!("(deployment/{name})")), "{name} is not on the page");
    }
    for named in page.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
        let is_here = named.is_empty() || std::path::Path::new("docs").join(named).exists();
        assert!(is_here, "there is no {named}");
    }
}

#[tokio::test]
async fn every_command_of_the_page_on_a_data_directory_succeeds() {
    let data = tempfile::tempdir().expect("a directory");
    let place = data.path().join("holdline");
    std::fs::create_dir(&place).expect("it is made");
    let program = Program::start(&place, "--demo");
    let mut run = 0;
    for example in examples_of(PAGE).into_iter().filter(|one| one.text.starts_with("holdline ")) {
        if example.is_not_run() || example.is_inline {
            continue;
        }
        for line in example.commands() {
            let line = line.replace("/var/lib/", "").replace("/var/backups/", "");
            let mut asked = Command::new(env!("CARGO_BIN_EXE_holdline"));
            asked.args(line.split_whitespace().skip(1)).current_dir(data.path());
            let output = asked.output().expect("the program can be run");
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: {line}: {complaint}", example.place);
            run += 1;
        }
    }
    assert!(run >= 3, "they are found: {run}");
    program.terminate();
    assert!(program.ended().await.success());
}
