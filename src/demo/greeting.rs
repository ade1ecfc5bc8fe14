//! What the person who starts a server is told: where to go, who is who, and a line to paste for
//! each step of the agent's side. A token is told once, when it is made; later it is told where the
//! token is kept.

use std::fmt::Write;

use crate::demo::people::PEOPLE;

/// What is told of a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Told<'a> {
    /// It was made at this start.
    Made(&'a str),
    /// It was made at an earlier one, and is kept in the file.
    Kept,
    /// The operator has given it, and knows it.
    Given,
}

/// What is told of all tokens.
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a> {
    /// The administrator's.
    pub administrator: Told<'a>,
    /// Those of [`PEOPLE`], in their order.
    pub people: [Told<'a>; PEOPLE.len()],
    /// The file that keeps what was made.
    pub file: &'a str,
}

impl Keys<'_> {
    fn line(&self, token: Told<'_>) -> String {
        match token {
            Told::Made(token) => token.to_owned(),
            Told::Kept => format!("told when it was made, and kept in {}", self.file),
            Told::Given => "the one that you have given".to_owned(),
        }
    }

    /// The variables of the steps, as a shell is given them. A token that is not told is read from
    /// the file, by a person who may read that.
    fn variables(&self) -> String {
        let [ada, _, sue] = self.people;
        let all = [
            ("ADA", "ada", ada),
            ("SUE", "sue", sue),
            ("ADMIN", "administrator", self.administrator),
        ];
        let mut text = String::new();
        let mut kept = String::new();
        for (variable, name, token) in all {
            // Writing to a text cannot fail.
            let _ = match token {
                Told::Made(token) => write!(text, " {variable}={token}"),
                Told::Given => write!(text, " {variable}=$HOLDLINE_ADMIN_TOKEN"),
                Told::Kept => {
                    write!(kept, r#" -e 's/.*"{name}": "\([^"]*\)".*/{variable}=\1/p'"#)
                }
            };
        }
        if !kept.is_empty() {
            let _ = write!(text, " $(sed -n{kept} {})", quoted(self.file));
        }
        text
    }
}

/// A word of a shell.
fn quoted(word: &str) -> String {
    let is_plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// What is printed when there is no demo. `origin` is such as `http://127.0.0.1:8080`.
pub fn plain(origin: &str, keys: &Keys<'_>) -> String {
    let mut administrator = keys.line(keys.administrator);
    if matches!(keys.administrator, Told::Made(_)) {
        let file = keys.file;
        let _ = write!(administrator, "\n(told this once, and kept in {file})");
    }
    format!("Holdline listens on {origin}\nadministrator's token: {administrator}\n")
}

/// What is printed when the demo is on.
pub fn welcome(origin: &str, keys: &Keys<'_>) -> String {
    let [ada, ben, sue] = keys.people.map(|token| keys.line(token));
    let administrator = keys.line(keys.administrator);
    let is_made = |token: &Told<'_>| matches!(token, Told::Made(_));
    let once = if keys.people.iter().chain([&keys.administrator]).any(is_made) {
        format!("  (told this once, and kept in {})\n", keys.file)
    } else {
        String::new()
    };
    let variables = keys.variables();
    let mut text = format!(
        "\nHoldline is here, with its demo.\n\n  \
         Be the customer:  {origin}/\n\n  \
         administrator  {administrator}\n  ada (agent)    {ada}\n  ben (agent)    {ben}\n  \
         sue (superv.)  {sue}\n{once}\n\
         Be the agent, in another terminal. Paste these two first:\n\n  \
         export URL={origin}{variables}\n  \
         as() {{ local who=$1; shift; \
         curl -sS -H \"Authorization: Bearer $who\" \"$@\"; echo; }}\n\n\
         Then, step by step (take C from the list):\n\n"
    );
    for (what, line) in STEPS {
        let _ = writeln!(text, "  # {what}\n  {line}");
    }
    text.push('\n');
    text
}

const STEPS: [(&str, &str); 10] = [
    (
        "be available, and hear what happens while this stays open",
        "as $ADA -X PUT $URL/v1/agents/me/presence -d '{\"presence\":\"available\"}'; \
         as $ADA -N $URL/v1/agents/me/feed",
    ),
    ("who waits, and who is with me", "as $ADA $URL/v1/conversations"),
    (
        "remember one",
        "C=$(as $ADA $URL/v1/conversations | grep -o '\"id\":\"[^\"]*' | head -1 | cut -d'\"' -f4)",
    ),
    ("take the chat", "as $ADA -X POST $URL/v1/conversations/$C/accept"),
    (
        "say something",
        "as $ADA $URL/v1/conversations/$C/messages \
         -d '{\"id\":\"m1\",\"text\":\"Hello, how can I help?\"}'",
    ),
    ("end the chat", "as $ADA -X POST $URL/v1/conversations/$C/end"),
    ("close it, when the notes are done", "as $ADA -X POST $URL/v1/conversations/$C/close"),
    ("read along", "as $ADA \"$URL/v1/conversations/$C/transcript?audience=agent\""),
    ("why is it in this state?", "as $ADA $URL/v1/conversations/$C/timeline"),
    (
        "hold an away customer for 20 s instead of 180 s",
        "as $ADMIN -X PUT $URL/v1/workstreams/demo \
         -d '{\"queue\":\"demo\",\"window_s\":20,\"heartbeat_s\":5}'",
    ),
];
