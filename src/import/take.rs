//! The second pass: each row to its schema's values, to the store, to the report.

use std::path::Path;
use std::sync::Arc;

use crate::import::Cell;
use crate::import::ImportError;
use crate::import::ImportOptions;
use crate::import::ImportReport;
use crate::import::Next;
use crate::import::RawRow;
use crate::import::RowNote;
use crate::import::checks::KnownEnds;
use crate::import::checks::below_minimum;
use crate::import::checks::reversed_time;
use crate::import::convert::convert;
use crate::import::report::Fault;
use crate::import::report::separators;
use crate::import::run::open;
use crate::import::watch::Pass;
use crate::import::watch::Watch;
use crate::import::watch::Watched;
use crate::model::CollectionClass;
use crate::model::CollectionSchema;
use crate::model::GeometryKind;
use crate::model::Row;
use crate::model::Value;
use crate::model::collections::built_in;
use crate::model::schema::SchemaGeometry;
use crate::model::time;
use crate::model::validity::Validity;
use crate::model::validity::validity;
use crate::store::Appended;
use crate::store::Appender;

/// Takes the rows of a file, second pass.
struct Taking<'c> {
    appender: Appender<'c>,
    schema: CollectionSchema,
    identifier: Option<usize>,
    /// For each column of the file, its field; `None` where a built-in collection has no such field.
    targets: Vec<Option<usize>>,
    /// The collection as the program describes it, with what is computed and comes back in its exports; such columns and
    /// geometries are passed over.
    described: Option<CollectionSchema>,
    /// For each field, whether a value that is no time is left out and its row taken; and whether it answers `datetime`.
    lenient: Vec<bool>,
    answers: Vec<usize>,
    /// Hubs and towns, if it is legs that are taken.
    ends: Option<KnownEnds>,
    report: ImportReport,
    told: Vec<&'static str>,
}

/// Reads the file again and appends every row that can be taken. `times` names the file's columns that say when.
pub(super) fn take_rows(
    appender: Appender<'_>,
    file: &Path,
    options: &ImportOptions,
    times: &[String],
    ends: Option<KnownEnds>,
    watch: &Arc<Watch>,
) -> Result<ImportReport, ImportError> {
    let schema = appender.schema().clone();
    let identifier = schema.identifier.as_ref().and_then(|name| schema.position(name));
    let described = built_in(&schema.id).ok().flatten().filter(|built| built.class == schema.class);
    // The program's own collections say themselves what their fields hold.
    let is_layer = schema.class == CollectionClass::Layer;
    let mut taking = Taking {
        appender,
        described,
        ends,
        identifier,
        targets: Vec::new(),
        lenient: schema.fields.iter().map(|field| is_layer && times.contains(&field.name)).collect(),
        answers: schema.time.iter().filter_map(|name| schema.position(name)).collect(),
        report: ImportReport {
            collection: options.into.clone(),
            time: schema.time.clone(),
            ..ImportReport::default()
        },
        schema,
        told: Vec::new(),
    };
    let mut watched = Watched::begin(watch, Pass::Take)?;
    let mut source = open(file, options, &watched.read)?;
    loop {
        let next = source.next()?;
        watched.row()?;
        match next {
            Next::End => break,
            Next::Bad(number, fault) => taking.reject(number, fault),
            Next::Row(row) => taking.take(row, source.columns())?,
        }
    }
    let Taking { appender, mut report, .. } = taking;
    report.file = file.display().to_string();
    report.skipped = source.skipped();
    if report.skipped > 0 {
        report.note(RowNote { row: 0, rejected: false, fault: separators(report.skipped) });
    }
    if options.strict && report.rejected > 0 {
        return Err(ImportError::Strict(Box::new(report)));
    }
    // The last look: what is cancelled later is committed.
    watched.end()?;
    appender.finish(&report.file)?;
    Ok(report)
}

impl Taking<'_> {
    fn reject(&mut self, row: u64, fault: Fault) {
        self.report.rejected += 1;
        self.report.note(RowNote { row, rejected: true, fault });
    }

    /// Finds the fields of columns that are new.
    fn find_targets(&mut self, columns: &[String], warnings: &mut Vec<Fault>) {
        for name in &columns[self.targets.len()..] {
            let target = self.schema.position(name);
            let computed = self.described.as_ref().is_some_and(|built| built.position(name).is_some());
            if target.is_none() && !computed {
                let message = format!(
                    "the collection {} has no field {name:?}: the column was left out",
                    self.schema.id
                );
                warnings.push(Fault::new(
                    "unknown-field",
                    message,
                    "name the column like a field of the collection",
                ));
            }
            self.targets.push(target);
        }
    }

    fn take(&mut self, mut raw: RawRow, columns: &[String]) -> Result<(), ImportError> {
        if self.described.as_ref().is_some_and(|built| built.derived_geometry.is_some()) {
            raw.geometry = None;
        }
        let number = raw.number;
        let mut warnings = raw.warnings;
        self.find_targets(columns, &mut warnings);
        let values = match self.values(raw.cells, &mut warnings) {
            Ok(values) => values,
            Err(fault) => {
                self.reject(number, fault);
                return Ok(());
            }
        };
        warnings.extend(self.ends.as_ref().and_then(|ends| ends.missing(&self.schema, &values)));
        let public_id = match self.identifier {
            None => raw.id.map(|(id, _)| id),
            Some(place) => Some(values[place].as_ref().to_text()).filter(|text| !text.is_empty()),
        };
        if public_id.is_none() && self.identifier.is_some() {
            let name = self.schema.identifier.clone().unwrap_or_default();
            self.reject(
                number,
                Fault::new("no-id", format!("{name} is empty"), "give every row its identifier"),
            );
            return Ok(());
        }
        if let Some(fault) = self.misplaced(raw.geometry.as_ref().map(|geometry| geometry.kind().broad())) {
            self.reject(number, fault);
            return Ok(());
        }
        match raw.geometry.as_ref().map_or(Validity::Simple, |geometry| validity(geometry.as_ref())) {
            Validity::Simple => {}
            Validity::Broken(place) => {
                let message = format!(
                    "the area crosses, touches or collapses on itself at {}, {}; it is kept as it is",
                    place.lon_degrees(),
                    place.lat_degrees()
                );
                warnings.push(Fault::new("self-crossing", message, "repair the area with a GIS program"));
            }
            Validity::Unchecked => {
                let message =
                    "the area is too tangled to check whether it crosses itself; it is kept as it is";
                warnings.push(Fault::new("not-checked", message, "check the area with a GIS program"));
            }
        }
        let row = Row { id: None, public_id, geometry: raw.geometry, values };
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
                self.reject(
                    number,
                    Fault::new(
                        "id-of-another-owner",
                        message,
                        "import it as that owner, or under another id",
                    ),
                );
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
        for fault in warnings {
            self.report.note(RowNote { row: number, rejected: false, fault });
        }
        Ok(())
    }

    /// The values of a row's fields, each of its type and within its bounds, and the row's time in order.
    fn values(&self, cells: Vec<(usize, Cell)>, warnings: &mut Vec<Fault>) -> Result<Vec<Value>, Fault> {
        let mut values = vec![Value::Null; self.schema.fields.len()];
        for (place, cell) in cells {
            let Some(target) = self.targets[place] else { continue };
            let field = &self.schema.fields[target];
            match self.value(cell, target) {
                Ok(value) => {
                    if let Some(fault) = below_minimum(field, &value) {
                        return Err(fault);
                    }
                    if self.answers.contains(&target) {
                        warnings.extend(no_time(&field.name, &value));
                    }
                    values[target] = value;
                }
                // One odd time costs neither the column nor the row.
                Err(fault) if self.lenient[target] => warnings.push(Fault {
                    code: "odd-time",
                    message: format!("{}; it was left out, and the row has no time there", fault.message),
                    ..fault
                }),
                Err(fault) => return Err(fault),
            }
        }
        reversed_time(&self.schema, &values).map_or(Ok(values), Err)
    }

    fn value(&self, cell: Cell, target: usize) -> Result<Value, Fault> {
        convert(cell, &self.schema.fields[target], self.schema.class == CollectionClass::Layer)
    }

    /// Why a built-in collection cannot take this kind of geometry.
    fn misplaced(&self, kind: Option<GeometryKind>) -> Option<Fault> {
        let fits = match (self.schema.geometry, kind) {
            (_, None) | (SchemaGeometry::Any, _) => true,
            (SchemaGeometry::Point, Some(kind)) => kind == GeometryKind::Point,
            (SchemaGeometry::Line, Some(kind)) => kind == GeometryKind::Line,
            (SchemaGeometry::Polygon, Some(kind)) => kind == GeometryKind::Polygon,
            (SchemaGeometry::None, Some(_)) => self.schema.class == CollectionClass::Layer,
        };
        let fix = "give the geometry that the collection's schema names";
        (!fits).then(|| {
            Fault::new(
                "geometry-kind",
                format!("{} does not take this kind of geometry", self.schema.id),
                fix,
            )
        })
    }
}

/// What is to be said of a value that says no time in a column of text that answers `datetime`.
fn no_time(field: &str, value: &Value) -> Option<Fault> {
    let (text, moment) = match value {
        Value::Text(text) if text.is_empty() => return None,
        Value::Text(text) => (text.clone(), time::parse_column_moment(text)),
        Value::Json(json) => (json.clone(), time::parse_json_moment(json)),
        Value::Null | Value::Date(_) | Value::Timestamp(_) => return None,
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => (value.as_ref().to_text(), None),
    };
    if moment.is_some() {
        return None;
    }
    let shown: String = text.chars().take(60).collect();
    let message =
        format!("{field}: {shown:?} is no time; it is kept as it is, and the row has no time there");
    Some(Fault::new(
        "odd-time",
        message,
        "give a date like 2031-03-01 or a date-time with offset like 2031-03-01T12:00:00Z",
    ))
}
