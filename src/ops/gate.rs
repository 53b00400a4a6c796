//! The one place where a gate is opened for the program.

use std::sync::Arc;

use crate::access::Gate;
use crate::access::GateError;
use crate::access::Policy;
use crate::flow::DERIVATIONS;
use crate::store::Store;

/// Reads a store into a gate, under a policy. Commands, the server and the tests all open their gates here, so that what is
/// derived from rows is registered once.
///
/// # Errors
/// [`GateError`] if the store cannot be read, or the policy has no rule for a collection of its register.
pub fn open_gate(store: Arc<Store>, policy: Policy) -> Result<Gate, GateError> {
    Gate::with_derivations(policy, store, &DERIVATIONS)
}
