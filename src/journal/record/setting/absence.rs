//! What earlier releases did not write of a workstream, because it could not be chosen: how long an
//! agent may be away. It is left out where it is the default, so that what those releases wrote is
//! still written the same.

use crate::domain::settings::Workstream;

pub(super) const fn offer_grace() -> u64 {
    Workstream::OFFER_GRACE.as_millis()
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants what the field holds")]
pub(super) const fn agent_notice() -> Option<u64> {
    Some(Workstream::AGENT_NOTICE.as_millis())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
pub(super) const fn is_offer_grace(millis: &u64) -> bool {
    *millis == offer_grace()
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference")]
pub(super) fn is_agent_notice(millis: &Option<u64>) -> bool {
    *millis == agent_notice()
}
