//! `throughline demo`: the synthetic national set, with the table that checks it against published figures.

use std::collections::HashMap;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use anyhow::Context;
use anyhow::bail;

use crate::access::Policy;
use crate::cli::add_missing_reference;
use crate::cli::check_names;
use crate::cli::release;
use crate::cli::say;
use crate::demo;
use crate::demo::Buildings;
use crate::demo::Check;
use crate::demo::SelfCheck;
use crate::demo::Settings;
use crate::demo::Truth;
use crate::model::Provenance;
use crate::model::RowId;
use crate::model::Sensitivity;
use crate::model::collections::built_in;
use crate::model::time::format_date;
use crate::store::Made;
use crate::store::Register;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::make;

/// A user's layer whose id begins with this holds footprints that no invented address may stand on.
const BUILDINGS: &str = "building";

/// Write the synthetic national set into a store, made if there is none, and print its self-check table.
#[derive(Debug, clap::Args)]
pub struct DemoArguments {
    /// The store.
    store: PathBuf,
    /// Another seed gives another country of the same kind.
    #[arg(long, default_value_t = demo::SEED)]
    seed: u64,
    /// How many times as many lines as in the country, 0.1 to 100.
    #[arg(long, default_value_t = 1.0, value_parser = scale)]
    scale: f64,
    /// Also write which records are of one line, and what is wrong with each, as CSV. The store does not know.
    #[arg(long, value_name = "FILE.csv")]
    truth: Option<PathBuf>,
    /// Also write the lines as forces would hand them over, three rows in a hundred malformed, as CSV.
    #[arg(long, value_name = "FILE.csv")]
    returns: Option<PathBuf>,
    /// Print the table as JSON.
    #[arg(long)]
    json: bool,
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if (0.1..=100.0).contains(&scale) => Ok(scale),
        _ => Err("give a number from 0.1 to 100".to_owned()),
    }
}

/// What was written: the figures, and the truth behind the records of lines.
type Written = (SelfCheck, Vec<Truth>);

/// Writes the set.
pub fn run(arguments: &DemoArguments) -> anyhow::Result<ExitCode> {
    let settings = Settings { seed: arguments.seed, scale: arguments.scale };
    let (check, truth) = write(&arguments.store, settings)?;
    let mut malformed = HashMap::new();
    if let Some(file) = &arguments.returns {
        let (sheet, rows) = demo::returns(&settings)?;
        std::fs::write(file, sheet).with_context(|| file.display().to_string())?;
        malformed.extend(rows.into_iter().filter_map(|(record, fault)| Some((record, fault?))));
    }
    if let Some(file) = &arguments.truth {
        write_truth(file, &truth, &malformed).with_context(|| file.display().to_string())?;
    }
    let table = check.table();
    if arguments.json {
        say(&json(&settings, &check, &table).to_string());
    } else {
        print(&arguments.store, &settings, &check, &table);
    }
    // The figures hold for the set as it is published; other seeds and scales may miss one.
    Ok(ExitCode::SUCCESS)
}

/// Writes reference facts and the set into a store, in one piece; makes the store if there is none, and then leaves
/// nothing behind if the set cannot be written.
///
/// # Errors
/// If the store is operational, has register rows already, or cannot be written.
pub fn write(path: &Path, settings: Settings) -> anyhow::Result<Written> {
    let whole = |store: &Arc<Store>| -> anyhow::Result<Written> {
        let written = fill(store, settings)?;
        release(store, &Policy::built_in()?, false)?;
        Ok(written)
    };
    match make(path, Register::Synthetic, whole)? {
        Made::New(_, written) => Ok(written),
        Made::WasThere(store) => {
            let store = Arc::new(store);
            let written = whole(&store)?;
            store.checkpoint()?;
            Ok(written)
        }
    }
}

/// The store with the set: made whole if there is none, and else opened as it is.
///
/// # Errors
/// As [`write()`], and of opening it.
pub fn open_or_make(path: &Path, settings: Settings) -> anyhow::Result<Store> {
    let made = make(path, Register::Synthetic, |store| -> anyhow::Result<()> {
        fill(store, settings)?;
        release(store, &Policy::built_in()?, false)?;
        Ok(())
    })?;
    Ok(match made {
        Made::New(store, ()) | Made::WasThere(store) => store,
    })
}

fn fill(store: &Store, settings: Settings) -> anyhow::Result<Written> {
    if store.register() == Register::Operational {
        bail!("{} is an operational store: invented rows belong in another", store.path().display());
    }
    let known = store.reader()?.collections()?;
    if let Some(full) =
        known.iter().find(|stored| stored.rows > 0 && demo::COLLECTIONS.contains(&stored.schema.id.as_str()))
    {
        bail!(
            "{} has rows in {} already: name another store, or one that has none",
            store.path().display(),
            full.schema.id
        );
    }
    check_names(store)?;
    add_missing_reference(store)?;
    let buildings = buildings(store)?;
    let outcome: Arc<Mutex<Option<Written>>> = Arc::default();
    let slot = Arc::clone(&outcome);
    store.write(move |transaction| {
        let mut check = SelfCheck::new(&settings);
        let mut appenders = HashMap::new();
        for id in demo::COLLECTIONS {
            let schema = built_in(id)
                .map_err(|source| StoreError::Schema { collection: id.to_owned(), source })?
                .ok_or_else(|| StoreError::NoCollection(id.to_owned()))?;
            let provenance = Provenance {
                synthetic: true,
                sensitivity: Sensitivity::Restricted,
                ..Provenance::open("demo")
            };
            appenders.insert(id, transaction.appender(schema.stored(), provenance)?);
        }
        let taken = |at| buildings.stand_on(at);
        let truth = demo::generate(&settings, &taken, &mut |record| {
            check.see(&record);
            let appender = appenders.get_mut(record.collection).ok_or("no such collection")?;
            let appended = appender.append_as(&record.row, &record.provenance);
            appended.map(|_| ()).map_err(|error| error.to_string())
        })
        .map_err(|error| StoreError::Abandoned(error.to_string()))?;
        for appender in demo::COLLECTIONS.iter().filter_map(|id| appenders.remove(id)) {
            appender.finish("demo")?;
        }
        transaction.set_reference_date(&format_date(demo::PRESENT))?;
        transaction.set_release_key(demo::release_key(&settings))?;
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some((check, truth));
        Ok(())
    })?;
    let written = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
    written.context("the set was not written")
}

fn buildings(store: &Store) -> anyhow::Result<Buildings> {
    let mut buildings = Buildings::default();
    let reader = store.reader()?;
    for stored in reader.collections()? {
        if stored.schema.id.to_ascii_lowercase().starts_with(BUILDINGS) {
            reader.scan(&stored, i64::MIN, i64::MAX, &mut |row| {
                if let Some(geometry) = row.geometry {
                    buildings.add(geometry.to_geometry());
                }
            })?;
        }
    }
    Ok(buildings)
}

/// The record, the line it is of, what is wrong with it, and with its row of the returns (the code an import reports).
fn write_truth(file: &Path, truth: &[Truth], malformed: &HashMap<RowId, &str>) -> std::io::Result<()> {
    let mut text = String::from("record,line,dirt,malformed_return\n");
    for Truth { record, line, dirt } in truth {
        let fault = malformed.get(record).copied().unwrap_or_default();
        text.push_str(&format!("{record},{line},{},{fault}\n", dirt.join(";")));
    }
    std::fs::write(file, text)
}

fn json(settings: &Settings, check: &SelfCheck, table: &[Check]) -> serde_json::Value {
    let checks = table.iter().map(|check| {
        serde_json::json!({"what": check.what, "target": check.target, "got": check.got, "passes": check.passes})
    });
    serde_json::json!({
        "seed": settings.seed,
        "scale": settings.scale,
        "reference_date": format_date(demo::PRESENT),
        "synthetic": true,
        "rows": check.rows(),
        "checks": checks.collect::<Vec<_>>(),
    })
}

fn print(store: &Path, settings: &Settings, check: &SelfCheck, table: &[Check]) {
    let rows: Vec<String> = check.rows().iter().map(|(id, rows)| format!("{rows} {id}")).collect();
    say(&format!("{}: synthetic national set as at {}", store.display(), format_date(demo::PRESENT)));
    say(&format!("seed {}, scale {}: {}", settings.seed, settings.scale, rows.join(", ")));
    let width =
        |cell: fn(&Check) -> &str| table.iter().map(|check| cell(check).chars().count()).max().unwrap_or(0);
    let (what, target, got) = (width(|c| &c.what), width(|c| &c.target), width(|c| &c.got));
    say(&format!("\n{:what$}  {:target$}  {:>got$}", "self-check", "target", "got"));
    for check in table {
        let verdict = if check.passes { "pass" } else { "FAIL" };
        say(&format!("{:what$}  {:target$}  {:>got$}  {verdict}", check.what, check.target, check.got));
    }
    let failed = table.iter().filter(|check| !check.passes).count();
    say(&format!("{} of {} pass; (A) marks an assumption", table.len() - failed, table.len()));
}
