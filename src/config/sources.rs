//! Where settings come from: for each key the flag, else the environment, else the file. Each is a
//! text, with the name of its source for the person who has to mend it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::fault::{ConfigFault, Mistake};
use crate::config::flags::Flags;
use crate::strangers::BUDGETS;

/// The type of a value in the file. In the environment and as a flag, each is a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    Text,
    Number,
    /// Several texts; written as one text, they are separated by commas.
    List,
    /// True or false, or a word that stands for something between.
    Switch,
}

impl Form {
    const fn expected(self) -> &'static str {
        match self {
            Self::Text => "must be a text in quotes",
            Self::Number => "must be a whole number",
            Self::List => "must be a list of texts in quotes",
            Self::Switch => "must be true, false or a word in quotes",
        }
    }

    fn fits(self, value: &toml::Value) -> bool {
        match self {
            Self::Text => value.is_str(),
            Self::Number => value.is_integer(),
            Self::List => {
                let are_texts = |list: &Vec<toml::Value>| list.iter().all(toml::Value::is_str);
                value.is_str() || value.as_array().is_some_and(are_texts)
            }
            Self::Switch => value.is_bool() || value.is_str(),
        }
    }
}

/// The keys of the file, with the variable of the environment that stands for each. The budgets of
/// strangers have more.
const KEYS: [(&str, &str, Form); 24] = [
    ("listen", "HOLDLINE_LISTEN", Form::Text),
    ("data", "HOLDLINE_DATA", Form::Text),
    ("threads", "HOLDLINE_THREADS", Form::Number),
    ("demo", "HOLDLINE_DEMO", Form::Switch),
    ("admin_token", "HOLDLINE_ADMIN_TOKEN", Form::Text),
    ("log", "HOLDLINE_LOG", Form::Text),
    ("log_format", "HOLDLINE_LOG_FORMAT", Form::Text),
    ("log_addresses", "HOLDLINE_LOG_ADDRESSES", Form::Switch),
    ("drain_s", "HOLDLINE_DRAIN_S", Form::Number),
    ("trusted_proxies", "HOLDLINE_TRUSTED_PROXIES", Form::List),
    ("forwarded_header", "HOLDLINE_FORWARDED_HEADER", Form::Text),
    ("proxy_protocol", "HOLDLINE_PROXY_PROTOCOL", Form::Switch),
    ("operator_listen", "HOLDLINE_OPERATOR_LISTEN", Form::Text),
    ("page", "HOLDLINE_PAGE", Form::Switch),
    ("tls_certificate", "HOLDLINE_TLS_CERTIFICATE", Form::Text),
    ("tls_key", "HOLDLINE_TLS_KEY", Form::Text),
    ("tls_client_authority", "HOLDLINE_TLS_CLIENT_AUTHORITY", Form::Text),
    ("oidc_issuer", "HOLDLINE_OIDC_ISSUER", Form::Text),
    ("oidc_audience", "HOLDLINE_OIDC_AUDIENCE", Form::Text),
    ("oidc_role_claim", "HOLDLINE_OIDC_ROLE_CLAIM", Form::Text),
    ("oidc_id_claim", "HOLDLINE_OIDC_ID_CLAIM", Form::Text),
    ("oidc_keys", "HOLDLINE_OIDC_KEYS", Form::Text),
    ("oidc_authority", "HOLDLINE_OIDC_AUTHORITY", Form::Text),
    ("agent_tokens", "HOLDLINE_AGENT_TOKENS", Form::Switch),
];

/// Every key.
fn keys() -> impl Iterator<Item = (&'static str, &'static str, Form)> {
    let budgets = BUDGETS.iter().map(|budget| (budget.key, budget.variable, Form::Number));
    KEYS.into_iter().chain(budgets)
}

/// The variable that names the file.
const CONFIG: &str = "HOLDLINE_CONFIG";

/// Variables with our prefix that are meant for somebody else: the load tester, and what
/// Kubernetes gives to every container beside a service that is called `holdline`.
fn is_of_others(variable: &str) -> bool {
    variable == "HOLDLINE_SERVER"
        || variable == "HOLDLINE_PEERS"
        || variable.starts_with("HOLDLINE_SERVICE_")
        || variable == "HOLDLINE_PORT"
        || variable.starts_with("HOLDLINE_PORT_")
}

/// Every variable with our prefix that means nothing, with the one that may be meant.
pub(super) fn unknown_variables(given: impl IntoIterator<Item = OsString>) -> Vec<Mistake> {
    let known = || keys().map(|(_, variable, _)| variable).chain([CONFIG]);
    let given = given.into_iter().map(|name| name.to_string_lossy().into_owned());
    let unknown = given.filter(|name| {
        name.starts_with("HOLDLINE_") && !is_of_others(name) && known().all(|one| one != name)
    });
    let mistake = |name: String| {
        let message = unknown_message(&name, known());
        Mistake { key: name, source: "the environment".to_owned(), message }
    };
    unknown.map(mistake).collect()
}

/// The message for an unknown name, with the nearest known one, or with all if none is near.
fn unknown_message(name: &str, known: impl Iterator<Item = &'static str>) -> String {
    let known: Vec<_> = known.collect();
    // The prefix that all of them share makes none of them nearer.
    let own = |name: &'_ str| name.trim_start_matches("HOLDLINE_").to_owned();
    let near = known
        .iter()
        .map(|one| (strsim::damerau_levenshtein(&own(one), &own(name)), *one))
        .min()
        .filter(|(distance, one)| *distance <= (own(one).len() / 3).clamp(1, 4));
    match near {
        Some((_, near)) => format!("is not known; did you mean {near}?"),
        None => format!("is not known; known are: {}", known.join(", ")),
    }
}

/// A value and where it came from.
struct Given {
    value: String,
    source: String,
}

/// The settings that were given.
pub(super) struct Sources {
    file: Option<PathBuf>,
    given: BTreeMap<&'static str, Given>,
    mistakes: Vec<Mistake>,
}

impl Sources {
    /// Gathers what was given where.
    pub(super) fn gather(
        mut flags: Flags,
        environment: impl Fn(&str) -> Option<OsString>,
        read_file: impl Fn(&Path) -> io::Result<String>,
    ) -> Result<Self, ConfigFault> {
        let file = flags.config.take().map(OsString::from);
        let file = file.or_else(|| environment(CONFIG)).map(PathBuf::from);
        let mut sources = Self { file, given: BTreeMap::new(), mistakes: Vec::new() };
        // The source with the lowest precedence goes in first, and the others write over it.
        if let Some(path) = sources.file.clone() {
            match read_file(&path) {
                Ok(text) => sources.add_file(&path, &text),
                Err(source) => return Err(ConfigFault::File { path, source }),
            }
        }
        sources.add_environment(environment);
        for (key, flag, value) in flags.given() {
            sources.given.insert(key, Given { value, source: flag.to_owned() });
        }
        Ok(sources)
    }

    /// Where a setting comes from; nothing once it was taken.
    pub(super) fn origin(&self, key: &str) -> Option<String> {
        self.given.get(key).map(|given| given.source.clone())
    }

    /// Notes that a setting does not go with another.
    pub(super) fn refuse(&mut self, key: &str, source: String, message: String) {
        self.mistakes.push(Mistake { key: key.to_owned(), source, message });
    }

    /// Takes a setting. What cannot be read is noted, and refused by [`Self::finish`].
    pub(super) fn take<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let Given { value, source } = self.given.remove(key)?;
        match read(&value) {
            Ok(read) => Some(read),
            Err(message) => {
                // A token must not find its way into a log.
                let shown = if key == "admin_token" {
                    String::new()
                } else {
                    format!(", and is {value:?}")
                };
                self.mistakes.push(Mistake {
                    key: key.to_owned(),
                    source,
                    message: format!("{message}{shown}"),
                });
                None
            }
        }
    }

    /// Ends the reading. Returns everything that was wrong, or the file that was read.
    pub(super) fn finish(self) -> Result<Option<PathBuf>, ConfigFault> {
        if self.mistakes.is_empty() {
            Ok(self.file)
        } else {
            Err(ConfigFault::Invalid(self.mistakes))
        }
    }

    fn add_environment(&mut self, environment: impl Fn(&str) -> Option<OsString>) {
        for (key, variable, _) in keys() {
            let Some(value) = environment(variable) else { continue };
            let source = variable.to_owned();
            match value.into_string() {
                // An empty variable is how many tools write one that is not set.
                Ok(value) if value.is_empty() => {}
                Ok(value) => {
                    self.given.insert(key, Given { value, source });
                }
                Err(_) => {
                    let message = "must be UTF-8".to_owned();
                    self.mistakes.push(Mistake { key: key.to_owned(), source, message });
                }
            }
        }
    }

    fn add_file(&mut self, path: &Path, text: &str) {
        let source = path.display().to_string();
        let mistake = |key: &str, message: String| Mistake {
            key: key.to_owned(),
            source: source.clone(),
            message,
        };
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            Err(error) => {
                // Without the line itself, which the parser's message shows: that may have a token
                // in it.
                let before = error.span().and_then(|span| text.get(..span.start));
                let line = before.map_or(1, |before| before.matches('\n').count() + 1);
                let message = format!("must be TOML: line {line}: {}", error.message());
                self.mistakes.push(mistake("the file", message));
                return;
            }
        };
        for (key, value) in table {
            let Some((known, _, form)) = keys().find(|(known, ..)| *known == key) else {
                let message = unknown_message(&key, keys().map(|(known, ..)| known));
                self.mistakes.push(mistake(&key, message));
                continue;
            };
            if !form.fits(&value) {
                let message = format!("{}, and is {}", form.expected(), told(&key, &value));
                self.mistakes.push(mistake(&key, message));
                continue;
            }
            let value = match value {
                toml::Value::String(value) => value,
                toml::Value::Array(list) => {
                    let texts: Vec<_> = list.iter().filter_map(toml::Value::as_str).collect();
                    texts.join(",")
                }
                value => value.to_string(),
            };
            self.given.insert(known, Given { value, source: source.clone() });
        }
    }
}

/// A value of the wrong type, as it stands in the file. A token must not find its way into a log.
fn told(key: &str, value: &toml::Value) -> String {
    let is_short = !value.is_table() && !value.is_array();
    if key != "admin_token" && is_short {
        value.to_string()
    } else {
        format!("of the type {}", value.type_str())
    }
}
