//! `throughline policy`: what the policy means for a role.

use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use anyhow::bail;

use crate::access::OwnKind;
use crate::access::Policy;
use crate::access::Principal;
use crate::access::Regions;
use crate::access::Role;
use crate::access::explain;
use crate::cli::say;
use crate::model::CollectionSchema;
use crate::model::collections::BUILT_IN;
use crate::model::collections::built_in;
use crate::store::Store;

/// What the policy means for a role.
#[derive(Debug, clap::Args)]
pub struct PolicyArguments {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, clap::Subcommand)]
enum PolicyCommand {
    /// Say what a role sees of a collection, and why.
    Explain(ExplainArguments),
}

#[derive(Debug, clap::Args)]
struct ExplainArguments {
    /// Who: a role, with what is their own, like force-analyst:kent, regional-analyst:london or national-analyst.
    #[arg(long, value_name = "ROLE")]
    role: String,
    /// The collection.
    #[arg(long, value_name = "COLLECTION")]
    collection: String,
    /// Whether they see a row that this force holds.
    #[arg(long, value_name = "FORCE")]
    owner: Option<String>,
    /// As if they had given a reason.
    #[arg(long)]
    with_reason: bool,
    /// The policy; by default the one that comes with the program.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A store with the collection; without one the collections that come with the program are known.
    #[arg(long, value_name = "STORE")]
    store: Option<PathBuf>,
}

pub fn run(arguments: &PolicyArguments) -> anyhow::Result<ExitCode> {
    let PolicyCommand::Explain(arguments) = &arguments.command;
    let policy = read(arguments.policy.as_deref())?;
    let mut principal = Principal::parse(&arguments.role)?;
    if arguments.with_reason {
        principal = principal.with_reason();
    }
    let forces = forces()?;
    check_own(&principal, &forces)?;
    let regions = Regions::new(forces.iter().map(|(force, region)| (force.as_str(), region.as_str())));
    let schemas = match &arguments.store {
        None => built_in_schemas()?,
        Some(path) => {
            let stored = Store::open(path)?.reader()?.collections()?;
            stored.into_iter().map(|collection| collection.schema).collect()
        }
    };
    policy.check(schemas.iter())?;
    let Some(schema) = schemas.iter().find(|schema| schema.id == arguments.collection) else {
        let known: Vec<&str> = schemas.iter().map(|schema| schema.id.as_str()).collect();
        bail!("there is no collection {:?}: there are {}", arguments.collection, known.join(", "));
    };
    for line in explain(&policy, &principal, schema, &regions, arguments.owner.as_deref()) {
        say(&line);
    }
    Ok(ExitCode::SUCCESS)
}

/// The policy of a file, or the one that comes with the program.
pub fn read(file: Option<&Path>) -> anyhow::Result<Policy> {
    let Some(path) = file else { return Ok(Policy::built_in()?) };
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Policy::parse(&text).with_context(|| path.display().to_string())
}

fn built_in_schemas() -> anyhow::Result<Vec<CollectionSchema>> {
    let mut schemas = Vec::new();
    for (id, _) in BUILT_IN {
        schemas.extend(built_in(id).map_err(|error| anyhow::anyhow!("{id}: {error}"))?);
    }
    Ok(schemas)
}

/// Forces and their regions, by the facts that come with the program.
fn forces() -> anyhow::Result<Vec<(String, String)>> {
    let mut forces = csv::Reader::from_reader(include_str!("../../data/reference/forces.csv").as_bytes());
    let headings = forces.headers()?.clone();
    let place = |name: &str| headings.iter().position(|heading| heading == name).context("forces.csv");
    let (id, region) = (place("id")?, place("region")?);
    let rows = forces.records().collect::<Result<Vec<_>, _>>()?;
    let pair = |row: &csv::StringRecord| Some((row.get(id)?.to_owned(), row.get(region)?.to_owned()));
    Ok(rows.iter().filter_map(pair).collect())
}

/// Whether the force or region that is named as a role's own exists.
fn check_own(principal: &Principal, forces: &[(String, String)]) -> anyhow::Result<()> {
    let Some(own) = principal.own().first() else { return Ok(()) };
    let (what, mut known): (_, Vec<&str>) = match principal.role().map(Role::own) {
        Some(OwnKind::Force) => ("force", forces.iter().map(|(force, _)| force.as_str()).collect()),
        Some(OwnKind::Region) => {
            ("policing region", forces.iter().map(|(_, region)| region.as_str()).collect())
        }
        _ => return Ok(()),
    };
    known.retain(|one| !one.is_empty());
    known.sort_unstable();
    known.dedup();
    if known.contains(&own.as_str()) {
        return Ok(());
    }
    bail!("there is no {what} {own:?}: there are {}", known.join(", "))
}
