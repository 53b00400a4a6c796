//! One feature as GeoJSON, straight from the columns.
//!
//! Coordinates have at most seven decimals, as they are held; in the British National Grid three (millimetres).
//! Source: RFC 7946; OGC API - Features - Part 2 for other systems.

use crate::access::CollectionView;
use crate::access::RowGroup;
use crate::format::json::JsonPieces;
use crate::format::json::JsonWriter;
use crate::format::properties::Properties;
use crate::model::GeometryRef;
use crate::model::GeometryType;
use crate::model::Position;
use crate::model::crs::Crs;
use crate::model::crs::lon_lat_to_grid;
use crate::query::RowRef;

/// Enough for one feature with few vertices.
const ONE_ROOM: usize = 1_024;

/// Writes features of one collection.
#[derive(Debug)]
pub struct FeatureWriter<'a> {
    collection: &'a CollectionView,
    crs: Crs,
    /// Row groups that rows were written of.
    groups: Vec<Group<'a>>,
    /// Which of them was the last.
    last: usize,
}

#[derive(Debug)]
struct Group<'a> {
    place: u32,
    rows: &'a RowGroup,
    /// Positions of the rows that have one, if they are points and written as they are held.
    points: &'a [Position],
    properties: Properties<'a>,
}

impl<'a> FeatureWriter<'a> {
    /// For a collection, with positions in `crs`.
    #[must_use]
    pub fn new(collection: &'a CollectionView, crs: Crs) -> Self {
        Self { collection, crs, groups: Vec::new(), last: 0 }
    }

    /// Appends a feature; `distance_m` becomes a property, or a member beside them if a field has that name.
    pub fn feature(&mut self, out: &mut JsonWriter<'_>, at: RowRef, distance_m: Option<f64>) {
        self.write(out, at, distance_m, b"}");
    }

    /// Appends a feature without its closing brace, for members to follow.
    pub fn open_feature(&mut self, out: &mut Vec<u8>, at: RowRef) {
        self.write(&mut JsonWriter::with_room(out, ONE_ROOM), at, None, b"");
    }

    /// Rows that follow each other are mostly of one group.
    #[inline]
    fn group(&mut self, place: u32) -> usize {
        if self.groups.get(self.last).is_none_or(|group| group.place != place) {
            self.turn_to(place);
        }
        self.last
    }

    fn turn_to(&mut self, place: u32) {
        let known = self.groups.iter().position(|group| group.place == place);
        self.last = known.unwrap_or_else(|| {
            let rows: &RowGroup = &self.collection.groups()[place as usize];
            let points = if self.crs == Crs::Crs84 { rows.positions() } else { None };
            self.groups.push(Group {
                place,
                rows,
                points: points.unwrap_or_default(),
                properties: Properties::new(self.collection.schema(), rows),
            });
            self.groups.len() - 1
        });
    }

    fn write(&mut self, out: &mut JsonWriter<'_>, at: RowRef, distance_m: Option<f64>, end: &[u8]) {
        let group = self.group(at.group);
        let Group { rows: group, points, properties, .. } = &self.groups[group];
        let schema = self.collection.schema();
        let row = at.row as usize;
        // One of the two: a member of its own, or a property.
        let (mut member, mut property) = (None, None);
        if let Some(metres) = distance_m {
            let metres = Some((metres * 1e3).round() / 1e3);
            if schema.position("distance_m").is_some() { member = metres } else { property = metres }
        }
        out.write(|out| {
            out.fixed(b"{\"type\":\"Feature\",\"id\":");
            match group.public_id_place(row) {
                Some((ids, place)) if schema.numeric_ids => out.raw_text(ids, place),
                Some((ids, place)) => out.text(ids, place),
                None => out.string(&group.id(row).to_string()),
            }
            if let Some(metres) = member {
                out.apart(|out| push_distance(out, b",", metres));
            }
            if let Some(position) = points.get(row) {
                out.fixed(b",\"geometry\":{\"type\":\"Point\",\"coordinates\":[");
                out.lon_lat(*position);
                out.fixed(b"]},\"properties\":{");
            } else {
                out.fixed(b",\"geometry\":");
                match group.geometry(row) {
                    // A position may have no place in the other system: no half geometry, no invented numbers.
                    Some(geometry) => out.whole_or_null(|out| self.geometry(out, geometry)),
                    None => out.fixed(b"null"),
                }
                out.fixed(b",\"properties\":{");
            }
            properties.write(out, row);
            if let Some(metres) = property {
                let comma: &[u8] = if schema.fields.is_empty() { b"" } else { b"," };
                out.apart(|out| push_distance(out, comma, metres));
            }
            out.fixed(b"}");
            out.piece(end);
        });
    }

    fn geometry(&self, out: &mut JsonPieces<'_>, geometry: GeometryRef<'_>) -> Option<()> {
        if geometry.kind == GeometryType::Point {
            out.fixed(b"{\"type\":\"Point\",\"coordinates\":");
            self.position(out, geometry.positions[0])?;
            out.fixed(b"}");
            return Some(());
        }
        out.fixed(b"{\"type\":\"");
        out.piece(geometry.kind.geojson_name().as_bytes());
        out.fixed(b"\",\"coordinates\":");
        match geometry.kind {
            GeometryType::Point => self.position(out, geometry.positions[0])?,
            GeometryType::MultiPoint | GeometryType::LineString => self.positions(out, geometry.positions)?,
            GeometryType::MultiLineString | GeometryType::Polygon => self.rings(out, geometry)?,
            GeometryType::MultiPolygon => {
                bracketed(out, geometry.parts(), |out, part| self.rings(out, part))?;
            }
        }
        out.fixed(b"}");
        Some(())
    }

    fn rings(&self, out: &mut JsonPieces<'_>, geometry: GeometryRef<'_>) -> Option<()> {
        bracketed(out, geometry.rings(), |out, ring| self.positions(out, ring))
    }

    fn positions(&self, out: &mut JsonPieces<'_>, positions: &[Position]) -> Option<()> {
        out.apart(|out| bracketed(out, positions.iter(), |out, position| self.position(out, *position)))
    }

    #[inline]
    fn position(&self, out: &mut JsonPieces<'_>, position: Position) -> Option<()> {
        out.fixed(b"[");
        match self.crs {
            Crs::Crs84 => {
                out.lon_lat(position);
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

fn push_distance(out: &mut JsonPieces<'_>, comma: &[u8], metres: f64) {
    out.piece(comma);
    out.fixed(b"\"distance_m\":");
    out.float(metres);
}

fn bracketed<T>(
    out: &mut JsonPieces<'_>,
    members: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut JsonPieces<'_>, T) -> Option<()>,
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
