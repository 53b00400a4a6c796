//! The second pass over a file: converts each row to the values of the schema and appends it to the store, or notes in
//! the report why not.

use std::path::Path;
use std::sync::Arc;

use crate::import::CellValue;
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

/// The state of the second pass.
struct Taking<'c> {
    appender: Appender<'c>,
    schema: CollectionSchema,
    identifier: Option<usize>,
    /// The field of each column of the file; `None` where a built-in collection has no such field.
    targets: Vec<Option<usize>>,
    /// The schema of a built-in collection, with its computed fields and geometry. Exports contain these, so columns and
    /// geometries of that kind are ignored.
    described: Option<CollectionSchema>,
    /// For each field, whether a value that is not a time is left out (with a warning) instead of rejecting the row.
    lenient: Vec<bool>,
    /// The fields that `datetime` is compared with.
    answers: Vec<usize>,
    /// The hubs and towns of the store, if the collection is `legs`.
    ends: Option<KnownEnds>,
    report: ImportReport,
    /// Codes of warnings that hold for the whole file and are in the report already.
    noted: Vec<&'static str>,
}

/// Reads the file again and appends all rows that can be imported. `times` names the file's columns that hold times.
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
    // The schemas of built-in collections say which fields are times.
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
        noted: Vec::new(),
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
                    "the polygon crosses, touches or collapses on itself at {}, {}; it was imported unchanged",
                    place.lon_degrees(),
                    place.lat_degrees()
                );
                warnings.push(Fault::new("self-crossing", message, "repair the polygon with a GIS program"));
            }
            Validity::Unchecked => {
                let message = "the polygon is too complex to check whether it crosses itself; it was imported unchanged";
                warnings.push(Fault::new("not-checked", message, "check the polygon with a GIS program"));
            }
        }
        let row = Row { id: None, public_id, geometry: raw.geometry, values };
        let outcome = self.appender.append(&row)?;
        let id = row.public_id.unwrap_or_default();
        match outcome {
            Appended::Added | Appended::Changed => {}
            Appended::Unchanged => self.report.unchanged += 1,
            Appended::DuplicateId => {
                let message = format!("an earlier row of this file has the id {id:?}");
                self.reject(number, Fault::new("duplicate-id", message, "give every row an id of its own"));
                return Ok(());
            }
            Appended::OtherOwner => {
                let message = format!("a row of another owner has the id {id:?}");
                self.reject(
                    number,
                    Fault::new(
                        "id-of-another-owner",
                        message,
                        "import the row as that owner, or give it another id",
                    ),
                );
                return Ok(());
            }
        }
        self.report.accepted += 1;
        // A warning that holds for the whole file is noted once.
        warnings.retain(|warning| {
            let once = matches!(warning.code, "height-dropped" | "blob" | "name");
            let is_noted = self.noted.contains(&warning.code);
            if once && !is_noted {
                self.noted.push(warning.code);
            }
            !(once && is_noted)
        });
        self.report.warned += u64::from(!warnings.is_empty());
        for fault in warnings {
            self.report.note(RowNote { row: number, rejected: false, fault });
        }
        Ok(())
    }

    /// The values of a row's fields: each has its field's type and is not below the minimum, and the row's time does not end
    /// before it begins.
    fn values(&self, cells: Vec<(usize, CellValue)>, warnings: &mut Vec<Fault>) -> Result<Vec<Value>, Fault> {
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
                // A value that is not a time is left out; the row is imported without it.
                Err(fault) if self.lenient[target] => warnings.push(Fault {
                    code: "odd-time",
                    message: format!(
                        "{}; the value was left out, so the row has no time in this field",
                        fault.message
                    ),
                    ..fault
                }),
                Err(fault) => return Err(fault),
            }
        }
        reversed_time(&self.schema, &values).map_or(Ok(values), Err)
    }

    fn value(&self, cell: CellValue, target: usize) -> Result<Value, Fault> {
        convert(cell, &self.schema.fields[target], self.schema.class == CollectionClass::Layer)
    }

    /// The reason why the collection cannot hold this kind of geometry; `None` if it can.
    fn misplaced(&self, kind: Option<GeometryKind>) -> Option<Fault> {
        let fits = match (self.schema.geometry, kind) {
            (_, None) | (SchemaGeometry::Any, _) => true,
            (SchemaGeometry::Point, Some(kind)) => kind == GeometryKind::Point,
            (SchemaGeometry::Line, Some(kind)) => kind == GeometryKind::Line,
            (SchemaGeometry::Polygon, Some(kind)) => kind == GeometryKind::Polygon,
            (SchemaGeometry::None, Some(_)) => self.schema.class == CollectionClass::Layer,
        };
        let fix = "give the kind of geometry that the collection's schema names";
        (!fits).then(|| {
            Fault::new(
                "geometry-kind",
                format!("{} does not hold geometries of this kind", self.schema.id),
                fix,
            )
        })
    }
}

/// The warning about a value that is not a time, in a text field that `datetime` is compared with.
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
    let message = format!(
        "{field}: {shown:?} is not a time; the value was imported, but the row has no time in this field"
    );
    Some(Fault::new(
        "odd-time",
        message,
        "give a date like 2031-03-01 or a date-time with offset like 2031-03-01T12:00:00Z",
    ))
}
