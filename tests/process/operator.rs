//! Starting, stopping and mistakes.

use std::process::{Output, Stdio};

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::console::Console;
use crate::program::{Program, command, run};
use crate::widget::{Closed, Introduction, Widget, mint_visitor};

fn errors(output: &Output) -> String {
    assert!(!output.status.success(), "it was refused");
    String::from_utf8(output.stderr.clone()).expect("text")
}

#[tokio::test]
async fn it_greets_with_tokens_that_work_and_still_do_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let start = || {
        let mut command = command(data.path());
        command.env_remove("HOLDLINE_ADMIN_TOKEN");
        command.args(["--listen", "127.0.0.1:0", "--log", "warn"]).stdout(Stdio::piped());
        Program::spawn(command)
    };
    let program = start();
    let token = |greeting: &str, who: &str| -> String {
        let line = greeting.lines().find(|line| line.trim_start().starts_with(who));
        line.and_then(|line| line.split_whitespace().last()).expect("a token").to_owned()
    };
    let origin = format!("http://{}", program.address);
    for who in ["ada", "ben", "sue"] {
        let console = Console::new(&origin, &token(&program.greeting, who));
        assert_eq!(console.me().await["id"], who);
    }
    let admin = Console::new(&origin, &token(&program.greeting, "administrator"));
    admin.get("/v1/workstreams/demo").await.ok();
    assert!(admin.stranger().get("/").await.text.contains("<title>"));

    let ada = Console::new(&origin, &token(&program.greeting, "ada"));
    program.terminate();
    assert_eq!(program.ended().await.code(), Some(0));
    let program = start();
    assert_eq!(ada.at(&program.admin).me().await["id"], "ada");
    let modes = |name: &str| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(data.path().join(name)).unwrap().permissions().mode() & 0o777
    };
    assert_eq!((modes("secret"), modes("access.json")), (0o600, 0o600));
}

#[tokio::test]
async fn terminating_asks_everybody_back_and_ends_well() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path(), "--demo");
    let mut widgets = Vec::new();
    for _ in 0..20 {
        let hello = Introduction { visitor: Some(mint_visitor()), ..Introduction::default() };
        let mut widget = Widget::open(program.address, "demo", hello).await;
        widget.start("start", "Kim").await;
        widget.post("k1", "one").await;
        widgets.push(widget);
    }
    program.terminate();
    let mut back = Vec::new();
    for widget in &mut widgets {
        let (frames, closed) = widget.ended().await;
        let bye = frames.last().expect("a bye");
        assert_eq!((&bye["type"], &bye["reason"]), (&json!("bye"), &json!("restart")));
        assert_eq!(closed, Closed(1012));
        back.push(widget.introduction());
    }
    assert_eq!(program.ended().await.code(), Some(0));

    let program = Program::start(data.path(), "--demo");
    for hello in back {
        let id = {
            let widget = Widget::open(program.address, "demo", hello).await;
            widget.conversation.clone()
        };
        assert_eq!(program.admin.transcript(&id, "customer").await, ["one"]);
    }
}

#[test]
fn a_wrong_configuration_is_told_at_once_and_whole() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("holdline.toml");
    std::fs::write(&file, "threads = 9000\nlog_format = \"xml\"\nlisten_on = \"here\"\n").unwrap();
    let mut wrong = command(data.path());
    wrong.args(["--listen", "nowhere", "--drain-s", "900", "--config"]).arg(&file);
    wrong.env("HOLDLINE_DEMO", "perhaps");
    let told = errors(&run(wrong));
    for (key, source) in [
        ("listen", "--listen"),
        ("drain_s", "--drain-s"),
        ("demo", "HOLDLINE_DEMO"),
        ("threads", "holdline.toml"),
        ("log_format", "holdline.toml"),
        ("listen_on", "holdline.toml"),
    ] {
        let line = told.lines().find(|line| line.trim_start().starts_with(&format!("{key} ")));
        assert!(line.is_some_and(|line| line.contains(source)), "{key} in {told}");
    }
}

#[tokio::test]
async fn a_second_process_on_the_same_directory_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let first = Program::start(data.path(), "--no-demo");
    let mut second = command(data.path());
    second.args(["--listen", "127.0.0.1:0"]);
    let told = errors(&run(second));
    assert!(told.contains("another server is using the data directory"), "{told}");
    assert!(told.contains(data.path().to_str().unwrap()), "{told}");
    first.admin.get("/v1/queues").await.ok();
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = Program::start(one.path(), "--no-demo");
    let mut second = command(two.path());
    second.args(["--listen", &first.address.to_string()]);
    let told = errors(&run(second));
    assert!(told.contains(&format!("cannot listen on {}", first.address)), "{told}");
    let anonymous = first.admin.with_token("not-the-token");
    anonymous.get("/v1/queues").await.refused(401, "unknown_token");
}

#[test]
fn a_variable_that_means_nothing_is_refused_with_its_nearest() {
    let data = tempfile::tempdir().unwrap();
    let mut wrong = command(data.path());
    wrong.args(["--listen", "127.0.0.1:0", "--threads", "many"]);
    wrong.env("HOLDLINE_LISTN", ":8080").env("HOLDLINE_SPEED", "9");
    // These variables are meant for others, and are set in many environments.
    wrong.env("HOLDLINE_SERVICE_HOST", "10.0.0.1").env("HOLDLINE_PORT_80_TCP_PORT", "80");
    let told = errors(&run(wrong));
    let nearest =
        "HOLDLINE_LISTN (from the environment) is not known; did you mean HOLDLINE_LISTEN?";
    assert!(told.contains(nearest), "{told}");
    assert!(
        told.contains("HOLDLINE_SPEED (from the environment) is not known; known are"),
        "{told}"
    );
    assert!(told.contains("threads (from --threads)"), "every mistake at once: {told}");
    assert!(!told.contains("HOLDLINE_SERVICE") && !told.contains("HOLDLINE_PORT"), "{told}");
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0, "nothing was started");
}

#[tokio::test]
async fn serve_is_a_word_for_what_it_does_without_one() {
    let data = tempfile::tempdir().unwrap();
    for word in ["serve", "start"] {
        let mut plain = std::process::Command::new(env!("CARGO_BIN_EXE_holdline"));
        plain.arg(word).args(["--listen", "localhost:0", "--no-demo", "--log", "warn", "--data"]);
        plain.arg(data.path()).env("HOLDLINE_ADMIN_TOKEN", crate::program::ADMINISTRATOR);
        plain.stdout(Stdio::piped());
        let program = Program::spawn(plain);
        program.admin.get("/v1/queues").await.ok();
    }
    let mut wrong = std::process::Command::new(env!("CARGO_BIN_EXE_holdline"));
    wrong.arg("bakup");
    let told = errors(&run(wrong));
    assert!(told.contains("'backup'"), "{told}");
}

/// What the program logs on a terminal of its own.
fn logged_on_a_terminal(spare: bool) -> String {
    use std::io::Read as _;
    use std::os::fd::OwnedFd;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    let data = tempfile::tempdir().unwrap();
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let name = std::path::Path::new(name.to_str().unwrap()).to_owned();
    let terminal = std::fs::File::options().read(true).write(true).open(name).unwrap();
    let mut talkative = command(data.path());
    talkative.args(["--listen", "127.0.0.1:0", "--no-demo"]).stdout(Stdio::piped());
    talkative.env_remove("NO_COLOR").stderr(terminal);
    if spare {
        talkative.env("NO_COLOR", "1");
    }
    let program = Program::spawn(talkative);
    program.terminate();
    let mut text = Vec::new();
    let mut controller = std::fs::File::from(OwnedFd::from(controller));
    // Reading from a terminal that no process has open any more ends with an error.
    let mut buffer = [0; 4_096];
    while let Ok(count) = controller.read(&mut buffer) {
        text.extend_from_slice(&buffer[..count]);
        if count == 0 {
            break;
        }
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn colours_are_for_terminals_alone() {
    let data = tempfile::tempdir().unwrap();
    let mut talkative = command(data.path());
    talkative.args(["--listen", "127.0.0.1:0", "--no-demo"]);
    talkative.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = talkative.spawn().unwrap();
    let mut greeting = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut greeting, &mut String::new()).unwrap();
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    let logged = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    assert!(logged.contains(" INFO "), "{logged}");
    assert!(!logged.contains('\u{1b}'), "{logged:?}");

    let coloured = logged_on_a_terminal(false);
    assert!(coloured.contains('\u{1b}'), "{coloured:?}");
    let spared = logged_on_a_terminal(true);
    assert!(spared.contains(" INFO ") && !spared.contains('\u{1b}'), "{spared:?}");
}

#[test]
fn it_tells_its_version_and_its_flags() {
    let data = tempfile::tempdir().unwrap();
    for (flag, part) in [("--version", "holdline "), ("--help", "--listen")] {
        let mut asked = command(data.path());
        asked.arg(flag);
        let output = run(asked);
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().contains(part), "{flag}");
    }
}

/// The resident memory of the program, in bytes.
fn resident(program: &Program) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.process())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1_024
}

#[tokio::test]
async fn whoever_floods_it_with_nonsense_costs_it_little() {
    let data = tempfile::tempdir().unwrap();
    let program = Program::start(data.path(), "--demo");
    let mut before = 0;
    for round in 0..40 {
        let mut widget = Widget::open(program.address, "demo", Introduction::default()).await;
        for _ in 0..10_000 {
            let nonsense = "[".repeat(200);
            if widget.send(Message::text(nonsense)).await.is_err() {
                break;
            }
        }
        let (_, closed) = widget.ended().await;
        assert_eq!(closed, Closed(4008));
        if round == 9 {
            before = resident(&program);
        }
    }
    let after = resident(&program);
    assert!(after < before + (8 << 20), "{before} -> {after} bytes");
}
