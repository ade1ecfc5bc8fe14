//! The code's own rules, as tests: which way imports may point, what the domain may not know, how
//! long a file may be, and that every bound has its reason.

#[path = "structure/circles.rs"]
mod circles;
#[path = "structure/places.rs"]
mod places;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each part of the crate may use of the others. `limits` and `clock` are leaves that any
/// part of the shell may use; the domain uses only `limits`.
const ARROWS: [(&str, &[&str]); 18] = [
    ("domain", &["limits"]),
    ("limits", &[]),
    ("clock", &["domain", "limits"]),
    ("wire", &["domain", "limits"]),
    ("private", &[]),
    ("journal", &["clock", "domain", "limits", "private"]),
    ("behavior", &["domain", "limits", "wire"]),
    ("engine", &["behavior", "clock", "domain", "journal", "limits", "wire"]),
    ("access", &["clock", "domain", "limits", "private"]),
    ("commands", &["access", "clock", "config", "domain", "journal", "limits", "private", "wire"]),
    ("config", &["access", "strangers", "tls"]),
    ("demo", &["domain"]),
    ("strangers", &["clock", "domain", "limits"]),
    ("tls", &["limits", "private"]),
    (
        "socket",
        &["access", "behavior", "clock", "domain", "engine", "limits", "strangers", "tls", "wire"],
    ),
    ("http", &["access", "clock", "domain", "engine", "limits", "strangers", "wire"]),
    ("web", &[]),
    (
        "server",
        &[
            "access",
            "clock",
            "config",
            "demo",
            "domain",
            "engine",
            "http",
            "journal",
            "limits",
            "private",
            "socket",
            "strangers",
            "tls",
            "web",
            "wire",
        ],
    ),
];

/// Words of the outer world, which the domain does not know.
const UNKNOWN_TO_THE_DOMAIN: [&str; 14] = [
    "actix",
    "tokio",
    "async fn",
    ".await",
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "serde",
    "HashMap",
    "HashSet",
    "rand::",
    "::now(",
    "tracing",
];

/// Words of the outer world, which behaviors do not know.
const UNKNOWN_TO_BEHAVIORS: [&str; 12] = [
    "actix",
    "tokio",
    "dashmap",
    "async fn",
    ".await",
    "std::fs",
    "std::net",
    "std::thread",
    "rand::",
    "::now(",
    "thread_local",
    "tracing",
];

/// Names that refuse nothing, and so collect everything.
const NAMES_REFUSED: [&str; 9] =
    ["utils", "util", "helper", "helpers", "common", "misc", "manager", "types", "models"];

struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// The part of the crate to which the file belongs: `engine` for `src/engine.rs` and
    /// `src/engine/queue.rs`.
    fn part(&self) -> String {
        let inner = self.path.strip_prefix("src").expect("sources are under src");
        let first = inner.components().next().expect("a file has a name");
        let first = first.as_os_str().to_string_lossy();
        first.trim_end_matches(".rs").to_owned()
    }

    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn sources(folder: &str) -> Vec<Source> {
    fn collect(folder: &Path, found: &mut Vec<Source>) {
        for entry in fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("the file can be read");
                found.push(Source { path, text });
            }
        }
    }
    let mut found = Vec::new();
    collect(Path::new(folder), &mut found);
    found.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(!found.is_empty(), "{folder} holds no source");
    found
}

fn fail_if_any(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{rule}:\n  {}", offences.join("\n  "));
}

#[test]
fn imports_point_inwards() {
    let arrows: BTreeMap<_, _> = ARROWS.into_iter().collect();
    let mut offences = Vec::new();
    for source in sources("src") {
        let part = source.part();
        if part == "lib" || part == "main" {
            continue;
        }
        let allowed = arrows.get(part.as_str());
        let allowed = allowed.unwrap_or_else(|| panic!("`{part}` has no arrows; add it to ARROWS"));
        for (number, line) in source.code() {
            for used in line.split("crate::").skip(1) {
                let used = used.split(|next: char| !next.is_alphanumeric() && next != '_').next();
                let used = used.unwrap_or_default();
                if !used.is_empty() && used != part && !allowed.contains(&used) {
                    offences.push(format!("{}:{number} uses {used}", source.path.display()));
                }
            }
        }
    }
    fail_if_any("an import points the wrong way", &offences);
}

#[test]
fn the_domain_and_the_behaviors_know_nothing_of_the_world() {
    let mut offences = Vec::new();
    let parts =
        [("src/domain", &UNKNOWN_TO_THE_DOMAIN[..]), ("src/behavior", &UNKNOWN_TO_BEHAVIORS)];
    for (folder, unknown) in parts {
        for source in sources(folder) {
            for (number, line) in source.code() {
                for word in unknown.iter().filter(|word| line.contains(**word)) {
                    offences.push(format!("{}:{number} says {word}", source.path.display()));
                }
            }
        }
    }
    fail_if_any("what is pure knows the world", &offences);
}

#[test]
fn receipts_are_issued_by_the_journal_alone() {
    let mut offences = Vec::new();
    for source in sources("src").iter().filter(|source| source.part() != "journal") {
        for (number, line) in source.code().filter(|(_, line)| line.contains("Receipt::issue(")) {
            offences.push(format!("{}:{number} {line}", source.path.display()));
        }
    }
    fail_if_any("somebody else than the journal issues a receipt", &offences);
}

#[test]
fn the_deprecated_crate_stays_in_one_part() {
    let mut offences = Vec::new();
    for source in sources("src").iter().filter(|source| source.part() != "socket") {
        let named = source.code().any(|(_, line)| line.contains("actix_web_actors"));
        if named {
            offences.push(source.path.display().to_string());
        }
    }
    fail_if_any("actix_web_actors is named outside of socket", &offences);
}

#[test]
fn rooms_are_small_and_say_what_they_are() {
    let mut offences = Vec::new();
    for folder in ["src", "tests", "benches", "examples"] {
        for source in sources(folder) {
            let shown = source.path.display();
            let lines = source.text.lines().count();
            if lines > 400 {
                offences.push(format!("{shown} has {lines} lines"));
            }
            if !source.text.starts_with("//!") {
                offences.push(format!("{shown} does not say what it is"));
            }
            let name = source.path.file_stem().expect("a file has a name").to_string_lossy();
            if NAMES_REFUSED.contains(&&*name) {
                offences.push(format!("{shown} has a name that refuses nothing"));
            }
            let wide = source.text.lines().position(|line| line.chars().count() > 100);
            offences.extend(wide.map(|index| format!("{shown}:{} is too wide", index + 1)));
        }
    }
    fail_if_any("a room is out of order", &offences);
}

#[test]
fn nothing_is_left_unfinished() {
    // The marks are put together here, so that this file does not find itself.
    let marks = [["to", "do!("], ["unimple", "mented!("], ["FIX", "ME"], ["#[igno", "re"]];
    let marks = marks.map(|parts| parts.concat());
    let mut offences = Vec::new();
    for folder in ["src", "tests", "benches", "examples"] {
        for source in sources(folder) {
            for mark in marks.iter().filter(|mark| source.text.contains(*mark)) {
                offences.push(format!("{} says {mark}", source.path.display()));
            }
        }
    }
    fail_if_any("something is unfinished", &offences);
}

#[test]
fn every_bound_has_its_reason() {
    let all = sources("src").into_iter().filter(|source| source.part() == "limits");
    let text: String = all.map(|source| source.text).collect();
    let mut documented = String::new();
    let mut offences = Vec::new();
    for line in text.lines() {
        if let Some(said) = line.strip_prefix("///") {
            documented.push_str(said);
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            let name = rest.split(':').next().unwrap_or_default();
            if documented.trim().len() < 30 {
                offences.push(format!("{name} has no reason"));
            }
            documented.clear();
        } else {
            documented.clear();
        }
    }
    fail_if_any("a bound has no reason", &offences);
}

#[test]
fn the_map_and_the_land_agree() {
    let map = fs::read_to_string("ARCHITECTURE.md").expect("ARCHITECTURE.md can be read");
    let mut offences = Vec::new();
    for source in sources("src") {
        let part = source.part();
        if !map.contains(&format!("`src/{part}")) {
            offences.push(format!("src/{part} is not on the map"));
        }
    }
    for quoted in map.split('`').skip(1).step_by(2) {
        let is_path = ["src/", "tests/", "docs/", "benches/", "examples/"]
            .iter()
            .any(|folder| quoted.starts_with(folder));
        let plain = !quoted.contains(['*', '<', '{', ' ']);
        if is_path && plain && !Path::new(quoted).exists() {
            offences.push(format!("{quoted} is on the map and not in the land"));
        }
    }
    offences.dedup();
    fail_if_any("ARCHITECTURE.md and the code disagree", &offences);
}
