//! Stories: what is done to one chat, and what comes of it, as people would tell it.
//!
//! Each `stories/*.txt` holds a script, a line of dashes, and the transcript. A change of behaviour
//! shows as a change of a transcript; `UPDATE_EXPECT=1 cargo test --test stories` writes them anew,
//! for people to read before they commit them. `script.rs` describes the language.

mod difference;
mod script;
mod tell;
mod time;
mod world;

use std::path::{Path, PathBuf};

use crate::world::World;

/// The line between the script and the transcript.
const LINE: &str = "----\n";

#[test]
fn every_story_is_as_it_was_told() {
    let files = stories();
    assert!(!files.is_empty(), "there are no stories");
    let update = std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value != "0");
    let failures: Vec<String> =
        files.iter().filter_map(|file| tell_again(file, update).err()).collect();
    assert!(
        failures.is_empty(),
        "{}\nUPDATE_EXPECT=1 cargo test --test stories writes the transcripts anew.",
        failures.join("\n")
    );
}

fn stories() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories");
    let entries = std::fs::read_dir(folder).expect("the stories can be listed");
    let paths = entries.map(|entry| entry.expect("a story can be listed").path());
    let mut files: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "txt")).collect();
    files.sort();
    files
}

/// Plays the script, and compares the transcript or writes it.
fn tell_again(file: &Path, update: bool) -> Result<(), String> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    let (script, expected) = match text.split_once(&format!("\n{LINE}")) {
        Some((script, expected)) => (script, Some(expected)),
        None => (text.trim_end(), None),
    };
    let told = play(script).map_err(|problem| format!("{name}: {problem}"))?;
    if update {
        let whole = format!("{script}\n{LINE}{told}");
        return std::fs::write(file, whole).map_err(|error| format!("{name}: {error}"));
    }
    match expected {
        None => Err(format!("{name}: has no transcript")),
        Some(expected) if expected == told => Ok(()),
        Some(expected) => Err(format!("{name}:\n{}", difference::between(expected, &told))),
    }
}

/// The transcript of a script.
fn play(script: &str) -> Result<String, String> {
    let mut world = World::default();
    for (line, number) in script.lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        world.told.push(format!("> {line}"));
        let step = script::parse(line).map_err(|problem| format!("line {number}: {problem}"))?;
        world.perform(step);
    }
    Ok(world.told.join("\n") + "\n")
}
