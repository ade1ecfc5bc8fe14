//! The parameters of a list: filters by name, a limit, and a cursor that says where the next page
//! starts. A cursor is opaque to callers; a parameter that nobody reads is refused by name.

use std::fmt::Display;
use std::str::FromStr;

use actix_web::{HttpRequest, web};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::id::{ConversationId, History, Seq};
use crate::domain::time::Timestamp;
use crate::engine::ListCursor;
use crate::http::problem::Problem;
use crate::limits;
use crate::wire::document::FieldError;

/// The parameters of one address, as they are taken out one by one.
#[derive(Debug)]
pub struct Parameters {
    given: Vec<(String, String)>,
    expected: Vec<&'static str>,
    errors: Vec<FieldError>,
}

impl Parameters {
    /// Everything after the `?`.
    pub fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let given = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
        let given = given.map_err(|error| Problem::malformed_parameter("", error.to_string()))?;
        Ok(Self { given: given.into_inner(), expected: Vec::new(), errors: Vec::new() })
    }

    /// Refuses every parameter.
    pub fn none(request: &HttpRequest) -> Result<(), Problem> {
        Self::of(request)?.finish()
    }

    /// Takes a parameter as it is.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.expected.push(name);
        let place = self.given.iter().position(|(given, _)| given == name)?;
        let (_, value) = self.given.remove(place);
        if self.given.iter().any(|(given, _)| given == name) {
            self.given.retain(|(given, _)| given != name);
            self.errors.push(FieldError::new(name, "must be given once"));
        }
        Some(value)
    }

    /// Takes a parameter and parses it, such as an id.
    pub fn parsed<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Option<T> {
        let text = self.text(name)?;
        self.note(name, text.parse().map_err(|error: T::Err| error.to_string()))
    }

    /// Takes a parameter that is a list of names with commas between them.
    pub fn names<T: Copy>(
        &mut self,
        name: &'static str,
        all: &[T],
        name_of: impl Fn(T) -> &'static str,
    ) -> Vec<T> {
        let Some(text) = self.text(name) else { return Vec::new() };
        let found = text
            .split(',')
            .map(|part| all.iter().copied().find(|item| name_of(*item) == part.trim()))
            .collect::<Option<Vec<T>>>();
        let found = found.ok_or_else(|| {
            let known: Vec<_> = all.iter().map(|item| name_of(*item)).collect();
            format!("must be of {}, with commas between them", known.join(", "))
        });
        self.note(name, found).unwrap_or_default()
    }

    /// Takes `limit`: how many entries a page holds at most.
    pub fn limit(&mut self) -> usize {
        let limit = self.parsed::<usize>("limit").unwrap_or(limits::PAGE_ENTRIES_DEFAULT);
        if limit == 0 {
            let message = format!("must be from 1 to {}", limits::PAGE_ENTRIES_MAX);
            self.errors.push(FieldError::new("limit", message));
        }
        limit.clamp(1, limits::PAGE_ENTRIES_MAX)
    }

    /// Takes a whole number in a range; the default when it is absent.
    pub fn whole(
        &mut self,
        name: &'static str,
        range: std::ops::RangeInclusive<u64>,
        default: u64,
    ) -> u64 {
        let Some(text) = self.text(name) else { return default };
        let number = text.parse().ok().filter(|number| range.contains(number));
        let message =
            || format!("must be a whole number from {} to {}", range.start(), range.end());
        self.note(name, number.ok_or_else(message)).unwrap_or(default)
    }

    /// Takes `cursor`: where the page starts.
    pub fn cursor<C: Cursor>(&mut self) -> Option<C> {
        let text = self.text("cursor")?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let place = bytes.and_then(|bytes| {
            let (kind, place) = bytes.split_first()?;
            (*kind == C::KIND).then(|| C::decode(place)).flatten()
        });
        self.note("cursor", place.ok_or_else(|| "must be a `next` of the same list".to_owned()))
    }

    /// Ends the reading. Returns everything that was wrong, or nothing.
    pub fn finish(mut self) -> Result<(), Problem> {
        for (unknown, _) in &self.given {
            let message = if self.expected.is_empty() {
                "is not known here; no parameter is".to_owned()
            } else {
                format!("is not known here; known are: {}", self.expected.join(", "))
            };
            self.errors.push(FieldError::new(unknown.as_str(), message));
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::malformed_parameters(self.errors))
        }
    }

    fn note<T>(&mut self, name: &'static str, read: Result<T, String>) -> Option<T> {
        read.map_err(|message| self.errors.push(FieldError::new(name, message))).ok()
    }
}

/// A place in a list.
pub trait Cursor: Sized {
    /// Tells the cursors of one list from those of another.
    const KIND: u8;

    /// The place in bytes.
    fn encode(&self) -> Vec<u8>;

    /// The place that these bytes mean.
    fn decode(bytes: &[u8]) -> Option<Self>;

    /// The cursor as callers get it.
    fn opaque(&self) -> String {
        let mut bytes = vec![Self::KIND];
        bytes.extend(self.encode());
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

impl Cursor for ListCursor {
    const KIND: u8 = 1;

    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.started_at.as_millis().to_be_bytes().to_vec();
        bytes.extend(self.id.as_bits().to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (started_at, id) = bytes.split_first_chunk::<8>()?;
        Some(Self {
            started_at: Timestamp::from_millis(i64::from_be_bytes(*started_at)),
            id: ConversationId::from_bits(u128::from_be_bytes(id.try_into().ok()?)),
        })
    }
}

/// A place in a conversation, of one history of the journal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// The history: in another the place means nothing.
    pub history: History,
    /// The place.
    pub seq: Seq,
}

impl Place {
    /// The given place, if it is of the present history of the journal; the beginning where none
    /// was given.
    pub fn within(given: Option<Self>, history: History) -> Result<Seq, Problem> {
        match given {
            None => Ok(Seq::ZERO),
            Some(place) if place.history == history => Ok(place.seq),
            Some(_) => {
                let message = "is of another history of the journal, from before a backup was \
                    restored; begin anew without it";
                Err(Problem::malformed_parameter("cursor", message))
            }
        }
    }
}

impl Cursor for Place {
    const KIND: u8 = 4;

    fn encode(&self) -> Vec<u8> {
        [self.history.number().to_be_bytes(), self.seq.number().to_be_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (history, seq) = bytes.split_first_chunk::<4>()?;
        Some(Self {
            history: History::new(u32::from_be_bytes(*history)),
            seq: Seq::new(u32::from_be_bytes(seq.try_into().ok()?)),
        })
    }
}

/// The id that was shown last, in a list by id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AfterId(pub String);

impl Cursor for AfterId {
    const KIND: u8 = 3;

    fn encode(&self) -> Vec<u8> {
        self.0.as_bytes().to_vec()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        String::from_utf8(bytes.to_vec()).ok().map(Self)
    }
}

/// A page of things that are sorted by their ids, and the cursor of the next page. It ends at its
/// limit, or earlier where its things would have more than [`limits::HTTP_PAGE_BYTES_MAX`] bytes,
/// but never before the first thing.
pub fn page_by_id<T>(
    sorted: impl Iterator<Item = T>,
    id_of: impl Fn(&T) -> &str,
    bytes_of: impl Fn(&T) -> usize,
    after: Option<&AfterId>,
    limit: usize,
) -> (Vec<T>, Option<String>) {
    let later = sorted.filter(|item| after.is_none_or(|after| id_of(item) > after.0.as_str()));
    let (mut page, mut bytes, mut more) = (Vec::new(), 0, false);
    for item in later {
        bytes += bytes_of(&item);
        if page.len() == limit || (bytes > limits::HTTP_PAGE_BYTES_MAX && !page.is_empty()) {
            more = true;
            break;
        }
        page.push(item);
    }
    let last = page.last().filter(|_| more);
    let next = last.map(|last| AfterId(id_of(last).to_owned()).opaque());
    (page, next)
}
