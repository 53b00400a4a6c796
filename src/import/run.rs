//! One import from start to end: survey the file, settle the schema, take the rows in one transaction.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;

use crate::import::Cell;
use crate::import::Format;
use crate::import::ImportError;
use crate::import::ImportReport;
use crate::import::Next;
use crate::import::RawRow;
use crate::import::RowNote;
use crate::import::Source;
use crate::import::convert::convert;
use crate::import::csv::CsvSource;
use crate::import::geojson::GeoJsonSource;
use crate::import::gpkg::GpkgSource;
use crate::import::infer::Guess;
use crate::import::infer::time_axis;
use crate::import::report::Fault;
use crate::model::CollectionClass;
use crate::model::CollectionSchema;
use crate::model::FieldSchema;
use crate::model::FieldType;
use crate::model::GeometryKind;
use crate::model::Provenance;
use crate::model::Row;
use crate::model::Value;
use crate::model::collections::built_in;
use crate::model::geometry::self_crossing;
use crate::model::schema::SchemaGeometry;
use crate::model::schema::is_collection_id;
use crate::store::Appended;
use crate::store::Appender;
use crate::store::Store;
use crate::store::StoreError;

/// What to import, and how.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The collection id.
    pub into: String,
    /// The format; by the file's ending if `None`.
    pub format: Option<Format>,
    /// The layer of a `GeoPackage`.
    pub layer: Option<String>,
    /// The column whose values are feature ids.
    pub id: Option<String>,
    /// The column or columns that answer `datetime`; found if empty.
    pub time: Vec<String>,
    /// Owner, marking and so on of every row.
    pub provenance: Provenance,
    /// Whether to report only and leave the store as it was.
    pub dry_run: bool,
    /// Whether one rejected row is enough to take nothing.
    pub strict: bool,
}

/// Imports a file. `read` counts the bytes taken from the disk; the file is read twice.
///
/// # Errors
/// [`ImportError`]: then the store is as it was.
pub fn import(
    store: &Store,
    file: &Path,
    options: &ImportOptions,
    read: &Arc<AtomicU64>,
) -> Result<ImportReport, ImportError> {
    if !is_collection_id(&options.into) {
        return Err(ImportError::BadCollectionId(options.into.clone()));
    }
    let known = store.reader()?.collection(&options.into)?.map(|stored| (stored.schema, stored.rows));
    let built = built_in(&options.into)
        .map_err(|source| StoreError::Schema { collection: options.into.clone(), source })?;
    let survey = Survey::make(open(file, options, read)?.as_mut())?;
    let schema = match (known, built) {
        (_, Some(built)) => built,
        (Some((schema, rows)), None) if rows > 0 => widen(schema, &survey, options)?,
        (_, None) => infer_schema(&survey, options)?,
    };
    let outcome: Arc<Mutex<Option<Result<ImportReport, ImportError>>>> = Arc::default();
    let (slot, path, dry_run) = (Arc::clone(&outcome), file.to_owned(), options.dry_run);
    let (options, read) = (options.clone(), Arc::clone(read));
    let written = store.write(move |connection| {
        let result = Appender::begin(connection, schema, options.provenance.clone())
            .map_err(ImportError::from)
            .and_then(|appender| take_rows(appender, &path, &options, &read));
        let keep = result.is_ok() && !options.dry_run;
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        // An error takes the whole piece of work back; what it was is in the slot.
        if keep { Ok(()) } else { Err(StoreError::Abandoned("taken back".to_owned())) }
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

fn open(file: &Path, options: &ImportOptions, read: &Arc<AtomicU64>) -> Result<Box<dyn Source + Send>, ImportError> {
    let format =
        options.format.or_else(|| Format::of(file)).ok_or_else(|| ImportError::UnknownFormat(PathBuf::from(file)))?;
    Ok(match format {
        Format::GeoJson => Box::new(GeoJsonSource::open(file, false, read)?),
        Format::GeoJsonSeq => Box::new(GeoJsonSource::open(file, true, read)?),
        Format::Csv => Box::new(CsvSource::open(file, options.id.as_deref(), read)?),
        Format::GeoPackage => Box::new(GpkgSource::open(file, options.layer.as_deref(), read)?),
    })
}

/// What all rows of a file have in common.
struct Survey {
    columns: Vec<String>,
    guesses: Vec<Guess>,
    kinds: Vec<GeometryKind>,
    has_places: bool,
    any_id: bool,
    numeric_ids: bool,
}

impl Survey {
    fn make(source: &mut dyn Source) -> Result<Self, ImportError> {
        let (mut guesses, mut kinds): (Vec<Guess>, Vec<GeometryKind>) = (Vec::new(), Vec::new());
        let (mut any_id, mut numeric_ids) = (false, true);
        loop {
            match source.next()? {
                Next::End => break,
                Next::Bad(..) => {}
                Next::Row(row) => {
                    if let Some((_, numeric)) = &row.id {
                        any_id = true;
                        numeric_ids &= numeric;
                    }
                    if let Some(kind) = row.geometry.as_ref().map(|shape| shape.kind().broad())
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
        let columns = source.columns().to_vec();
        guesses.resize(columns.len(), Guess::default());
        Ok(Self { columns, guesses, kinds, has_places: source.has_places(), any_id, numeric_ids: any_id && numeric_ids })
    }

    fn geometry(&self) -> SchemaGeometry {
        match self.kinds.as_slice() {
            _ if !self.has_places => SchemaGeometry::None,
            [GeometryKind::Point] => SchemaGeometry::Point,
            [GeometryKind::Line] => SchemaGeometry::Line,
            [GeometryKind::Area] => SchemaGeometry::Area,
            _ => SchemaGeometry::Any,
        }
    }
}

fn field(name: &str, field_type: FieldType) -> FieldSchema {
    FieldSchema {
        name: name.to_owned(),
        field_type,
        unit: None,
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
    schema.fields =
        survey.columns.iter().zip(&survey.guesses).map(|(name, guess)| field(name, guess.field_type())).collect();
    schema.geometry = survey.geometry();
    schema.feature_ids = survey.any_id;
    schema.numeric_ids = survey.numeric_ids;
    schema.time = settle_time(&schema, survey, options)?;
    Ok(schema)
}

fn settle_time(schema: &CollectionSchema, survey: &Survey, options: &ImportOptions) -> Result<Vec<String>, ImportError> {
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

/// A layer with rows keeps its fields and their types; columns it lacks are added.
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
    if survey.any_id {
        schema.numeric_ids = survey.numeric_ids && (schema.numeric_ids || !schema.feature_ids);
        schema.feature_ids = true;
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

/// Takes the rows of a file, second pass.
struct Taking<'c> {
    appender: Appender<'c>,
    schema: CollectionSchema,
    identifier: Option<usize>,
    /// For each column of the file, its field; `None` where a built-in collection has no such field.
    targets: Vec<Option<usize>>,
    report: ImportReport,
    told: Vec<&'static str>,
}

fn take_rows(
    appender: Appender<'_>,
    file: &Path,
    options: &ImportOptions,
    read: &Arc<AtomicU64>,
) -> Result<ImportReport, ImportError> {
    let schema = appender.schema().clone();
    let identifier = schema.identifier.as_ref().and_then(|name| schema.position(name));
    let mut taking = Taking {
        appender,
        schema,
        identifier,
        targets: Vec::new(),
        report: ImportReport { collection: options.into.clone(), ..ImportReport::default() },
        told: Vec::new(),
    };
    let mut source = open(file, options, read)?;
    loop {
        match source.next()? {
            Next::End => break,
            Next::Bad(number, fault) => taking.reject(number, fault),
            Next::Row(row) => taking.take(row, source.columns())?,
        }
    }
    let Taking { appender, mut report, .. } = taking;
    if options.strict && report.rejected > 0 {
        return Err(ImportError::Strict(report.rejected));
    }
    appender.finish(&file.display().to_string())?;
    report.file = file.display().to_string();
    Ok(report)
}

impl Taking<'_> {
    fn reject(&mut self, row: u64, fault: Fault) {
        self.report.rejected += 1;
        self.report.rows.push(RowNote { row, rejected: true, fault });
    }

    fn take(&mut self, raw: RawRow, columns: &[String]) -> Result<(), ImportError> {
        let number = raw.number;
        let mut warnings = raw.warnings;
        for name in &columns[self.targets.len()..] {
            let target = self.schema.position(name);
            if target.is_none() {
                let message = format!("the collection {} has no field {name:?}: the column was left out", self.schema.id);
                warnings.push(Fault::new("unknown-field", message, "name the column like a field of the collection"));
            }
            self.targets.push(target);
        }
        let mut values = vec![Value::Null; self.schema.fields.len()];
        for (place, cell) in raw.cells {
            let Some(target) = self.targets[place] else { continue };
            match self.value(cell, target) {
                Ok(value) => values[target] = value,
                Err(fault) => {
                    self.reject(number, fault);
                    return Ok(());
                }
            }
        }
        let public_id = match self.identifier {
            None => raw.id.map(|(id, _)| id),
            Some(place) => Some(values[place].as_ref().to_text()).filter(|text| !text.is_empty()),
        };
        if public_id.is_none() && self.identifier.is_some() {
            let name = self.schema.identifier.clone().unwrap_or_default();
            self.reject(number, Fault::new("no-id", format!("{name} is empty"), "give every row its identifier"));
            return Ok(());
        }
        if let Some(fault) = self.misplaced(raw.geometry.as_ref().map(|shape| shape.kind().broad())) {
            self.reject(number, fault);
            return Ok(());
        }
        if let Some(place) = raw.geometry.as_ref().and_then(|shape| self_crossing(shape.as_ref())) {
            let message = format!(
                "the area crosses or touches itself at {}, {}; it is kept as it is, and tiles repair it",
                place.lon_degrees(),
                place.lat_degrees()
            );
            warnings.push(Fault::new("self-crossing", message, "repair the area with a GIS program"));
        }
        let row = Row { public_id, geometry: raw.geometry, values };
        let outcome = self.appender.append(&row)?;
        let id = row.public_id.unwrap_or_default();
        match outcome {
            Appended::Added | Appended::Changed => {}
            Appended::Unchanged => self.report.unchanged += 1,
            Appended::DuplicateId => {
                let message = format!("the id {id:?} came earlier in this file");
                self.reject(number, Fault::new("duplicate-id", message, "give every row an id of its own"));
                return Ok(());
            }
            Appended::OtherOwner => {
                let message = format!("the id {id:?} belongs to another owner's row");
                self.reject(number, Fault::new("id-of-another-owner", message, "import it as that owner, or under another id"));
                return Ok(());
            }
        }
        self.report.accepted += 1;
        // What holds for the whole file is said once.
        warnings.retain(|warning| {
            let once = matches!(warning.code, "height-dropped" | "blob" | "name");
            let told = self.told.contains(&warning.code);
            if once && !told {
                self.told.push(warning.code);
            }
            !(once && told)
        });
        self.report.warned += u64::from(!warnings.is_empty());
        self.report.rows.extend(warnings.into_iter().map(|fault| RowNote { row: number, rejected: false, fault }));
        Ok(())
    }

    fn value(&self, cell: Cell, target: usize) -> Result<Value, Fault> {
        convert(cell, &self.schema.fields[target])
    }

    /// Why a built-in collection cannot take this kind of geometry.
    fn misplaced(&self, kind: Option<GeometryKind>) -> Option<Fault> {
        let fits = match (self.schema.geometry, kind) {
            (_, None) | (SchemaGeometry::Any, _) => true,
            (SchemaGeometry::Point, Some(kind)) => kind == GeometryKind::Point,
            (SchemaGeometry::Line, Some(kind)) => kind == GeometryKind::Line,
            (SchemaGeometry::Area, Some(kind)) => kind == GeometryKind::Area,
            (SchemaGeometry::None, Some(_)) => self.schema.class == CollectionClass::Layer,
        };
        let fix = "give the geometry that the collection's schema names";
        (!fits).then(|| Fault::new("geometry-kind", format!("{} does not take this kind of geometry", self.schema.id), fix))
    }
}
