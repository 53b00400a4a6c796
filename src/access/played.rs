//! Whether roles may be played: only while every row of the store is one that anyone may see.
//!
//! In: a snapshot. Out: what stands against a demo, in a sentence. Not here: which role a caller plays (`http`).

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use crate::access::read::Snapshot;
use crate::model::CollectionClass;
use crate::model::Sensitivity;
use crate::store::Register;

/// Whether roles are played. Once that is over it stays so.
#[derive(Debug, Default)]
pub(super) struct Played(AtomicBool);

impl Played {
    /// Begins, if the rows allow it.
    pub(super) fn begin(&self, snapshot: &Snapshot, register: Register) {
        self.0.store(true, Ordering::SeqCst);
        self.look_at(snapshot, register);
    }

    /// Ends it, and says why, if these rows do not allow it.
    pub(super) fn look_at(&self, snapshot: &Snapshot, register: Register) {
        if self.are()
            && let Some(why) = against(snapshot, register)
        {
            self.0.store(false, Ordering::SeqCst);
            tracing::warn!(
                "{why}: no roles are played, every caller is public until the server is started anew"
            );
        }
    }

    /// Whether they are.
    pub(super) fn are(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Why roles may not be played with these rows, `None` if they may: every row is synthetic, released from a synthetic
/// register, or open to anyone, as the reference facts are.
///
/// It looks at where rows come from, of which a row group has few, and not at each row: cheap at every refresh.
fn against(snapshot: &Snapshot, register: Register) -> Option<String> {
    if register == Register::Operational {
        return Some("the store's register is for real rows".to_owned());
    }
    snapshot.collections.iter().find_map(|(id, collection)| {
        let schema = &collection.schema;
        let released = schema.class == CollectionClass::Release;
        // An imported layer is open only if its import said so.
        let open = schema.class != CollectionClass::Layer || schema.open;
        let other = collection.groups.iter().flat_map(|group| group.row_rights()).any(|row| {
            let provenance = &row.provenance;
            !(released || provenance.synthetic || open && provenance.sensitivity == Sensitivity::Open)
        });
        other.then(|| format!("{id} has rows that are neither synthetic nor open to anyone"))
    })
}
