//! Every command of the load tester in a document is understood, and its plan can be made. So a
//! command that takes too long to run here still fails here when it no longer works.

#[path = "../../tests/documentation/page.rs"]
mod page;

use holdline_load::command::check;
use page::{Example, examples};

/// The load tester's arguments in a command of a document, if it is a command of the load tester.
fn arguments(command: &str) -> Option<Vec<String>> {
    let own = command
        .split_once("-p holdline-load -- ")
        .map(|(_, own)| own)
        .or_else(|| command.strip_prefix("holdline-load "))?;
    Some(words(own))
}

/// The words of a line, as a shell takes them apart, as far as the documents need it.
fn words(line: &str) -> Vec<String> {
    // A file of the reader's own is replaced by one that comes with the program.
    let named = |word: &str| word.trim_matches('\'').replace("FILE", "idle");
    line.split_whitespace().map(named).collect()
}

/// Each command, with the arguments that the load tester is given. An alias in a block is replaced
/// by what it stands for.
fn documented() -> Vec<(Example, String, Vec<String>)> {
    let mut found = Vec::new();
    for example in examples().into_iter().filter(Example::is_command) {
        let commands = example.commands();
        let is_own = |command: &str| {
            let first = command.split(' ').next().unwrap_or_default();
            example.is_inline && ["run", "compare", "actors", "growth"].contains(&first)
        };
        let own = commands.iter().filter_map(|command| {
            let own = if is_own(command) { Some(words(command)) } else { arguments(command) };
            Some((command, own?))
        });
        found.extend(own.map(|(command, own)| (example.clone(), command.clone(), own)));
        for grown in commands.iter().filter_map(|command| command.strip_prefix("grow ")) {
            let own = [vec!["growth".to_owned()], words(grown)].concat();
            // What a shell would put in there is no argument of the load tester.
            if !grown.contains("$(") {
                found.push((example.clone(), format!("grow {grown}"), own));
            }
        }
    }
    found
}

#[test]
fn every_documented_command_is_understood_and_its_plan_can_be_made() {
    let documented = documented();
    assert!(documented.len() > 20, "they are found: {documented:#?}");
    let wrong: Vec<_> = documented
        .iter()
        .filter(|(_, command, _)| !command.starts_with("alias"))
        .filter_map(|(example, command, own)| {
            let error = check(own).err()?;
            Some(format!("{}: {command}: {error:#}", example.place))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn whatever_is_not_marked_is_run() {
    let mut run = 0;
    for (example, command, own) in
        documented().into_iter().filter(|(one, ..)| !one.is_not_run() && !one.is_inline)
    {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_holdline-load"))
            .args(&own)
            .stdin(std::process::Stdio::null())
            .output()
            .expect("the load tester runs");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {command}: {complaint}", example.place);
        run += 1;
    }
    assert!(run > 0, "some can be run");
}

#[test]
fn a_command_that_does_not_work_is_noticed() {
    for (wrong, told) in [
        ("run mass-drop-100 --set sessions=5000 window_s=5", "two heartbeats"),
        ("run no-such-workload", "no-such-workload"),
        ("run idle --set sesions=5", "sesions"),
        ("run idle --target nobody", "nobody"),
        ("run idle --target floor --tls", "--tls is for holdline"),
        ("compare --targets holdline,nobody", "nobody"),
        ("growth --size 5", "--size"),
    ] {
        let error = check(&words(wrong)).expect_err(wrong);
        assert!(format!("{error:#}").contains(told), "{wrong}: {error:#}");
    }
}
