//! What an administrator decides of a widget.

use std::sync::Arc;

use crate::domain::id::{WidgetId, WorkstreamId};
use crate::domain::settings::admission::AdmissionRule;
use crate::domain::settings::violation::{Violation, unreachable_id};
use crate::limits;

/// A place on the web where a chat can be started.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WidgetSettings {
    /// Its id.
    pub id: WidgetId,
    /// How its chats are handled.
    pub workstream: WorkstreamId,
    /// The web origins it may be opened from; [`ANY_ORIGIN`] alone for any. An empty list comes
    /// from a journal of before this had to be said, and means the same.
    pub origins: Vec<Arc<str>>,
    /// The keys by which the site's server vouches for visitors; nobody does when absent.
    pub admission: Option<AdmissionRule>,
}

/// Stands for every origin there is.
pub const ANY_ORIGIN: &str = "*";

impl WidgetSettings {
    /// Every rule that this document breaks; none when it may be used.
    pub fn violations(&self) -> Vec<Violation> {
        let mut found: Vec<_> = unreachable_id(self.id.as_str()).into_iter().collect();
        if self.origins.len() > limits::WIDGET_ORIGINS_MAX {
            found.push(Violation::new("origins", "must name at most 100 origins"));
        }
        if self.origins.is_empty() {
            found.push(Violation::new(
                "origins",
                "must name the web origins that may open the widget, such as \
                 https://shop.example, or be [\"*\"] for any",
            ));
        }
        let names_any = self.origins.iter().any(|origin| **origin == *ANY_ORIGIN);
        if names_any && self.origins.len() > 1 {
            found.push(Violation::new("origins", "must name no other origin beside \"*\""));
        }
        if !names_any && self.origins.iter().any(|origin| !is_origin(origin)) {
            found.push(Violation::new(
                "origins",
                "each must be a scheme and a host, such as https://example.org or \
                 http://localhost:3000, without a path",
            ));
        }
        found.extend(self.admission.iter().flat_map(AdmissionRule::violations));
        found
    }

    /// Whether only somebody for whom the site's server vouches can begin a chat.
    pub fn requires_admission(&self) -> bool {
        self.admission.as_ref().is_some_and(|admission| admission.required)
    }

    /// Whether pages of any origin may open it.
    pub fn is_open_to_any(&self) -> bool {
        self.origins.is_empty() || self.origins.iter().any(|origin| **origin == *ANY_ORIGIN)
    }

    /// Whether a page of this origin may open the widget. A program that is no browser sends no
    /// origin and is let in: the check guards the customer's browser, not the server.
    pub fn admits(&self, origin: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        self.is_open_to_any()
            || self.origins.iter().any(|admitted| admitted.eq_ignore_ascii_case(origin))
    }
}

fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        let plain =
            |character: char| character.is_ascii_alphanumeric() || "-._:[]".contains(character);
        !host.is_empty() && host.len() <= 255 && host.chars().all(plain)
    })
}
