//! Who asks.

/// The one who asks, as far as access is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Principal {
    /// Someone at the machine itself: the server listens on a loopback address only, the store's register is
    /// synthetic, and no proxy stands between.
    LocalOperator,
    /// Anyone else.
    Anonymous,
}
