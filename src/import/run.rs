//! One import from start to end: read the file once to find its schema, then import the rows in one transaction.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;

use crate::import::Audience;
use crate::import::Format;
use crate::import::ImportError;
use crate::import::ImportReport;
use crate::import::Next;
use crate::import::Source;
use crate::import::checks::KnownEnds;
use crate::import::csv::CsvSource;
use crate::import::geojson::GeoJsonSource;
use crate::import::gpkg::GpkgSource;
use crate::import::infer::Guess;
use crate::import::infer::time_axis;
use crate::import::take::take_rows;
use crate::import::watch::Pass;
use crate::import::watch::Watch;
use crate::import::watch::Watched;
use crate::model::CollectionClass;
use crate::model::CollectionSchema;
use crate::model::FieldSchema;
use crate::model::FieldType;
use crate::model::GeometryKind;
use crate::model::Provenance;
use crate::model::collections::built_in;
use crate::model::schema::SchemaGeometry;
use crate::model::schema::is_collection_id;
use crate::store::Store;
use crate::store::StoreError;

/// Ids of collections that are computed when they are requested; a layer must not have them.
const COMPUTED: [&str; 2] = ["flows", "rail-flows"];

/// How often an import starts again because another import changed the collection's fields in the meantime.
const MOST_TRIES: usize = 20;

/// The options of an import.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The id of the collection to import into.
    pub into: String,
    /// The format; `None` for the one that the file's ending names.
    pub format: Option<Format>,
    /// The layer of a `GeoPackage`; `None` if it has only one.
    pub layer: Option<String>,
    /// The column with the feature ids.
    pub id: Option<String>,
    /// The column, or start and end columns, that `datetime` is compared with; if empty, the import finds them.
    pub time: Vec<String>,
    /// Title, attribution and audience of a layer.
    pub about: About,
    /// Owner, marking and other provenance of all rows.
    pub provenance: Provenance,
    /// Whether to report only and not to change the store.
    pub dry_run: bool,
    /// Whether to import nothing if any row is rejected.
    pub strict: bool,
}

/// Properties of a layer as a whole. A title or attribution that is not given does not change; `open` is always set anew,
/// so that a layer is never opened to everyone by accident.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The title on maps and in lists.
    pub title: Option<String>,
    /// The source that a map of the layer must name.
    pub attribution: Option<String>,
    /// Whether the polygons share borders that must still match when they are simplified.
    pub coverage: bool,
    /// Whether everyone sees the layer; if not, only its owner does. The last import decides for all rows of the layer.
    pub open: bool,
}

/// Imports a file in one transaction. `watch` sees how many bytes were read and may end the import: the file is read twice,
/// and again if another import changed the collection's fields in the meantime.
///
/// # Errors
/// [`ImportError`]: the store is not changed then.
pub fn import(
    store: &Store,
    file: &Path,
    options: &ImportOptions,
    watch: &Arc<Watch>,
) -> Result<ImportReport, ImportError> {
    for _ in 0..MOST_TRIES {
        match import_once(store, file, options, watch) {
            Err(ImportError::Store(StoreError::FieldsChanged(_))) => {}
            done => return done,
        }
    }
    import_once(store, file, options, watch)
}

fn import_once(
    store: &Store,
    file: &Path,
    options: &ImportOptions,
    watch: &Arc<Watch>,
) -> Result<ImportReport, ImportError> {
    check_id(&options.into)?;
    let reader = store.reader()?;
    let known = reader.collection(&options.into)?;
    let ends = KnownEnds::read(&reader, &options.into)?;
    drop(reader);
    let before = known.as_ref().map(|stored| stored.sequence);
    let known = known.map(|stored| (stored.schema, stored.rows));
    let was_open = known.as_ref().filter(|(_, rows)| *rows > 0).map(|(schema, _)| schema.open);
    let built = built_in(&options.into)
        .map_err(|source| StoreError::Schema { collection: options.into.clone(), source })?;
    let watched = Watched::begin(watch, Pass::Survey)?;
    let survey = Survey::make(open(file, options, &watched.read)?.as_mut(), watched)?;
    let mut schema = match (known, built) {
        (_, Some(built)) if built.class == CollectionClass::Release => {
            return Err(ImportError::Released(options.into.clone()));
        }
        (_, Some(_)) if options.about != About::default() => {
            return Err(ImportError::OwnDescription(options.into.clone()));
        }
        (_, Some(built)) => built.stored(),
        (Some((schema, rows)), None) if rows > 0 => widen(schema, &survey, options)?,
        (_, None) => infer_schema(&survey, options)?,
    };
    if let Some(title) = &options.about.title {
        schema.title.clone_from(title);
    }
    if options.about.attribution.is_some() {
        schema.attribution.clone_from(&options.about.attribution);
    }
    schema.coverage |= options.about.coverage;
    let audience = (schema.class == CollectionClass::Layer).then(|| Audience {
        open: options.about.open,
        changed: was_open.is_some_and(|open| open != options.about.open),
        owner: options.provenance.owner.clone(),
    });
    schema.open = options.about.open;
    let outcome: Arc<Mutex<Option<Result<ImportReport, ImportError>>>> = Arc::default();
    let (slot, path, dry_run) = (Arc::clone(&outcome), file.to_owned(), options.dry_run);
    let (options, watch) = (options.clone(), Arc::clone(watch));
    let times = survey.times();
    let written = store.write(move |transaction| {
        let result = transaction
            .unchanged_since(&options.into, before)
            .and_then(|()| transaction.appender(schema, options.provenance.clone()))
            .map_err(ImportError::from)
            .and_then(|appender| take_rows(appender, &path, &options, &times, ends, &watch))
            .map(|report| ImportReport { audience, ..report });
        let keep = result.is_ok() && !options.dry_run;
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        // An error rolls the transaction back; the result itself is in the slot.
        if keep { Ok(()) } else { Err(StoreError::Abandoned("rolled back".to_owned())) }
    });
    let outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (outcome, written) {
        (Some(Err(error)), _) => Err(error),
        (Some(Ok(report)), Ok(())) => Ok(report),
        (Some(Ok(report)), Err(_)) if dry_run => Ok(report),
        (_, Err(error)) => Err(error.into()),
        (None, Ok(())) => Err(StoreError::WriterGone.into()),
    }
}

fn check_id(id: &str) -> Result<(), ImportError> {
    if !is_collection_id(id) {
        return Err(ImportError::BadCollectionId(id.to_owned()));
    }
    if COMPUTED.contains(&id) {
        return Err(ImportError::Computed(id.to_owned()));
    }
    Ok(())
}

/// Opens a file in its format.
pub(super) fn open(
    file: &Path,
    options: &ImportOptions,
    read: &Arc<AtomicU64>,
) -> Result<Box<dyn Source + Send>, ImportError> {
    let format = options
        .format
        .or_else(|| Format::of(file))
        .ok_or_else(|| ImportError::UnknownFormat(PathBuf::from(file)))?;
    Ok(match format {
        Format::GeoJson => Box::new(GeoJsonSource::open(file, false, read)?),
        Format::GeoJsonSeq => Box::new(GeoJsonSource::open(file, true, read)?),
        Format::Csv => Box::new(CsvSource::open(file, options.id.as_deref(), read)?),
        Format::GeoPackage => Box::new(GpkgSource::open(file, options.layer.as_deref(), read)?),
    })
}

/// What the first pass over a file learns from all of its rows.
struct Survey {
    columns: Vec<String>,
    guesses: Vec<Guess>,
    kinds: Vec<GeometryKind>,
    has_places: bool,
    ids: Ids,
}

/// Whether the rows of a file have feature ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ids {
    /// The file has no rows.
    NoRows,
    /// No row has an id.
    None,
    /// Some rows have an id, or all have one but not all ids are whole numbers.
    Some,
    /// Every row has an id that is a whole number.
    Numbers,
}

impl Survey {
    fn make(source: &mut dyn Source, mut watched: Watched) -> Result<Self, ImportError> {
        let (mut guesses, mut kinds): (Vec<Guess>, Vec<GeometryKind>) = (Vec::new(), Vec::new());
        let mut ids = Ids::NoRows;
        loop {
            let next = source.next()?;
            watched.row()?;
            match next {
                Next::End => break,
                Next::Bad(..) => {}
                Next::Row(row) => {
                    ids = match (ids, &row.id) {
                        (Ids::NoRows | Ids::Numbers, Some((_, true))) => Ids::Numbers,
                        (Ids::NoRows | Ids::None, None) => Ids::None,
                        _ => Ids::Some,
                    };
                    if let Some(kind) = row.geometry.as_ref().map(|geometry| geometry.kind().broad())
                        && !kinds.contains(&kind)
                    {
                        kinds.push(kind);
                    }
                    for (place, cell) in &row.cells {
                        if *place >= guesses.len() {
                            guesses.resize(place + 1, Guess::default());
                        }
                        guesses[*place].see(cell);
                    }
                }
            }
        }
        watched.end()?;
        let columns = source.columns().to_vec();
        guesses.resize(columns.len(), Guess::default());
        for (place, guess) in guesses.iter_mut().enumerate() {
            guess.declare(source.declared(place));
        }
        Ok(Self { columns, guesses, kinds, has_places: source.has_places(), ids })
    }

    fn has_ids(&self) -> bool {
        matches!(self.ids, Ids::Some | Ids::Numbers)
    }

    /// Names of the columns that hold times.
    fn times(&self) -> Vec<String> {
        let named = self.columns.iter().zip(&self.guesses);
        named.filter(|(name, guess)| guess.is_time(name)).map(|(name, _)| name.clone()).collect()
    }

    fn geometry(&self) -> SchemaGeometry {
        match self.kinds.as_slice() {
            _ if !self.has_places => SchemaGeometry::None,
            [GeometryKind::Point] => SchemaGeometry::Point,
            [GeometryKind::Line] => SchemaGeometry::Line,
            [GeometryKind::Polygon] => SchemaGeometry::Polygon,
            _ => SchemaGeometry::Any,
        }
    }
}

fn field(name: &str, field_type: FieldType) -> FieldSchema {
    FieldSchema {
        name: name.to_owned(),
        field_type,
        unit: None,
        minimum: None,
        title: None,
        description: None,
        queryable: true,
        sortable: true,
        sensitivity: None,
        derived: None,
        reveals: None,
        references: None,
        lifecycle: None,
    }
}

fn infer_schema(survey: &Survey, options: &ImportOptions) -> Result<CollectionSchema, ImportError> {
    let mut schema = CollectionSchema::layer(&options.into);
    schema.fields = survey
        .columns
        .iter()
        .zip(&survey.guesses)
        .map(|(name, guess)| field(name, guess.field_type()))
        .collect();
    schema.geometry = survey.geometry();
    schema.feature_ids = survey.has_ids();
    schema.numeric_ids = survey.ids == Ids::Numbers;
    schema.time = settle_time(&schema, survey, options)?;
    Ok(schema)
}

fn settle_time(
    schema: &CollectionSchema,
    survey: &Survey,
    options: &ImportOptions,
) -> Result<Vec<String>, ImportError> {
    for name in &options.time {
        if schema.position(name).is_none() {
            return Err(ImportError::NoColumn {
                option: "--time",
                column: name.clone(),
                columns: schema.fields.iter().map(|field| field.name.clone()).collect(),
            });
        }
    }
    if !options.time.is_empty() {
        return Ok(options.time.clone());
    }
    let columns = survey.columns.iter().zip(&survey.guesses);
    Ok(time_axis(columns.map(|(name, guess)| (name.as_str(), guess.is_time(name)))))
}

/// The schema of a layer that has rows already: its fields and their types do not change; new columns are added.
fn widen(
    mut schema: CollectionSchema,
    survey: &Survey,
    options: &ImportOptions,
) -> Result<CollectionSchema, ImportError> {
    for (name, guess) in survey.columns.iter().zip(&survey.guesses) {
        if schema.position(name).is_none() {
            schema.fields.push(field(name, guess.field_type()));
        }
    }
    if schema.fields.len() > crate::model::schema::MAX_FIELDS {
        return Err(ImportError::TooManyColumns);
    }
    if survey.ids != Ids::NoRows {
        schema.numeric_ids &= survey.ids == Ids::Numbers;
        schema.feature_ids |= survey.has_ids();
    }
    let new = survey.geometry();
    if new != SchemaGeometry::None && new != schema.geometry {
        schema.geometry = if schema.geometry == SchemaGeometry::None { new } else { SchemaGeometry::Any };
    }
    if !options.time.is_empty() {
        schema.time = settle_time(&schema, survey, options)?;
    }
    Ok(schema)
}
