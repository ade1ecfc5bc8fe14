//! Who a caller is, for the code that counts what they take.

/// Who a caller is, whatever their role: known by their token or, if an issuer signed them in, by
/// the issuer and its name for them, whichever of its tokens they show.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Identity(pub(super) [u8; 32]);
