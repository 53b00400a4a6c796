//! `throughline export`: a collection to a file.

use std::fs::File;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use anyhow::bail;
use tempfile::NamedTempFile;

use crate::access::CollectionView;
use crate::access::Gate;
use crate::access::Principal;
use crate::cli::policy;
use crate::cli::say;
use crate::format::CsvWriter;
use crate::format::FeatureWriter;
use crate::format::JsonWriter;
use crate::format::push_json_text;
use crate::format::write_geopackage;
use crate::http::params::Names;
use crate::http::params::Param;
use crate::http::params::Params;
use crate::http::percent::encode;
use crate::model::GeometryType;
use crate::model::crs::Crs;
use crate::query::Filter;
use crate::query::ItemsRequest;
use crate::query::RowRef;
use crate::query::items;
use crate::store::Store;
use crate::store::in_use;
use crate::store::is_store;

/// The word that names of files with invented rows carry.
const SYNTHETIC: &str = "SYNTHETIC";

/// Write a collection to a file, in the format its ending names.
#[derive(Debug, clap::Args)]
pub struct ExportArguments {
    /// The store.
    store: PathBuf,
    /// The collection.
    collection: String,
    /// The file: .geojson, .geojsonl, .csv (points and rows without a place) or .gpkg.
    file: PathBuf,
    /// Only features that share a position with west,south,east,north in degrees.
    #[arg(long, allow_hyphen_values = true)]
    bbox: Option<String>,
    /// Only features whose time meets an instant or interval, as in the `datetime` parameter.
    #[arg(long)]
    datetime: Option<String>,
    /// As somebody would get it: a role, with what is their own, like force-analyst:kent or national-analyst.
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// As if they had given a reason.
    #[arg(long, requires = "role")]
    with_reason: bool,
    /// The policy; by default the one that comes with the program.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    GeoJson,
    GeoJsonLines,
    Csv,
    GeoPackage,
}

fn ending(path: &Path) -> anyhow::Result<Ending> {
    // The rest of a name need not be text, and an ending may be in capitals.
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    Ok(match ending.as_str() {
        "geojson" | "json" => Ending::GeoJson,
        "geojsonl" | "geojsonseq" | "ndjson" => Ending::GeoJsonLines,
        "csv" => Ending::Csv,
        "gpkg" => Ending::GeoPackage,
        other => bail!(
            "{}: no format has the ending {other:?}: use .geojson, .geojsonl, .csv or .gpkg",
            path.display()
        ),
    })
}

/// Writes the file beside its place and moves it there when it is whole.
pub fn run(arguments: &ExportArguments) -> anyhow::Result<ExitCode> {
    let ending = ending(&arguments.file)?;
    if arguments.file.exists() && !arguments.force {
        bail!("{} is there already: give --force to write over it", arguments.file.display());
    }
    let whole = std::path::absolute(&arguments.file).with_context(|| arguments.file.display().to_string())?;
    if is_store(&whole) {
        bail!("{} is a store: name another file", arguments.file.display());
    }
    if let Some(open) = in_use(&whole) {
        bail!(
            "{} is open in another program ({} is beside it): close it there, or name another file",
            arguments.file.display(),
            open.display()
        );
    }
    let store = Arc::new(Store::open(&arguments.store)?);
    let gate = Gate::under(policy::read(arguments.policy.as_deref())?, store)?;
    // Whoever can read the store's file can read all of it; the view is still the only way to rows.
    let principal = match &arguments.role {
        None => Principal::LocalOperator,
        Some(role) => Principal::parse(role)?,
    };
    let view = gate.view(&if arguments.with_reason { principal.with_reason() } else { principal });
    let Some(collection) = view.collection(&arguments.collection) else {
        let known: Vec<&str> = view.collections().map(|collection| collection.schema().id.as_str()).collect();
        bail!("there is no collection {:?}; there are: {}", arguments.collection, known.join(", "));
    };
    let request = ItemsRequest { filter: filter(arguments)?, limit: usize::MAX, after: None };
    let rows = items(collection, &request).rows;
    let is_point = |at: &RowRef| {
        collection.groups()[at.group as usize]
            .geometry(at.row as usize)
            .is_none_or(|geometry| geometry.kind == GeometryType::Point)
    };
    // Lines that were put together from other rows are left out of a table; those rows have them.
    let put_together = collection.schema().derived_geometry.is_some();
    if ending == Ending::Csv && !put_together && !rows.iter().all(is_point) {
        bail!("CSV holds single points only: use .geojson, .geojsonl or .gpkg");
    }
    let folder = whole.parent().unwrap_or(Path::new("/"));
    let draft = NamedTempFile::new_in(folder).with_context(|| folder.display().to_string())?;
    match ending {
        Ending::GeoJson | Ending::GeoJsonLines => write_features(draft.as_file(), collection, &rows, ending)?,
        Ending::Csv => {
            let mut writer = CsvWriter::new(BufWriter::new(draft.as_file()), collection, &rows)?;
            for at in &rows {
                writer.row(*at)?;
            }
            writer.finish()?;
        }
        Ending::GeoPackage => {
            write_geopackage(draft.path(), collection, rows.iter().copied())?;
        }
    }
    draft.persist(&arguments.file).with_context(|| arguments.file.display().to_string())?;
    say(&format!("{}: {} features", arguments.file.display(), rows.len()));
    let name = arguments.file.file_name().map(|name| name.to_string_lossy().to_ascii_uppercase());
    if collection.is_synthetic() && !name.is_some_and(|name| name.contains(SYNTHETIC)) {
        say(&format!("They are invented: let the name say so, as in {}-{SYNTHETIC}", arguments.collection));
    }
    Ok(ExitCode::SUCCESS)
}

/// The same parameters as over HTTP, read by the same reader.
fn filter(arguments: &ExportArguments) -> anyhow::Result<Filter> {
    let mut query = String::new();
    for (name, value) in [("bbox", &arguments.bbox), ("datetime", &arguments.datetime)] {
        if let Some(value) = value {
            query.push_str(&format!("&{name}={}", encode(value)));
        }
    }
    let params = Params::parse(&query, &Names { ours: &[Param::Bbox, Param::Datetime], of: None })?;
    let mut members = Vec::new();
    members.extend(params.bbox()?.map(Filter::Bbox));
    members.extend(params.datetime()?.map(Filter::During));
    Ok(Filter::All(members))
}

fn write_features(
    file: &File,
    collection: &CollectionView,
    rows: &[RowRef],
    ending: Ending,
) -> std::io::Result<()> {
    let mut writer = FeatureWriter::new(collection, Crs::Crs84);
    let mut out = BufWriter::with_capacity(1 << 18, file);
    let mut feature = Vec::new();
    if ending == Ending::GeoJson {
        out.write_all(b"{\"type\":\"FeatureCollection\",")?;
        if collection.is_synthetic() {
            let mut marking = Vec::new();
            push_json_text(&mut marking, collection.marking());
            out.write_all(b"\"synthetic\":true,\"marking\":")?;
            out.write_all(&marking)?;
            out.write_all(b",")?;
        }
        out.write_all(b"\"features\":[\n")?;
    }
    for (place, at) in rows.iter().enumerate() {
        feature.clear();
        if place > 0 {
            feature.extend_from_slice(if ending == Ending::GeoJson { b",\n" } else { b"\n" });
        }
        writer.feature(&mut JsonWriter::new(&mut feature), *at, None);
        out.write_all(&feature)?;
    }
    out.write_all(if ending == Ending::GeoJson { b"\n]}\n" } else { b"\n" })?;
    out.flush()
}
