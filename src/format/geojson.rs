//! One feature as GeoJSON, straight from the columns.
//!
//! Coordinates have at most seven decimals, as they are held; in the British National Grid three (millimetres).
//! Source: RFC 7946; OGC API - Features - Part 2 for other systems.

use std::cell::RefCell;
use std::sync::Arc;

use crate::access::CollectionView;
use crate::access::Column;
use crate::access::RowGroup;
use crate::access::TextColumn;
use crate::format::json::JsonWriter;
use crate::format::json::Slot;
use crate::model::CollectionSchema;
use crate::model::FieldType;
use crate::model::Position;
use crate::model::ShapeKind;
use crate::model::ShapeRef;
use crate::model::ValueRef;
use crate::model::crs::Crs;
use crate::model::crs::lon_lat_to_grid;
use crate::query::RowRef;

/// Writes features of one collection.
#[derive(Debug)]
pub struct FeatureWriter {
    /// Keys of the properties as they are written, with a comma before all but the first.
    keys: Vec<Key>,
    numeric_ids: bool,
    crs: Crs,
    distance_is_taken: bool,
    /// Pieces of the row group that was written last, by its serial number.
    pieces: RefCell<(u64, Arc<Pieces>)>,
}

/// A key of a property; short ones are copied in one go.
#[derive(Debug)]
struct Key {
    text: Vec<u8>,
    slot: Option<Slot>,
}

/// Keys with values of a row group, ready to be copied: for each field whose dictionary is small, one by code.
#[derive(Debug, Default)]
struct Pieces(Vec<Vec<Option<Slot>>>);

impl Pieces {
    fn of(group: &RowGroup, keys: &[Key]) -> Arc<Self> {
        group.derive(|group| {
            let fields = keys.iter().enumerate().map(|(field, key)| match group.column(field) {
                Some(Column::Text(FieldType::Text, TextColumn::Dict8(_, texts), _)) => (0..texts.len())
                    .map(|place| {
                        let mut piece = key.text.clone();
                        push_json_text(&mut piece, texts.get(place));
                        Slot::new(&piece)
                    })
                    .collect(),
                _ => Vec::new(),
            });
            Self(fields.collect())
        })
    }
}

impl FeatureWriter {
    /// For a collection, with positions in `crs`.
    #[must_use]
    pub fn new(schema: &CollectionSchema, crs: Crs) -> Self {
        let key = |place: usize, name: &str| {
            let mut text = if place > 0 { vec![b','] } else { Vec::new() };
            push_json_text(&mut text, name);
            text.push(b':');
            Key { slot: Slot::new(&text), text }
        };
        let fields = schema.fields.iter().enumerate();
        Self {
            keys: fields.map(|(place, field)| key(place, &field.name)).collect(),
            numeric_ids: schema.numeric_ids,
            crs,
            distance_is_taken: schema.position("distance_m").is_some(),
            // Serial numbers begin at 1.
            pieces: RefCell::new((0, Arc::default())),
        }
    }

    /// Appends a feature; `distance_m` becomes a property, or a member beside them if a field has that name.
    pub fn feature(
        &self,
        out: &mut JsonWriter<'_>,
        collection: &CollectionView,
        at: RowRef,
        distance_m: Option<f64>,
    ) {
        self.open(out, collection, at, distance_m);
        out.fixed(b"}");
    }

    /// Appends a feature without its closing brace, for members to follow.
    pub fn open_feature(&self, out: &mut Vec<u8>, collection: &CollectionView, at: RowRef) {
        self.open(&mut JsonWriter::new(out), collection, at, None);
    }

    fn open(
        &self,
        out: &mut JsonWriter<'_>,
        collection: &CollectionView,
        at: RowRef,
        distance_m: Option<f64>,
    ) {
        let group = &collection.groups()[at.group as usize];
        let row = at.row as usize;
        out.fixed(b"{\"type\":\"Feature\",\"id\":");
        match group.public_id_place(row) {
            Some((ids, place)) if self.numeric_ids => out.raw_text(ids, place),
            Some((ids, place)) => out.text(ids, place),
            None => out.string(&group.id(row).to_string()),
        }
        let distance_m = distance_m.map(|metres| (metres * 1e3).round() / 1e3);
        if let Some(metres) = distance_m.filter(|_| self.distance_is_taken) {
            out.fixed(b",\"distance_m\":");
            out.float(metres);
        }
        out.fixed(b",\"geometry\":");
        match group.shape(row) {
            Some(shape) => self.geometry(out, shape),
            None => out.fixed(b"null"),
        }
        out.fixed(b",\"properties\":{");
        let mut known = self.pieces.borrow_mut();
        if known.0 != group.serial() {
            *known = (group.serial(), Pieces::of(group, &self.keys));
        }
        for (field, (key, pieces)) in self.keys.iter().zip(&known.1.0).enumerate() {
            property(out, key, pieces, group.column(field), row);
        }
        if let Some(metres) = distance_m.filter(|_| !self.distance_is_taken) {
            if !self.keys.is_empty() {
                out.fixed(b",");
            }
            out.fixed(b"\"distance_m\":");
            out.float(metres);
        }
        out.fixed(b"}");
    }

    fn geometry(&self, out: &mut JsonWriter<'_>, shape: ShapeRef<'_>) {
        if self.crs != Crs::Crs84 {
            // A position may have no place in the other system: no half geometry, no invented numbers.
            let mut text = Vec::new();
            let written = self.geometry_in(&mut JsonWriter::new(&mut text), shape);
            return out.piece(if written.is_some() { &text } else { b"null" });
        }
        // Every position has its degrees.
        let _ = self.geometry_in(out, shape);
    }

    fn geometry_in(&self, out: &mut JsonWriter<'_>, shape: ShapeRef<'_>) -> Option<()> {
        if shape.kind == ShapeKind::Point {
            out.fixed(b"{\"type\":\"Point\",\"coordinates\":");
            self.position(out, shape.positions[0])?;
            out.fixed(b"}");
            return Some(());
        }
        out.fixed(b"{\"type\":\"");
        out.piece(shape.kind.geojson_name().as_bytes());
        out.fixed(b"\",\"coordinates\":");
        match shape.kind {
            ShapeKind::Point => self.position(out, shape.positions[0])?,
            ShapeKind::MultiPoint | ShapeKind::LineString => self.positions(out, shape.positions)?,
            ShapeKind::MultiLineString | ShapeKind::Polygon => self.rings(out, shape)?,
            ShapeKind::MultiPolygon => bracketed(out, shape.parts(), |out, part| self.rings(out, part))?,
        }
        out.fixed(b"}");
        Some(())
    }

    fn rings(&self, out: &mut JsonWriter<'_>, shape: ShapeRef<'_>) -> Option<()> {
        bracketed(out, shape.rings(), |out, ring| self.positions(out, ring))
    }

    fn positions(&self, out: &mut JsonWriter<'_>, positions: &[Position]) -> Option<()> {
        bracketed(out, positions.iter(), |out, position| self.position(out, *position))
    }

    #[inline]
    fn position(&self, out: &mut JsonWriter<'_>, position: Position) -> Option<()> {
        out.fixed(b"[");
        match self.crs {
            Crs::Crs84 => {
                out.degrees(position.lon);
                out.fixed(b",");
                out.degrees(position.lat);
            }
            Crs::BritishNationalGrid => {
                let (easting, northing) = lon_lat_to_grid(position.lon_degrees(), position.lat_degrees())?;
                out.piece(format!("{easting:.3},{northing:.3}").as_bytes());
            }
            Crs::WebMercator => return None,
        }
        out.fixed(b"]");
        Some(())
    }
}

/// Appends a property: its key and the value of a row.
#[inline]
fn property(
    out: &mut JsonWriter<'_>,
    key: &Key,
    pieces: &[Option<Slot>],
    column: Option<&Column>,
    row: usize,
) {
    if let Some(Column::Text(_, TextColumn::Dict8(codes, _), nulls)) = column
        && let Some(Some(piece)) = pieces.get(usize::from(codes[row]))
        && !nulls.is_null(row)
    {
        return out.slot(piece);
    }
    match &key.slot {
        Some(slot) => out.slot(slot),
        None => out.piece(&key.text),
    }
    match column {
        Some(Column::Text(FieldType::Text, texts, nulls)) if !nulls.is_null(row) => {
            let (texts, place) = texts.place(row);
            out.text(texts, place);
        }
        Some(column) => push_json_value(out, column.get(row)),
        None => out.fixed(b"null"),
    }
}

fn bracketed<T>(
    out: &mut JsonWriter<'_>,
    members: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut JsonWriter<'_>, T) -> Option<()>,
) -> Option<()> {
    out.fixed(b"[");
    for (place, member) in members.enumerate() {
        if place > 0 {
            out.fixed(b",");
        }
        write(out, member)?;
    }
    out.fixed(b"]");
    Some(())
}

/// Appends a value as JSON.
#[inline]
fn push_json_value(out: &mut JsonWriter<'_>, value: ValueRef<'_>) {
    match value {
        ValueRef::Bool(true) => out.fixed(b"true"),
        ValueRef::Bool(false) => out.fixed(b"false"),
        ValueRef::Int(value) => out.int(value),
        // No import lets NaN or infinity in; JSON could not say them.
        ValueRef::Float(value) => out.float(value),
        ValueRef::Null => out.fixed(b"null"),
        ValueRef::Text(text) => out.string(text),
        // Checked and compacted at import.
        ValueRef::Json(json) => out.piece(json.as_bytes()),
        ValueRef::Date(days) => out.date(days),
        ValueRef::Timestamp(micros) => out.instant(micros),
    }
}

/// Appends a text as a JSON string.
pub fn push_json_text(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    // Most texts have nothing to escape; without a way out early the compiler looks at many bytes at once.
    if bytes.iter().fold(false, |any, byte| any | needs_escape(*byte)) {
        push_escaped(out, bytes);
    } else {
        out.extend_from_slice(bytes);
    }
    out.push(b'"');
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    let mut plain = 0;
    for (place, byte) in text.iter().enumerate().filter(|(_, byte)| needs_escape(**byte)) {
        out.extend_from_slice(&text[plain..place]);
        plain = place + 1;
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            _ => {
                out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                continue;
            }
        };
        out.extend_from_slice(escape);
    }
    out.extend_from_slice(&text[plain..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_read_back(text in ".*") {
            let mut out = Vec::new();
            push_json_text(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
