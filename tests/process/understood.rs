//! Every command of the documents is run, or is marked as one that no test can run. Even a marked
//! command must be understood: its programs, profiles, tests and flags must exist. The load
//! tester's own tests check the load tester's commands.

use std::path::Path;

use clap::Parser as _;
use clap::error::ErrorKind;
use holdline::commands::Program as CommandLine;

use crate::documented::{is_of_the_directory, is_of_the_tour};
use crate::page::{Example, examples};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn exists(path: &str) -> Result<(), String> {
    if root().join(path).exists() { Ok(()) } else { Err(format!("there is no {path}")) }
}

/// The word behind a flag.
fn after<'a>(words: &[&'a str], flag: &str) -> Option<&'a str> {
    let at = words.iter().position(|word| *word == flag)?;
    words.get(at + 1).copied()
}

/// Whether a command would be understood. `None` for a command that other tests check.
fn understood(command: &str) -> Option<Result<(), String>> {
    let words: Vec<_> = command.split_whitespace().collect();
    if command.contains("-p holdline-load -- ") || command.starts_with("holdline-load ") {
        return None;
    }
    let own = command.strip_prefix("cargo run --release -- ");
    if let Some(own) = own.or_else(|| command.strip_prefix("holdline ")) {
        return Some(asked_of_holdline(own));
    }
    Some(match words.first().copied().unwrap_or_default() {
        "cargo" => asked_of_cargo(&words),
        "alias" | "grow" | "sqlite3" | "curl" | "websocat" | "git" | "cd" => Ok(()),
        // These commands change the machine.
        "useradd" | "install" | "echo" | "systemctl" | "sysctl" | "podman" => Ok(()),
        // The load tester's own tests know these.
        "run" | "compare" | "actors" | "growth" => return None,
        "tests/run" => exists("tests/run"),
        "load/peers/install" => {
            let installer = std::fs::read_to_string(root().join("load/peers/install"));
            let installer = installer.expect("it can be read");
            let known = |peer: &&str| installer.contains(&format!("install_{peer}()"));
            match words[1..].iter().find(|peer| !known(peer)) {
                Some(peer) => Err(format!("there is no peer {peer}")),
                None => Ok(()),
            }
        }
        first if first.starts_with("SEED=") || first.starts_with("SEED_BASE=") => {
            return understood(&words[1..].join(" "));
        }
        _ => Err("no test knows what to do with it".to_owned()),
    })
}

fn asked_of_holdline(own: &str) -> Result<(), String> {
    // A heading names a value instead of giving it.
    let id = "00000000-0000-0000-0000-000000000001";
    let own = own.replace("$C", id).replace("explain ID", &format!("explain {id}"));
    let own = own.replace("LENGTH", "60s");
    let line = ["holdline"].into_iter().chain(own.split_whitespace());
    match CommandLine::try_parse_from(line) {
        Ok(_) => Ok(()),
        Err(error) if error.exit_code() == 0 => Ok(()),
        // A sentence may name a command without its arguments.
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument && !own.contains(' ') => {
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn asked_of_cargo(words: &[&str]) -> Result<(), String> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    let profile = after(words, "--profile").unwrap_or("release");
    if !manifest.contains(&format!("[profile.{profile}]")) {
        return Err(format!("there is no profile {profile}"));
    }
    if let Some(name) = after(words, "--example") {
        let path = format!("examples/{name}.rs");
        let source = std::fs::read_to_string(root().join(&path));
        let source = source.map_err(|error| format!("{path}: {error}"))?;
        let own = words.iter().skip_while(|word| **word != "--").skip(1);
        let mut flags = own.filter_map(|word| word.strip_prefix("--"));
        return match flags.find(|flag| !source.contains(&flag.replace('-', "_"))) {
            Some(unknown) => Err(format!("{name} has no --{unknown}")),
            None => Ok(()),
        };
    }
    if let Some(name) = after(words, "--test") {
        let whole = exists(&format!("tests/{name}.rs"));
        return whole.or_else(|_| exists(&format!("tests/{name}/main.rs")));
    }
    match after(words, "--bench") {
        Some(name) => exists(&format!("benches/{name}.rs")),
        None => Ok(()),
    }
}

#[test]
fn every_command_is_run_or_marked_and_all_are_understood() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for example in examples().into_iter().filter(Example::is_command) {
        count += 1;
        let has_tour = ["README.md", "docs/http.md"].contains(&example.page);
        let is_run = (has_tour && is_of_the_tour(&example))
            || example.text.starts_with("holdline ")
            || (example.page == "README.md" && is_of_the_directory(&example))
            // The load tester's own tests run or refuse this.
            || example.text.contains("-p holdline-load --");
        if !example.is_inline && !is_run && !example.is_not_run() {
            let text = &example.text;
            wrong.push(format!("{}: it is neither run nor marked: {text}", example.place));
        }
        if is_of_the_tour(&example) {
            continue;
        }
        for command in example.commands().iter().filter(|command| !command.starts_with('{')) {
            if let Some(Err(error)) = understood(command) {
                wrong.push(format!("{}: {command}: {error}", example.place));
            }
        }
    }
    assert!(count > 50, "they are found: {count}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_command_that_nobody_knows_or_understands_is_noticed() {
    for wrong in [
        "holdline explain",
        "holdline dry-run --windows 60s",
        "cargo run --release --example nothing -- --seeds 5",
        "cargo run --release --example simulate -- --seedlings 5",
        "cargo test --test nothing",
        "cargo build --profile fast",
        "load/peers/install nobody",
        "make install",
    ] {
        let judged = understood(wrong);
        let is_mention = wrong == "holdline explain";
        assert_eq!(judged.map(|judged| judged.is_ok()), Some(is_mention), "{wrong}");
    }
}
