//! Times as stories write them: `12s`, `3m`, `1h`, `1m30.001s`, `500ms`.

use holdline::domain::time::{Span, Timestamp};

/// The moment at which every story begins.
pub(crate) const DAWN: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// Reads a span as a story writes it.
pub(crate) fn parse(text: &str) -> Result<Span, String> {
    let bad = || format!("{text:?} is not a time such as 12s, 3m or 1m30.001s");
    let mut millis = 0_f64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| letter.is_ascii_alphabetic()).ok_or_else(bad)?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|letter: char| !letter.is_ascii_alphabetic());
        let (unit, after) = after.split_at(letters.unwrap_or(after.len()));
        let factor = match unit {
            "ms" => 1.0,
            "s" => 1_000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            _ => return Err(bad()),
        };
        millis += number.parse::<f64>().map_err(|_| bad())? * factor;
        rest = after;
    }
    if text.is_empty() { Err(bad()) } else { Ok(Span::from_millis(millis.round() as u64)) }
}

/// Writes a span as a story does.
pub(crate) fn span(span: Span) -> String {
    let millis = span.as_millis();
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let (seconds, rest) = (millis / 1_000 % 60, millis % 1_000);
    let mut text = String::new();
    if hours > 0 {
        text += &format!("{hours}h");
    }
    if minutes > 0 {
        text += &format!("{minutes}m");
    }
    if rest > 0 {
        text += &format!("{seconds}.{rest:03}s");
    } else if seconds > 0 || text.is_empty() {
        text += &format!("{seconds}s");
    }
    text
}

/// Writes a point in time as the span since the beginning of the story.
pub(crate) fn point(at: Timestamp) -> String {
    span(at.since(DAWN))
}

#[test]
fn a_time_is_read_as_it_is_written() {
    for text in ["0s", "12s", "3m", "1m30.001s", "1h", "0.500s"] {
        assert_eq!(parse(text).map(span), Ok(text.to_owned()));
    }
    assert!(parse("12").is_err() && parse("").is_err() && parse("3 weeks").is_err());
}
