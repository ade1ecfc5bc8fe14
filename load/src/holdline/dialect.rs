//! What a widget says to Holdline and hears from it: `holdline.v1`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::dialect::{Dialect, Heard, Link, Message, Say, Upgrade};

/// The subprotocol, and the dialect's name.
pub const NAME: &str = "holdline.v1";

/// Milliseconds until a widget comes back, if a goodbye names no time.
const BACK_AFTER_MS: u64 = 500;

/// Bytes of padding in one frame, well below the limit of a frame.
const PADDING: usize = 450;

/// The opening: the greeting was said, then the start.
const GREETED: u8 = 1;
const STARTING: u8 = 2;
const IN: u8 = 3;

/// What the dialect must be told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// The id of the widget.
    pub widget: String,
    /// Whether each heartbeat asks to be answered, by naming a place that is behind.
    pub answered: bool,
}

/// The dialect.
#[derive(Debug)]
pub struct HoldlineDialect {
    settings: Settings,
}

impl HoldlineDialect {
    /// Speaks as these settings say.
    pub const fn new(settings: Settings) -> Self {
        Self { settings }
    }
}

/// Any frame of the server's, as far as it matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    seq: Option<u32>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    token: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state: Option<Cow<'a, str>>,
    #[serde(borrow)]
    code: Code<'a>,
    retry_after_ms: Option<u64>,
    conversation: Option<Conversation>,
}

/// The code of a refusal is a text, that of a goodbye a number.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Code<'a> {
    Number(u16),
    Text(#[serde(borrow)] Cow<'a, str>),
    #[default]
    None,
}

/// `welcome` has an object, `started` an id.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Conversation {
    Live { token: String },
    Id(#[expect(dead_code, reason = "that it is a text is all that is told")] String),
}

impl Dialect for HoldlineDialect {
    fn upgrade(&self, _link: &Link) -> Upgrade {
        let path = format!("/v1/widget?widget={}", self.settings.widget);
        Upgrade { path, subprotocol: Some(NAME) }
    }

    fn open(&mut self, link: &mut Link, say: &mut dyn Say) {
        link.stage = GREETED;
        let visitor = u64::from(link.customer) + 1;
        match &link.token {
            None => say.text(format_args!(r#"{{"type":"hello","visitor":"{visitor:032x}"}}"#)),
            Some(token) => say.text(format_args!(
                r#"{{"type":"hello","visitor":"{visitor:032x}","token":"{token}","after":{}}}"#,
                link.seen
            )),
        }
    }

    fn hear(
        &mut self,
        link: &mut Link,
        message: Message<'_>,
        say: &mut dyn Say,
        tell: &mut dyn FnMut(Heard),
    ) {
        let Message::Text(text) = message else { return };
        if text.starts_with(br#"{"type":"beat""#) {
            return tell(Heard::Beat);
        }
        let Ok(frame) = serde_json::from_slice::<Frame<'_>>(text) else {
            return tell(Heard::Refused { code: "unreadable".to_owned() });
        };
        match &*frame.kind {
            "welcome" => welcomed(link, frame, say, tell),
            "started" => {
                link.stage = IN;
                link.seen = link.seen.max(frame.seq.unwrap_or(0));
                link.token = frame.token.map(|token| token.into_owned().into_boxed_str());
                tell(Heard::Ready { is_resumed: false });
            }
            "posted" | "message" => heard_message(link, &frame, tell),
            // The missed part of a chat that is over comes before the next chat has started.
            "state" | "joined" | "left" | "agent" if link.stage != IN => tell(Heard::Other),
            "state" | "joined" | "left" | "agent" => {
                link.seen = link.seen.max(frame.seq.unwrap_or(0));
                if matches!(frame.state.as_deref(), Some("wrapup" | "closed")) {
                    tell(Heard::Over);
                }
            }
            "refused" => {
                let code = match frame.code {
                    Code::Text(code) => code.into_owned(),
                    Code::Number(code) => code.to_string(),
                    Code::None => String::new(),
                };
                tell(Heard::Refused { code });
            }
            "bye" => {
                let retry_after_ms = frame.retry_after_ms.unwrap_or(BACK_AFTER_MS);
                tell(Heard::Bye { retry_after_ms });
            }
            _ => tell(Heard::Other),
        }
    }

    fn beat(&mut self, link: &mut Link, say: &mut dyn Say) {
        let seen = if self.settings.answered { 0 } else { link.seen };
        say.text(format_args!(r#"{{"type":"beat","seq":{seen}}}"#));
    }

    fn pad(&mut self, _link: &mut Link, bytes: usize, say: &mut dyn Say) {
        let padding = crate::driver::filler(PADDING);
        for _ in 0..bytes.div_ceil(PADDING) {
            // It names a place far ahead, so that the server does not answer.
            say.text(format_args!(r#"{{"type":"beat","seq":4000000000,"padding":"{padding}"}}"#));
        }
    }

    fn post(&mut self, link: &mut Link, number: u64, text: &str, say: &mut dyn Say) {
        link.request += 1;
        say.text(format_args!(
            r#"{{"type":"post","ref":{},"id":"p-{number}","text":"{text}"}}"#,
            link.request
        ));
    }

    fn answers_beats(&self) -> bool {
        self.settings.answered
    }

    fn leave(&mut self, _link: &mut Link, say: &mut dyn Say) {
        say.text(format_args!(r#"{{"type":"leaving","cause":"unloaded"}}"#));
    }

    fn end(&mut self, link: &mut Link, say: &mut dyn Say) {
        link.request += 1;
        say.text(format_args!(r#"{{"type":"end","ref":{}}}"#, link.request));
    }
}

fn welcomed(link: &mut Link, frame: Frame<'_>, say: &mut dyn Say, tell: &mut dyn FnMut(Heard)) {
    if let Some(Conversation::Live { token }) = frame.conversation {
        link.stage = IN;
        link.token = Some(token.into_boxed_str());
        return tell(Heard::Ready { is_resumed: true });
    }
    link.stage = STARTING;
    // A place in a chat that is over says nothing about the next chat.
    link.seen = 0;
    link.request += 1;
    // The name is how the second party knows who it is.
    say.text(format_args!(
        r#"{{"type":"start","ref":{},"id":"s-{}","name":"c{}"}}"#,
        link.request, link.request, link.customer
    ));
}

fn heard_message(link: &mut Link, frame: &Frame<'_>, tell: &mut dyn FnMut(Heard)) {
    if link.stage == IN {
        link.seen = link.seen.max(frame.seq.unwrap_or(0));
    }
    let Some((side, number)) = frame.id.as_deref().and_then(numbered) else { return };
    tell(match side {
        // The customer's own message in a resumed stream stands for the answer that was lost.
        Side::Customer => Heard::Posted { number },
        Side::Agent => Heard::Message { number },
    });
}

/// Whose message a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// A customer's.
    Customer,
    /// An agent's.
    Agent,
}

/// Reads the id of a message: `p-` and a number for a customer's, `a-` for an agent's.
pub(crate) fn numbered(id: &str) -> Option<(Side, u64)> {
    let (side, number) = id.split_once('-')?;
    let side = match side {
        "p" => Side::Customer,
        "a" => Side::Agent,
        _ => return None,
    };
    Some((side, number.parse().ok()?))
}
