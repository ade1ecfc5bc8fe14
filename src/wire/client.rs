//! What a widget may say: bytes of one text frame in, a [`ClientFrame`] or a clear refusal out.
//!
//! Parsing is total: whatever the bytes are, it ends in time and memory proportional to their
//! number, and it never panics. Unknown fields are ignored; a field that this type of frame does
//! not have is ignored too, whatever its value.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::domain::cause::Leaving;
use crate::domain::id::{MessageId, Seq};
use crate::domain::text::{DisplayName, MessageText, TextRefusal};
use crate::limits;
use crate::wire::client::fields::{Fields, Slot, Tree};
use crate::wire::refusal::RefusalCode;

pub use secret::{NotASecret, Token, VisitorSecret};

mod fields;
mod secret;

/// What a widget said.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientFrame {
    /// The first frame: who is there, and what they remember.
    Hello(Hello),
    /// The customer asks for a chat.
    Start(Start),
    /// The customer says something.
    Post {
        /// What the answer echoes.
        reference: Reference,
        /// The id that the widget minted for the message.
        id: MessageId,
        /// What.
        text: MessageText,
    },
    /// The page lives.
    Beat {
        /// The place it has seen last, where it says so.
        seen: Option<Seq>,
    },
    /// The customer types, or has stopped.
    Typing {
        /// Whether they do.
        on: bool,
    },
    /// The customer has read up to a place.
    Read {
        /// The place.
        seq: Seq,
    },
    /// The page is being left, or is in front again.
    Leaving {
        /// How; nothing when what it announced before is void.
        cause: Option<Leaving>,
    },
    /// The customer ends the chat.
    End {
        /// What the answer echoes.
        reference: Reference,
    },
}

/// The first frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hello {
    /// The secret that the browser keeps.
    pub visitor: Option<VisitorSecret>,
    /// The token of the conversation that it remembers. Not yet verified, and of any length that
    /// fits a frame.
    pub token: Option<Token>,
    /// What the site's own server says of the visitor, signed. Not yet verified.
    pub admission: Option<Token>,
    /// The place that it has seen last.
    pub after: Option<Seq>,
    /// The address of the page, cut to [`limits::PAGE_BYTES_MAX`].
    pub page: Option<Arc<str>>,
    /// The language of the page, cut like its address.
    pub locale: Option<Arc<str>>,
}

/// How a customer asks for a chat.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// What the answer echoes.
    pub reference: Reference,
    /// The id that the widget minted for the start.
    pub id: MessageId,
    /// What the customer calls themselves.
    pub name: Option<DisplayName>,
    /// The answers to the pre-chat form: a JSON object, written compactly.
    pub form: Option<Arc<str>>,
    /// What the page tells about itself: a JSON object, written compactly.
    pub context: Option<Arc<str>>,
}

/// What a widget gave as `ref`, and finds in the answer: a text or a whole number.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Reference {
    /// A text of at most [`limits::REFERENCE_BYTES_MAX`] bytes.
    Text(Box<str>),
    /// A whole number from 0 on.
    Number(u64),
    /// A whole number below 0.
    Negative(i64),
}

/// Why a frame was not taken, ready to be answered as `refused`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Malformed {
    /// The frame's `ref`, where it could be read.
    pub reference: Option<Reference>,
    /// The code.
    pub code: RefusalCode,
    /// The field that is wrong, where it is one.
    pub field: Option<&'static str>,
    /// The sentence for people, which names the field and its limit.
    pub message: String,
}

/// Reads one text frame.
pub fn parse(bytes: &[u8]) -> Result<ClientFrame, Malformed> {
    // Nearly every frame is a beat, and nearly every beat is written in this way.
    if let Some(seen) = plain_beat(bytes) {
        return Ok(ClientFrame::Beat { seen: Some(seen) });
    }
    let mut fields = Fields::default();
    let mut reference = None;
    let parsed = fields.read(bytes).map_err(|error| Problem {
        code: RefusalCode::Malformed,
        field: None,
        message: error.to_string(),
    });
    let parsed = reference_of(&fields).and_then(|found| {
        reference = found;
        parsed
    });
    parsed.and_then(|()| frame_of(&mut fields, reference.clone())).map_err(|problem| Malformed {
        reference,
        code: problem.code,
        field: problem.field,
        message: problem.message,
    })
}

fn plain_beat(bytes: &[u8]) -> Option<Seq> {
    let digits = bytes.strip_prefix(br#"{"type":"beat","seq":"#)?.strip_suffix(b"}")?;
    let plain = digits.first().is_some_and(|first| *first != b'0' || digits.len() == 1)
        && digits.iter().all(u8::is_ascii_digit);
    if !plain {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok().map(Seq::new)
}

/// A [`Malformed`] that does not know its frame's `ref`.
struct Problem {
    code: RefusalCode,
    field: Option<&'static str>,
    message: String,
}

impl Problem {
    fn missing(field: &'static str) -> Self {
        Self {
            code: RefusalCode::MissingField,
            field: Some(field),
            message: format!("`{field}` is missing"),
        }
    }

    fn invalid(field: &'static str, expected: impl fmt::Display) -> Self {
        Self {
            code: RefusalCode::InvalidField,
            field: Some(field),
            message: format!("`{field}` {expected}"),
        }
    }

    fn too_long(field: &'static str, limit: impl fmt::Display) -> Self {
        Self { code: RefusalCode::TooLong, ..Self::invalid(field, limit) }
    }
}

fn frame_of(fields: &mut Fields<'_>, reference: Option<Reference>) -> Result<ClientFrame, Problem> {
    if let Some(name) = fields.twice {
        return Err(Problem {
            code: RefusalCode::Malformed,
            field: Some(name),
            message: format!("`{name}` is given twice"),
        });
    }
    let kind = required("type", text("type", &fields.kind)?)?;
    let needed = || reference.ok_or_else(|| Problem::missing("ref"));
    match kind {
        "hello" => hello(fields).map(ClientFrame::Hello),
        "start" => start(fields, needed()?).map(ClientFrame::Start),
        "post" => Ok(ClientFrame::Post {
            reference: needed()?,
            id: message_id(fields)?,
            text: message_text(fields)?,
        }),
        "beat" => Ok(ClientFrame::Beat { seen: place("seq", &fields.seq)? }),
        "typing" => Ok(ClientFrame::Typing { on: required("on", switch("on", &fields.on)?)? }),
        "read" => Ok(ClientFrame::Read { seq: required("seq", place("seq", &fields.seq)?)? }),
        "leaving" => Ok(ClientFrame::Leaving { cause: leaving(fields)? }),
        "end" => Ok(ClientFrame::End { reference: needed()? }),
        unknown => Err(Problem {
            code: RefusalCode::UnknownType,
            field: Some("type"),
            message: format!("the type `{}` is not known", cut(unknown, TYPE_BYTES_SHOWN)),
        }),
    }
}

/// Bytes of an unknown type that the refusal repeats.
const TYPE_BYTES_SHOWN: usize = 32;

fn hello(fields: &Fields<'_>) -> Result<Hello, Problem> {
    let visitor = text("visitor", &fields.visitor)?
        .map(|digits| digits.parse().map_err(|error| Problem::invalid("visitor", error)))
        .transpose()?;
    Ok(Hello {
        visitor,
        token: text("token", &fields.token)?.map(Token::new),
        admission: admission(fields)?,
        after: place("after", &fields.after)?,
        page: remark("page", &fields.page)?,
        locale: remark("locale", &fields.locale)?,
    })
}

fn admission(fields: &Fields<'_>) -> Result<Option<Token>, Problem> {
    let limit = limits::ADMISSION_BYTES_MAX;
    let given = text("admission", &fields.admission)?;
    if given.is_some_and(|given| given.len() > limit) {
        let limit = format_args!("must be at most {limit} bytes");
        return Err(Problem::too_long("admission", limit));
    }
    Ok(given.map(Token::new))
}

fn start(fields: &mut Fields<'_>, reference: Reference) -> Result<Start, Problem> {
    let name = text("name", &fields.name)?
        .map(|name| DisplayName::parse(name).map_err(|refusal| written("name", refusal)))
        .transpose()?;
    Ok(Start {
        reference,
        id: message_id(fields)?,
        name,
        form: object("form", fields.form.take())?,
        context: object("context", fields.context.take())?,
    })
}

fn message_id(fields: &Fields<'_>) -> Result<MessageId, Problem> {
    let id = required("id", text("id", &fields.id)?)?;
    if id.len() > limits::MESSAGE_ID_BYTES_MAX {
        let limit = limits::MESSAGE_ID_BYTES_MAX;
        return Err(Problem::too_long("id", format_args!("must be at most {limit} bytes")));
    }
    id.parse().map_err(|error| Problem::invalid("id", format_args!("is malformed: {error}")))
}

fn message_text(fields: &Fields<'_>) -> Result<MessageText, Problem> {
    let said = required("text", text("text", &fields.text)?)?;
    MessageText::parse(said).map_err(|refusal| written("text", refusal))
}

fn leaving(fields: &Fields<'_>) -> Result<Option<Leaving>, Problem> {
    match required("cause", text("cause", &fields.cause)?)? {
        "hidden" => Ok(Some(Leaving::Hidden)),
        "unloaded" => Ok(Some(Leaving::Unloaded)),
        "shown" => Ok(None),
        _ => Err(Problem::invalid("cause", "must be `hidden`, `unloaded` or `shown`")),
    }
}

fn reference_of(fields: &Fields<'_>) -> Result<Option<Reference>, Problem> {
    match &fields.reference {
        Slot::Absent => Ok(None),
        Slot::Number(number) => Ok(Some(Reference::Number(*number))),
        Slot::Negative(number) => Ok(Some(Reference::Negative(*number))),
        Slot::Text(text) if text.len() <= limits::REFERENCE_BYTES_MAX => {
            Ok(Some(Reference::Text(text.as_ref().into())))
        }
        Slot::Text(_) => {
            let limit = limits::REFERENCE_BYTES_MAX;
            Err(Problem::too_long("ref", format_args!("must be at most {limit} bytes")))
        }
        Slot::Switch(_) | Slot::Other => {
            Err(Problem::invalid("ref", "must be a text or a whole number"))
        }
    }
}

fn required<T>(field: &'static str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::missing(field))
}

fn text<'a>(field: &'static str, slot: &'a Slot<'_>) -> Result<Option<&'a str>, Problem> {
    match slot {
        Slot::Absent => Ok(None),
        Slot::Text(text) => Ok(Some(text)),
        Slot::Number(_) | Slot::Negative(_) | Slot::Switch(_) | Slot::Other => {
            Err(Problem::invalid(field, "must be a text"))
        }
    }
}

fn switch(field: &'static str, slot: &Slot<'_>) -> Result<Option<bool>, Problem> {
    match slot {
        Slot::Absent => Ok(None),
        Slot::Switch(on) => Ok(Some(*on)),
        Slot::Number(_) | Slot::Negative(_) | Slot::Text(_) | Slot::Other => {
            Err(Problem::invalid(field, "must be true or false"))
        }
    }
}

fn place(field: &'static str, slot: &Slot<'_>) -> Result<Option<Seq>, Problem> {
    let number = match slot {
        Slot::Absent => return Ok(None),
        Slot::Number(number) => u32::try_from(*number).ok(),
        Slot::Negative(_) | Slot::Switch(_) | Slot::Text(_) | Slot::Other => None,
    };
    let expected = "must be a whole number from 0 to 4294967295";
    number.map(|number| Some(Seq::new(number))).ok_or_else(|| Problem::invalid(field, expected))
}

/// What a page says by the way: too much of it is cut, none of it is as nothing.
fn remark(field: &'static str, slot: &Slot<'_>) -> Result<Option<Arc<str>>, Problem> {
    let said = text(field, slot)?.filter(|said| !said.is_empty());
    Ok(said.map(|said| Arc::from(cut(said, limits::PAGE_BYTES_MAX))))
}

fn object(field: &'static str, tree: Option<Tree>) -> Result<Option<Arc<str>>, Problem> {
    let limit = limits::FORM_BYTES_MAX;
    match tree {
        None => Ok(None),
        Some(Tree::Object(json)) if json.len() <= limit => Ok(Some(json.into())),
        Some(Tree::Object(_)) => Err(Problem::too_long(
            field,
            format_args!("must be at most {limit} bytes of compact JSON"),
        )),
        Some(Tree::Other) => Err(Problem::invalid(field, "must be an object")),
    }
}

fn written(field: &'static str, refusal: TextRefusal) -> Problem {
    match refusal {
        TextRefusal::Empty | TextRefusal::Unprintable(_) => Problem::invalid(field, refusal),
        TextRefusal::TooLong(_) => Problem::too_long(field, refusal),
    }
}

fn cut(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}
