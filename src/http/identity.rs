//! Who somebody is, for whoever counts what they take.

/// Who somebody is, whichever role they have: by their token, or by the issuer and its name for
/// them, whichever of its tokens they show.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Identity(pub(super) [u8; 32]);
