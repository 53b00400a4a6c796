//! One feature as GeoJSON, straight from the columns.
//!
//! Coordinates have at most seven decimals, as they are held; in the British National Grid three (millimetres).
//! Source: RFC 7946; OGC API - Features - Part 2 for other systems.

use crate::access::CollectionView;
use crate::model::CollectionSchema;
use crate::model::Position;
use crate::model::ShapeKind;
use crate::model::ShapeRef;
use crate::model::ValueRef;
use crate::model::crs::Crs;
use crate::model::crs::lon_lat_to_grid;
use crate::model::feature::format_number;
use crate::model::feature::push_number;
use crate::model::time;
use crate::query::RowRef;

/// Writes features of one collection.
#[derive(Debug)]
pub struct FeatureWriter {
    /// Keys of the properties as they are written, with a comma before all but the first.
    keys: Vec<Vec<u8>>,
    numeric_ids: bool,
    crs: Crs,
    distance_is_taken: bool,
}

impl FeatureWriter {
    /// For a collection, with positions in `crs`.
    #[must_use]
    pub fn new(schema: &CollectionSchema, crs: Crs) -> Self {
        let key = |place: usize, name: &str| {
            let mut key = Vec::with_capacity(name.len() + 4);
            if place > 0 {
                key.push(b',');
            }
            push_json_text(&mut key, name);
            key.push(b':');
            key
        };
        Self {
            keys: schema.fields.iter().enumerate().map(|(place, field)| key(place, &field.name)).collect(),
            numeric_ids: schema.numeric_ids,
            crs,
            distance_is_taken: schema.position("distance_m").is_some(),
        }
    }

    /// Appends a feature; `distance_m` becomes a property, or a member beside them if a field has that name.
    pub fn feature(
        &self,
        out: &mut Vec<u8>,
        collection: &CollectionView,
        at: RowRef,
        distance_m: Option<f64>,
    ) {
        self.open(out, collection, at);
        self.members(out, collection, at, distance_m);
        out.push(b'}');
    }

    /// Appends a feature without its closing brace, for members to follow.
    pub fn open_feature(&self, out: &mut Vec<u8>, collection: &CollectionView, at: RowRef) {
        self.open(out, collection, at);
        self.members(out, collection, at, None);
    }

    fn open(&self, out: &mut Vec<u8>, collection: &CollectionView, at: RowRef) {
        let group = &collection.groups()[at.group as usize];
        let row = at.row as usize;
        out.extend_from_slice(b"{\"type\":\"Feature\",\"id\":");
        match group.public_id(row) {
            Some(id) if self.numeric_ids => out.extend_from_slice(id.as_bytes()),
            Some(id) => push_json_text(out, id),
            None => push_json_text(out, &group.id(row).to_string()),
        }
    }

    fn members(&self, out: &mut Vec<u8>, collection: &CollectionView, at: RowRef, distance_m: Option<f64>) {
        let group = &collection.groups()[at.group as usize];
        let row = at.row as usize;
        let distance = distance_m
            .map(|metres| format!("\"distance_m\":{}", format_number((metres * 1e3).round() / 1e3)));
        if let Some(distance) = distance.as_ref().filter(|_| self.distance_is_taken) {
            out.push(b',');
            out.extend_from_slice(distance.as_bytes());
        }
        out.extend_from_slice(b",\"geometry\":");
        match group.shape(row) {
            Some(shape) => self.geometry(out, shape),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"properties\":{");
        for (field, key) in self.keys.iter().enumerate() {
            out.extend_from_slice(key);
            push_json_value(out, group.value(field, row));
        }
        if let Some(distance) = distance.filter(|_| !self.distance_is_taken) {
            if !self.keys.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(distance.as_bytes());
        }
        out.push(b'}');
    }

    fn geometry(&self, out: &mut Vec<u8>, shape: ShapeRef<'_>) {
        let start = out.len();
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(shape.kind.geojson_name().as_bytes());
        out.extend_from_slice(b"\",\"coordinates\":");
        let written = match shape.kind {
            ShapeKind::Point => self.position(out, shape.positions[0]),
            ShapeKind::MultiPoint | ShapeKind::LineString => self.positions(out, shape.positions),
            ShapeKind::MultiLineString | ShapeKind::Polygon => self.rings(out, shape),
            ShapeKind::MultiPolygon => bracketed(out, shape.parts(), |out, part| self.rings(out, part)),
        };
        out.push(b'}');
        if written.is_none() {
            // A position has no place in the other system: no half geometry, no invented numbers.
            out.truncate(start);
            out.extend_from_slice(b"null");
        }
    }

    fn rings(&self, out: &mut Vec<u8>, shape: ShapeRef<'_>) -> Option<()> {
        bracketed(out, shape.rings(), |out, ring| self.positions(out, ring))
    }

    fn positions(&self, out: &mut Vec<u8>, positions: &[Position]) -> Option<()> {
        bracketed(out, positions.iter(), |out, position| self.position(out, *position))
    }

    fn position(&self, out: &mut Vec<u8>, position: Position) -> Option<()> {
        out.push(b'[');
        match self.crs {
            Crs::Crs84 => {
                push_degrees(out, position.lon);
                out.push(b',');
                push_degrees(out, position.lat);
            }
            Crs::BritishNationalGrid => {
                let (easting, northing) = lon_lat_to_grid(position.lon_degrees(), position.lat_degrees())?;
                out.extend_from_slice(format!("{easting:.3},{northing:.3}").as_bytes());
            }
            Crs::WebMercator => return None,
        }
        out.push(b']');
        Some(())
    }
}

fn bracketed<T>(
    out: &mut Vec<u8>,
    members: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T) -> Option<()>,
) -> Option<()> {
    out.push(b'[');
    for (place, member) in members.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        write(out, member)?;
    }
    out.push(b']');
    Some(())
}

/// Appends units of 1e-7 degree as the shortest decimal number of degrees.
fn push_degrees(out: &mut Vec<u8>, units: i32) {
    let magnitude = units.unsigned_abs();
    // A sign, three digits, a point and seven digits at most.
    let mut text = [0_u8; 12];
    let mut start = text.len();
    let mut rest = magnitude % 10_000_000;
    if rest > 0 {
        let mut places = 7;
        while rest.is_multiple_of(10) {
            rest /= 10;
            places -= 1;
        }
        for _ in 0..places {
            start -= 1;
            text[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        start -= 1;
        text[start] = b'.';
    }
    let mut whole = magnitude / 10_000_000;
    loop {
        start -= 1;
        text[start] = b'0' + (whole % 10) as u8;
        whole /= 10;
        if whole == 0 {
            break;
        }
    }
    if units < 0 {
        start -= 1;
        text[start] = b'-';
    }
    out.extend_from_slice(&text[start..]);
}

/// Appends a value as JSON.
fn push_json_value(out: &mut Vec<u8>, value: ValueRef<'_>) {
    match value {
        ValueRef::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        ValueRef::Int(value) => out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
        ValueRef::Float(value) if value.is_finite() => push_number(out, value),
        // No import lets NaN or infinity in; JSON could not say them.
        ValueRef::Null | ValueRef::Float(_) => out.extend_from_slice(b"null"),
        ValueRef::Text(text) => push_json_text(out, text),
        // Checked and compacted at import.
        ValueRef::Json(json) => out.extend_from_slice(json.as_bytes()),
        ValueRef::Date(days) => quoted(out, |out| time::push_date(out, days)),
        ValueRef::Timestamp(micros) => quoted(out, |out| time::push_instant(out, micros)),
    }
}

fn quoted(out: &mut Vec<u8>, push: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    push(out);
    out.push(b'"');
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

        #[test]
        fn degrees_read_back(units in -1_800_000_000_i32..=1_800_000_000) {
            let mut out = Vec::new();
            push_degrees(&mut out, units);
            let degrees: f64 = String::from_utf8(out).unwrap().parse().unwrap();
            prop_assert_eq!((degrees * 1e7).round() as i32, units);
        }

        #[test]
        fn numbers_read_back_to_the_bit(value in proptest::num::f64::NORMAL | proptest::num::f64::ZERO | proptest::num::f64::SUBNORMAL) {
            let mut out = Vec::new();
            push_json_value(&mut out, ValueRef::Float(value));
            prop_assert_eq!(serde_json::from_slice::<f64>(&out).unwrap().to_bits(), value.to_bits());
        }
    }
}
