//! Where settings come from: of each key the first of flag, environment and file, as text, with
//! the name of its source for whoever has to mend it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::flags::Flags;
use crate::config::{ConfigFault, Mistake};

/// Every key of the file, with the variable of the environment that stands for it.
pub(super) const KEYS: [(&str, &str); 8] = [
    ("listen", "HOLDLINE_LISTEN"),
    ("data", "HOLDLINE_DATA"),
    ("threads", "HOLDLINE_THREADS"),
    ("demo", "HOLDLINE_DEMO"),
    ("admin_token", "HOLDLINE_ADMIN_TOKEN"),
    ("log", "HOLDLINE_LOG"),
    ("log_format", "HOLDLINE_LOG_FORMAT"),
    ("drain_s", "HOLDLINE_DRAIN_S"),
];

/// A value and where it came from.
struct Given {
    value: String,
    source: String,
}

/// The settings that were given.
pub(super) struct Sources {
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
        let mut sources = Self { given: BTreeMap::new(), mistakes: Vec::new() };
        let file = flags.config.take().map(OsString::from);
        // The least goes in first, and is written over.
        if let Some(path) = file.or_else(|| environment("HOLDLINE_CONFIG")).map(PathBuf::from) {
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

    /// Ends the reading: everything that was wrong, or nothing.
    pub(super) fn finish(self) -> Result<(), ConfigFault> {
        if self.mistakes.is_empty() { Ok(()) } else { Err(ConfigFault::Invalid(self.mistakes)) }
    }

    fn add_environment(&mut self, environment: impl Fn(&str) -> Option<OsString>) {
        for (key, variable) in KEYS {
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
                let message = format!("must be TOML: {}", error.to_string().trim_end());
                self.mistakes.push(mistake("the file", message));
                return;
            }
        };
        for (key, value) in table {
            let Some((known, _)) = KEYS.iter().find(|(known, _)| *known == key) else {
                let known: Vec<_> = KEYS.iter().map(|(known, _)| *known).collect();
                let message = format!("is not known; known are: {}", known.join(", "));
                self.mistakes.push(mistake(&key, message));
                continue;
            };
            let value = match value {
                toml::Value::String(value) => value,
                toml::Value::Integer(value) => value.to_string(),
                toml::Value::Boolean(value) => value.to_string(),
                toml::Value::Float(_)
                | toml::Value::Datetime(_)
                | toml::Value::Array(_)
                | toml::Value::Table(_) => {
                    let message = "must be a text, a whole number, true or false".to_owned();
                    self.mistakes.push(mistake(&key, message));
                    continue;
                }
            };
            self.given.insert(known, Given { value, source: source.clone() });
        }
    }
}
