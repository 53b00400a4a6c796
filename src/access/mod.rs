//! Who asks, which rows they may see, and the [`View`] that holds those rows and no others.
//!
//! In: a store and a [`Principal`]. Out: [`Gate::view`], the only way to data. Nothing outside this room can name
//! a snapshot, and a view holds no row that its principal may not see: there is nothing to forget at the exits.
//!
//! A handler takes a view:
//!
//! ```
//! fn handler(view: &throughline::access::View) -> usize {
//!     view.collections().count()
//! }
//! ```
//!
//! and one that takes a snapshot does not compile, whichever way it tries to name it:
//!
//! ```compile_fail,E0432
//! use throughline::access::Snapshot;
//! fn handler(snapshot: &Snapshot) -> usize {
//!     snapshot.collections.len()
//! }
//! ```
//!
//! ```compile_fail,E0603
//! use throughline::access::read::Snapshot;
//! fn handler(snapshot: &Snapshot) -> usize {
//!     snapshot.collections.len()
//! }
//! ```
//!
//! ```compile_fail,E0603
//! use throughline::snapshot::Collection;
//! fn handler(collection: &Collection) -> usize {
//!     collection.groups.len()
//! }
//! ```

mod derive;
mod entitlement;
mod explain;
#[cfg(test)]
mod fixtures;
mod gate;
mod memos;
mod played;
mod policy;
mod policy_rule;
mod principal;
mod published;
mod read;
mod references;
mod rights;
#[cfg(test)]
pub(crate) mod testing;
mod values;
mod view;
mod view_build;
mod view_cache;

pub use crate::snapshot::BLOCK_ROWS;
pub use crate::snapshot::BlockRef;
pub use crate::snapshot::Column;
pub use crate::snapshot::HeldBytes;
pub use crate::snapshot::Ints;
pub use crate::snapshot::Nulls;
pub use crate::snapshot::RowGroup;
pub use crate::snapshot::TextColumn;
pub use crate::snapshot::Texts;
pub use derive::Computed;
pub use derive::Derivation;
pub use derive::DerivationError;
pub use derive::DerivationKind;
pub use derive::Derived;
pub use derive::Inputs;
pub use derive::Params;
pub use derive::ValueDerivation;
pub use entitlement::Entitlement;
pub use entitlement::Regions;
pub use explain::explain;
pub use gate::Gate;
pub use gate::GateError;
pub use policy::Policy;
pub use policy::PolicyError;
pub use principal::AccountId;
pub use principal::Class;
pub use principal::LOCAL_OWNER;
pub use principal::OwnKind;
pub use principal::Principal;
pub use principal::PrincipalError;
pub use principal::Role;
pub use references::Resolved;
pub use references::RowRef;
pub use view::CollectionView;
pub use view::View;
