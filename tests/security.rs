//! The table of OWASP ASVS in SECURITY.md: everything that it names is there, and each requirement
//! of the levels 1 and 2 is accounted for once. `tests/asvs.txt` has their numbers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const HEADING: &str = "## OWASP ASVS 5.0, levels 1 and 2";

/// What a row may say of a requirement.
const VERDICTS: [&str; 3] = ["met", "partly", "not met"];

/// The beginning of a line that tells of requirements which do not apply.
const NOT_HERE: &str = "* Does not apply: ";

/// The folders of the files that the document names.
const FOLDERS: [&str; 5] = ["tests/", "src/", "fuzz/", "load/", "docs/"];

/// The attribute above a test, or how that begins.
const MARKS: [&str; 3] = ["#[test]", "#[tokio::test", "#[actix_rt::test"];

/// What the document says of one requirement. A requirement that does not apply has no verdict.
struct Account {
    number: String,
    verdict: Option<String>,
    said: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The numbers of all requirements, in their order.
fn requirements() -> Vec<String> {
    read("tests/asvs.txt").lines().map(str::to_owned).collect()
}

/// The section of the table.
fn section() -> String {
    let document = read("SECURITY.md");
    let (_, section) = document.split_once(HEADING).expect("SECURITY.md has the section");
    let end = section.find("\n## ").unwrap_or(section.len());
    section[..end].to_owned()
}

fn fail_if_any(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{rule}:\n  {}", offences.join("\n  "));
}

/// What one row of a table tells; nothing if the line is no row.
fn row(line: &str) -> Option<Account> {
    let cells: Vec<_> = line.strip_prefix("| ")?.split(" | ").collect();
    let number = cells[0].split(' ').next().unwrap_or_default();
    if !number.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let verdict = cells.get(1).copied().unwrap_or_default().to_owned();
    let said = cells.get(2..).unwrap_or_default().join(" | ");
    Some(Account { number: number.to_owned(), verdict: Some(verdict), said })
}

/// The numbers of a line such as `1.2.6–1.2.8, 1.3.1: the reason`.
fn numbers(listed: &str, all: &[String]) -> Vec<String> {
    let place = |number: &str| {
        let found = all.iter().position(|known| known == number);
        found.unwrap_or_else(|| panic!("{number} is no requirement of level 1 or 2"))
    };
    let mut found = Vec::new();
    for part in listed.split(", ") {
        let (first, last) = part.split_once('–').unwrap_or((part, part));
        assert!(place(first) <= place(last), "{part} runs backwards");
        found.extend_from_slice(&all[place(first)..=place(last)]);
    }
    found
}

fn accounts() -> Vec<Account> {
    let all = requirements();
    let mut accounts = Vec::new();
    for line in section().lines() {
        if let Some(line) = line.strip_prefix(NOT_HERE) {
            let (listed, reason) = line.split_once(": ").expect("a line has its reason");
            let account =
                |number| Account { number, verdict: None, said: reason.trim().to_owned() };
            accounts.extend(numbers(listed, &all).into_iter().map(account));
        } else {
            accounts.extend(row(line));
        }
    }
    accounts
}

/// Everything in backticks that names a file of the repository: the file, and a function of it if
/// one is named.
fn named(document: &str) -> Vec<(String, Option<String>)> {
    let quoted = document.split('`').skip(1).step_by(2);
    let paths = quoted.filter(|quoted| FOLDERS.iter().any(|folder| quoted.starts_with(folder)));
    let parted = paths.map(|path| match path.split_once("::") {
        Some((file, function)) => (file.to_owned(), Some(function.to_owned())),
        None => (path.to_owned(), None),
    });
    parted.collect()
}

/// Whether a source has a function of this name that is run as a test.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let begins = |line: &str| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        let rest = line.strip_prefix("fn ").and_then(|line| line.strip_prefix(name));
        rest.is_some_and(|rest| rest.starts_with(['(', '<']))
    };
    lines.iter().enumerate().filter(|(_, line)| begins(line)).any(|(index, _)| {
        let above = lines[..index].iter().rev();
        let mut above = above.take_while(|line| line.starts_with("#[") || line.starts_with("//"));
        above.any(|line| MARKS.iter().any(|mark| line.starts_with(mark)))
    })
}

#[test]
fn whatever_is_named_is_there() {
    let mut offences = Vec::new();
    let named = named(&read("SECURITY.md"));
    assert!(named.iter().any(|(_, function)| function.is_some()), "tests are named");
    for (file, function) in named {
        if !root().join(&file).exists() {
            offences.push(format!("there is no {file}"));
        } else if let Some(function) = function
            && !has_test(&read(&file), &function)
        {
            offences.push(format!("{file} has no test {function}"));
        }
    }
    fail_if_any("SECURITY.md names what is not there", &offences);
}

#[test]
fn every_requirement_is_accounted_for_once() {
    let mut counted: BTreeMap<_, usize> = BTreeMap::new();
    for account in accounts() {
        *counted.entry(account.number).or_default() += 1;
    }
    let mut offences = Vec::new();
    for number in requirements() {
        match counted.remove(&number) {
            Some(1) => {}
            Some(times) => offences.push(format!("{number} is told of {times} times")),
            None => offences.push(format!("{number} is told of nowhere")),
        }
    }
    let unknown = counted.into_keys().map(|number| format!("{number} is no requirement"));
    offences.extend(unknown);
    fail_if_any("a requirement is not accounted for once", &offences);
}

/// A row says whether its requirement is met, and what shows that. A line of requirements that do
/// not apply says why.
#[test]
fn every_account_says_what_it_stands_on() {
    let mut offences = Vec::new();
    for Account { number, verdict, said } in accounts() {
        let Some(verdict) = verdict else {
            if said.is_empty() {
                offences.push(format!("{number} does not apply for no reason"));
            }
            continue;
        };
        if !VERDICTS.contains(&verdict.as_str()) {
            offences.push(format!("{number} is `{verdict}`, which is no verdict"));
        }
        let names_something = !named(&said).is_empty() || said.contains("](");
        if verdict != "not met" && !names_something {
            offences.push(format!("{number} is {verdict}, and nothing shows it"));
        }
    }
    fail_if_any("an account stands on nothing", &offences);
}

#[test]
fn what_is_counted_is_so() {
    let accounts = accounts();
    let count = |wanted: Option<&str>| {
        accounts.iter().filter(|account| account.verdict.as_deref() == wanted).count()
    };
    let told = format!(
        "Of {} requirements {} are met, {} partly, {} are not met, and {} do not apply.",
        requirements().len(),
        count(Some("met")),
        count(Some("partly")),
        count(Some("not met")),
        count(None)
    );
    assert!(section().contains(&told), "SECURITY.md should say: {told}");
}

/// What SECURITY.md says of a requirement on commands of the system stands on this.
#[test]
fn nothing_starts_another_program() {
    fn look(folder: &Path, offences: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                look(&path, offences);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("the file can be read");
                if ["process::Command", "Command::new("].iter().any(|word| text.contains(word)) {
                    offences.push(path.display().to_string());
                }
            }
        }
    }
    let mut offences = Vec::new();
    look(&root().join("src"), &mut offences);
    fail_if_any("a source starts a program", &offences);
}

/// What SECURITY.md says of requirements on what a page does with what it is told stands on this.
#[test]
fn the_page_shows_what_it_is_told_as_text_and_lets_it_name_no_property() {
    let page = read("src/web/demo.html");
    let (_, script) = page.split_once("<script>").expect("the page has a script");
    assert!(script.contains(".textContent = ") && script.contains("new Map("), "it is another one");
    let written = ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "srcdoc"];
    let run = ["eval(", "new Function", "setAttribute(\"on"];
    let named = ["] =", "]=", "__proto__", "Object.assign", "Object.defineProperty", "Reflect.set"];
    let words = written.into_iter().chain(run).chain(named);
    let found: Vec<_> = words.filter(|word| script.contains(word)).map(str::to_owned).collect();
    fail_if_any("the script of the page says", &found);
}
