//! `throughline release`: cells, counts and figures for those who may not see the register's rows.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use anyhow::Context;
use anyhow::bail;

use crate::access::Gate;
use crate::access::Policy;
use crate::access::Principal;
use crate::cli::policy;
use crate::cli::say;
use crate::model::CollectionClass;
use crate::model::Provenance;
use crate::model::Sensitivity;
use crate::model::collections::national_totals;
use crate::model::time::format_date;
use crate::model::time::parse_date;
use crate::release::MEASURES;
use crate::release::Order;
use crate::release::Released;
use crate::release::due;
use crate::release::make;
use crate::store::Appender;
use crate::store::ChangeSummary;
use crate::store::Register;
use crate::store::Store;
use crate::store::now_day;
use crate::store::release_key;
use crate::store::set_released;

/// Who holds released rows.
const OWNER: &str = "release";

/// Write what may be released of the register and is not yet: cells by week, counts by month, quarter, year and three
/// years, a figure for each council.
#[derive(Debug, clap::Args)]
pub struct ReleaseArguments {
    /// The store.
    store: PathBuf,
    /// The policy; by default the one that comes with the program.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// What became of one collection.
#[derive(Debug)]
pub struct Written {
    /// The collection.
    pub collection: String,
    /// The last day it tells of.
    pub through: String,
    /// What changed.
    pub summary: ChangeSummary,
}

pub fn run(arguments: &ReleaseArguments) -> anyhow::Result<ExitCode> {
    let store = Arc::new(Store::open(&arguments.store)?);
    let written = release(&store, &policy::read(arguments.policy.as_deref())?)?;
    store.checkpoint()?;
    for Written { collection, through, summary: ChangeSummary { added, changed, unchanged, retired } } in
        written
    {
        say(&format!(
            "{collection} through {through}: {added} new, {changed} changed, {unchanged} as before, {retired} taken away"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// What was released through which day, and the store's day or today, as days since 1970-01-01.
fn state(store: &Store) -> anyhow::Result<(HashMap<String, i32>, i32)> {
    let reader = store.reader()?;
    let released = reader.released()?.into_iter();
    let released = released.filter_map(|(collection, day)| Some((collection, parse_date(&day)?))).collect();
    let today = match reader.as_at()? {
        Some(day) => parse_date(&day).with_context(|| format!("the store's day {day:?}"))?,
        None => now_day(),
    };
    Ok((released, today))
}

/// Whether a week or a month of the register is over that was not released yet.
///
/// # Errors
/// If the store cannot be read.
pub fn is_due(store: &Store) -> anyhow::Result<bool> {
    let (released, today) = state(store)?;
    let there = store.reader()?.collections()?;
    let full = |id: &str| {
        there.iter().any(|stored| stored.schema.id == id && stored.schema.class == CollectionClass::Register)
    };
    Ok(due(today).into_iter().any(|(of, release, through)| {
        full(of) && released.get(release).is_none_or(|released| *released < through)
    }))
}

/// Releases what is over on the store's day, or today, and was not released yet; a second release on the same day
/// changes nothing.
///
/// # Errors
/// If the store cannot be read or written, or has a layer of somebody's under the name of a release.
pub fn release(store: &Arc<Store>, policy: &Policy) -> anyhow::Result<Vec<Written>> {
    let (released, today) = state(store)?;
    let key = store.write(release_key)?;
    let synthetic = store.register() == Register::Synthetic;
    let gate = Gate::under(policy.clone(), Arc::clone(store))?;
    let view = gate.view(&Principal::LocalOperator);
    let names = MEASURES.iter().map(|(_, counts, _)| *counts);
    for id in names.chain(["address-cells", "line-cells", "council-figures", national_totals::COLLECTION]) {
        if view.collection(id).is_some_and(|known| known.schema().class != CollectionClass::Release) {
            bail!("the layer {id:?} has the name of a release: export it, and import it under another");
        }
    }
    let order = Order { today, key, released: &released, synthetic };
    let mut all = make(&view, &order).map_err(|error| anyhow::anyhow!("a schema of a release: {error}"))?;
    // Nothing is released that nobody has said who may see.
    policy.check(all.iter().map(|one| &one.schema))?;
    let outcome: Arc<Mutex<Vec<Written>>> = Arc::default();
    let slot = Arc::clone(&outcome);
    // A store that is set back to an earlier day has released what it has.
    for one in &mut all {
        one.through = one.through.max(released.get(&one.schema.id).copied().unwrap_or(i32::MIN));
    }
    store.write(move |connection| {
        for Released { schema, rows, replaces, through } in all {
            let collection = schema.id.clone();
            let public = collection == national_totals::COLLECTION;
            let provenance = Provenance {
                marking: if public { "OFFICIAL" } else { "OFFICIAL-SENSITIVE" }.to_owned(),
                sensitivity: if public { Sensitivity::Open } else { Sensitivity::Limited },
                synthetic,
                ..Provenance::open(OWNER)
            };
            let mut appender = Appender::begin(connection, schema, provenance)?;
            for row in &rows {
                appender.append(row)?;
            }
            if replaces {
                appender.retire_others()?;
            }
            let summary = appender.finish("release")?;
            let through = format_date(through);
            set_released(connection, &collection, &through)?;
            let written = Written { collection, through, summary };
            slot.lock().unwrap_or_else(PoisonError::into_inner).push(written);
        }
        Ok(())
    })?;
    let mut written = outcome.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut written))
}
