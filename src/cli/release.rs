//! `throughline release`: cells, counts and figures for those who may not see the register's rows.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use anyhow::Context;
use anyhow::bail;

use crate::access::Policy;
use crate::access::Principal;
use crate::cli::add_missing_reference;
use crate::cli::open_gate;
use crate::cli::policy;
use crate::cli::say;
use crate::model::CollectionClass;
use crate::model::Provenance;
use crate::model::Sensitivity;
use crate::model::collections::areas;
use crate::model::collections::built_in;
use crate::model::collections::national_totals;
use crate::model::time::format_date;
use crate::model::time::parse_date;
use crate::release::Before;
use crate::release::Order;
use crate::release::Released;
use crate::release::due;
use crate::release::make;
use crate::store::Appender;
use crate::store::ChangeSummary;
use crate::store::Register;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::now_day;
use crate::store::release_key;
use crate::store::released;
use crate::store::set_released;

/// Who holds released rows.
const OWNER: &str = "release";

/// Write what may be released of the register and is not yet: cells of whole weeks, counts of months and years, a figure
/// for each council.
#[derive(Debug, clap::Args)]
pub struct ReleaseArguments {
    /// The store.
    store: PathBuf,
    /// The policy; by default the one that comes with the program.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Forget what was released and release all of it anew. Who kept the old figures can compare the two: for a store that
    /// was released before all of its rows were there.
    #[arg(long)]
    anew: bool,
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
    add_missing_reference(&store)?;
    let written = release(&store, &policy::read(arguments.policy.as_deref())?, arguments.anew)?;
    store.checkpoint()?;
    if written.is_empty() {
        say("there is nothing to release: the store has no register");
    }
    for Written { collection, through, summary: ChangeSummary { added, changed, unchanged, retired } } in
        written
    {
        say(&format!(
            "{collection} through {through}: {added} new, {changed} changed, {unchanged} as before, {retired} taken away"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// What the store keeps of releases, as it stands there.
type Kept = Vec<(String, String, String)>;

fn read(kept: &Kept) -> anyhow::Result<HashMap<String, Before>> {
    let one = |(collection, day, units): &(String, String, String)| {
        let through =
            parse_date(day).with_context(|| format!("{collection} was released through {day:?}"))?;
        let units = if units.is_empty() { Vec::new() } else { serde_json::from_str(units)? };
        Ok((collection.clone(), Before { through, units }))
    };
    kept.iter().map(one).collect()
}

/// The store's own day, if it has one, and that or today, as days since 1970-01-01.
fn day(store: &Store) -> anyhow::Result<(bool, i32)> {
    match store.reader()?.reference_date()? {
        Some(day) => Ok((true, parse_date(&day).with_context(|| format!("the store's day {day:?}"))?)),
        None => Ok((false, now_day())),
    }
}

/// Whether a week or a month of the register is over that was not released yet. A store is released the first time by
/// hand, when all of its rows are there, or if it is the finished picture of a day.
///
/// # Errors
/// If the store cannot be read.
pub fn is_due(store: &Store) -> anyhow::Result<bool> {
    let before = read(&store.reader()?.released()?)?;
    let (finished, today) = day(store)?;
    if before.is_empty() && !finished {
        return Ok(false);
    }
    let there = store.reader()?.collections()?;
    let full = |id: &str| {
        there.iter().any(|stored| stored.schema.id == id && stored.schema.class == CollectionClass::Register)
    };
    Ok(due(today).into_iter().any(|(of, release, through)| {
        full(of) && before.get(release).is_none_or(|before| before.through < through)
    }))
}

/// Whether somebody's layer has the name of a release.
///
/// # Errors
/// That, or if the store cannot be read.
pub fn check_names(store: &Store) -> anyhow::Result<()> {
    for stored in store.reader()?.collections()? {
        let built = built_in(&stored.schema.id).ok().flatten();
        let taken = built.is_some_and(|built| {
            built.class == CollectionClass::Release && stored.schema.class != CollectionClass::Release
        });
        if taken {
            bail!(
                "the layer {:?} has the name of a release: export it, and import it under another",
                stored.schema.id
            );
        }
    }
    Ok(())
}

/// Releases what is over on the store's day, or today, and was not released yet; a second release on the same day
/// changes nothing.
///
/// # Errors
/// If the store cannot be read or written, is damaged, lacks the areas that figures are for, has a layer of somebody's
/// under the name of a release, was released through a later day, or the policy does not say who may see it.
pub fn release(store: &Arc<Store>, policy: &Policy, anew: bool) -> anyhow::Result<Vec<Written>> {
    check_names(store)?;
    let kept = store.reader()?.released()?;
    let before = if anew { HashMap::new() } else { read(&kept)? };
    let (_, today) = day(store)?;
    for (_, release, through) in due(today) {
        if let Some(before) = before.get(release).filter(|before| before.through > through) {
            bail!(
                "{release} was released through {}, and today is {}: set the clock or the store's day right",
                format_date(before.through),
                format_date(today)
            );
        }
    }
    let key = store.write(release_key)?;
    let synthetic = store.register() == Register::Synthetic;
    let gate = open_gate(Arc::clone(store), policy.clone())?;
    if let Some((collection, rows)) = gate.degraded().first() {
        bail!(
            "{collection} lacks {rows} damaged rows, which would be counted as if they had never been: restore them first"
        );
    }
    let view = gate.view(&Principal::LocalOperator);
    let areas = view.collection(areas::COLLECTION);
    if areas.is_none_or(|areas| areas.schema().class != CollectionClass::Reference || areas.rows() == 0) {
        bail!(
            "there are no council areas to release figures for: a layer of yours may have the id {:?}",
            areas::COLLECTION
        );
    }
    let order = Order { today, key, before: &before, synthetic };
    let all = make(&view, &order).map_err(|error| anyhow::anyhow!("a schema of a release: {error}"))?;
    // Nothing is released that nobody has said who may see.
    policy.check(all.iter().map(|one| &one.schema))?;
    let outcome: Arc<Mutex<Vec<Written>>> = Arc::default();
    let slot = Arc::clone(&outcome);
    store.write(move |connection| {
        if released(connection)? != kept {
            return Err(StoreError::Abandoned("somebody else has released meanwhile".to_owned()));
        }
        for Released { schema, rows, units, through } in all {
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
            appender.retire_others()?;
            let summary = appender.finish("release")?;
            let through = format_date(through);
            let units =
                serde_json::to_string(&units).map_err(|error| StoreError::Abandoned(error.to_string()))?;
            set_released(connection, &collection, &through, &units)?;
            let written = Written { collection, through, summary };
            slot.lock().unwrap_or_else(PoisonError::into_inner).push(written);
        }
        Ok(())
    })?;
    let mut written = outcome.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut written))
}
