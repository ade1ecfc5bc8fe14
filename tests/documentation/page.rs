//! The examples of a document, as they stand in its source: commands in blocks and in sentences,
//! and their marks. A mark is a comment right above the block, the paragraph or the table:
//! `<!-- not run: why -->` for commands that no test can run, `<!-- NAME -->` for the schema that
//! an example of JSON has.

#![allow(dead_code, reason = "each test that reads the documents needs a part of it")]

use std::path::{Path, PathBuf};

/// Every document with commands in it.
const PAGES: [&str; 16] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/configuration.md",
    "docs/deployment.md",
    "docs/figures.md",
    "docs/http.md",
    "docs/proof.md",
    "docs/roles.md",
    "docs/storage.md",
    "docs/why.md",
    "docs/wire.md",
    "load/README.md",
    "load/peers/README.md",
];

/// What an example begins with if it is a command.
const PROGRAMS: [&str; 23] = [
    "cargo ",
    "run ",
    "compare ",
    "actors ",
    "growth ",
    "git ",
    "holdline ",
    "holdline-load ",
    "tests/run",
    "load/peers/install",
    "curl ",
    "as $",
    "C=$(",
    "websocat ",
    "sqlite3 ",
    "SEED=",
    "alias ",
    "grow ",
    "URL=",
    "useradd ",
    "podman ",
    "sysctl ",
    "systemctl ",
];

/// An example.
#[derive(Clone, Debug)]
pub struct Example {
    /// Where the example stands, for the person who has to mend it.
    pub place: String,
    /// The document.
    pub page: &'static str,
    /// What the fence says the example is. It is empty for a fence without a word, and for an
    /// example that is indented or in a sentence.
    pub kind: String,
    /// The text of the example, without the indentation.
    pub text: String,
    /// What the comment above the example says.
    pub mark: Option<String>,
    /// Whether the example stands in a sentence or a table.
    pub is_inline: bool,
}

impl Example {
    /// Whether the example is marked as one that no test runs.
    pub fn is_not_run(&self) -> bool {
        self.mark.as_deref().is_some_and(|mark| mark.starts_with("not run: "))
    }

    /// Whether the example is something to type.
    pub fn is_command(&self) -> bool {
        let first = self.text.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
        PROGRAMS.iter().any(|program| first.starts_with(program))
    }

    /// Each command of the example, without what is said about it.
    pub fn commands(&self) -> Vec<String> {
        let lines = self.text.lines().map(|line| line.split(" # ").next().unwrap_or_default());
        let parts = lines.flat_map(|line| line.split(" && ")).map(|part| part.trim().to_owned());
        parts.filter(|part| !part.is_empty() && !part.starts_with('#')).collect()
    }
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    if here.join("load").is_dir() { here.to_owned() } else { here.join("..") }
}

/// The examples of every document.
pub fn examples() -> Vec<Example> {
    let there = PAGES.iter().filter(|page| root().join(page).exists());
    there.flat_map(|page| examples_of(page)).collect()
}

/// The examples of one document.
pub fn examples_of(page: &'static str) -> Vec<Example> {
    let text = std::fs::read_to_string(root().join(page)).expect("the document can be read");
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let mut mark: Option<String> = None;
    let mut index = 0;
    while let Some(line) = lines.get(index) {
        let example = |from: usize, kind: &str, text: String, is_inline| Example {
            place: format!("{page}:{}", from + 1),
            page,
            kind: kind.to_owned(),
            text,
            mark: mark.clone(),
            is_inline,
        };
        let from = index;
        if let Some(said) = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->")) {
            mark = Some(said.to_owned());
            index += 1;
            continue;
        }
        if let Some(kind) = line.strip_prefix("```") {
            let length = lines[from + 1..].iter().position(|line| *line == "```").expect("an end");
            let text = lines[from + 1..=from + length].join("\n");
            found.push(example(from, kind, text, false));
            index += length + 2;
        } else if line.starts_with("    ") {
            let is_of_it = |line: &&&str| line.starts_with("    ") || line.is_empty();
            let length = lines[from..].iter().take_while(is_of_it).count();
            let text: Vec<_> =
                lines[from..from + length].iter().map(|line| line.get(4..).unwrap_or("")).collect();
            found.push(example(from, "", text.join("\n").trim_end().to_owned(), false));
            index += length;
        } else {
            for span in line.split('`').skip(1).step_by(2) {
                let inline = example(from, "", span.to_owned(), true);
                if inline.is_command() {
                    found.push(inline);
                }
            }
            index += 1;
            // A mark is for what is right below it, to the end of the paragraph or the table.
            let ends = line.is_empty() && mark.is_some() && !lines[from - 1].starts_with("<!--");
            if ends {
                mark = None;
            }
            continue;
        }
        mark = None;
    }
    found
}
