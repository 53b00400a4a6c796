//! Flows: legs of lines added up from origin to destination, for a time and at a level of places.
//!
//! In: a [`crate::access::View`] and a request. Out: pairs of places with numbers of lines and journeys. Pure, and a
//! function of the visible rows alone: a leg counts if its hub and its town are visible too.
//! Not here: routes along the railway (`rail`), drawing (the map application).

mod active_lines;
mod ends;
mod od;

pub use active_lines::DERIVATIONS;
pub use ends::FlowEnd;
pub use ends::FlowLevel;
pub use od::Flow;
pub use od::FlowError;
pub use od::FlowRequest;
pub use od::Flows;
pub use od::Sums;
pub use od::flows;
