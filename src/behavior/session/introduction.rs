//! How a session introduced itself, which it needs only now and then.

use std::sync::Arc;

use crate::domain::id::VisitorId;

/// How a session introduced itself.
#[derive(Debug)]
pub(super) struct Introduction {
    pub(super) page: Option<Arc<str>>,
    pub(super) locale: Option<Arc<str>>,
    pub(super) program: Option<Arc<str>>,
    /// Who the browser is, by the secret that it keeps.
    pub(super) browser: VisitorId,
    /// Who the site's server says that they are, where it does: seldom, so it has its own room.
    pub(super) vouched: Option<Box<VisitorId>>,
}

const _: () = assert!(size_of::<Introduction>() <= 72, "every socket has one");

impl Introduction {
    /// What is known before `hello`.
    pub(super) const fn of(program: Option<Arc<str>>) -> Self {
        let browser = VisitorId::from_bits(0);
        Self { page: None, locale: None, program, browser, vouched: None }
    }

    /// Who is there.
    pub(super) fn visitor(&self) -> VisitorId {
        self.vouched.as_deref().copied().unwrap_or(self.browser)
    }
}
