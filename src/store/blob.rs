//! Geometry as `GeoPackage` binary: a small header, then well-known binary.
//!
//! In: bytes of any origin, or a [`Geometry`]. Out: the other. Sizes in the bytes are believed only as far as the
//! bytes reach. Source: OGC `GeoPackage` 1.3, clause 2.1.3; OGC Simple Features, clause 8.2.

use crate::model::Position;
use crate::model::crs::Crs;
use crate::model::geometry::Bounds;
use crate::model::geometry::Geometry;
use crate::model::geometry::GeometryBuilder;
use crate::model::geometry::GeometryFault;
use crate::model::geometry::GeometryRef;
use crate::model::geometry::GeometryType;

/// A geometry read from bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The geometry; `None` if it is empty.
    pub geometry: Option<Geometry>,
    /// Whether heights or measures were left out.
    pub dropped_dimensions: bool,
}

/// The bytes of a geometry in WGS 84, with an envelope unless it is a point.
#[must_use]
pub fn encode_geometry(geometry: GeometryRef<'_>) -> Vec<u8> {
    let point = geometry.kind == GeometryType::Point;
    let mut out = Vec::with_capacity(64 + geometry.positions.len() * 16);
    out.extend_from_slice(b"GP\0");
    out.push(if point { 0b0000_0001 } else { 0b0000_0011 });
    out.extend_from_slice(&4326_i32.to_le_bytes());
    if !point {
        push_envelope(&mut out, &geometry.bounds());
    }
    match geometry.kind {
        GeometryType::Point | GeometryType::LineString | GeometryType::Polygon => {
            push_single(&mut out, geometry, geometry.kind);
        }
        GeometryType::MultiPoint => push_multi(&mut out, geometry, GeometryType::Point),
        GeometryType::MultiLineString => push_multi(&mut out, geometry, GeometryType::LineString),
        GeometryType::MultiPolygon => push_multi(&mut out, geometry, GeometryType::Polygon),
    }
    out
}

fn push_envelope(out: &mut Vec<u8>, bounds: &Bounds) {
    for units in [bounds.west, bounds.east, bounds.south, bounds.north] {
        out.extend_from_slice(&(f64::from(units) / 1e7).to_le_bytes());
    }
}

fn push_multi(out: &mut Vec<u8>, geometry: GeometryRef<'_>, member: GeometryType) {
    out.push(1);
    out.extend_from_slice(&(geometry.kind as u32).to_le_bytes());
    out.extend_from_slice(&(geometry.part_ends.len() as u32).to_le_bytes());
    for part in geometry.parts() {
        push_single(out, part, member);
    }
}

fn push_single(out: &mut Vec<u8>, geometry: GeometryRef<'_>, kind: GeometryType) {
    out.push(1);
    out.extend_from_slice(&(kind as u32).to_le_bytes());
    if kind == GeometryType::Polygon {
        out.extend_from_slice(&(geometry.ring_ends.len() as u32).to_le_bytes());
    }
    for ring in geometry.rings() {
        if kind != GeometryType::Point {
            out.extend_from_slice(&(ring.len() as u32).to_le_bytes());
        }
        for position in ring {
            out.extend_from_slice(&position.lon_degrees().to_le_bytes());
            out.extend_from_slice(&position.lat_degrees().to_le_bytes());
        }
    }
}

/// The position of a point as [`encode_geometry`] writes one; `None` for any other bytes.
pub(super) fn decode_point(bytes: &[u8]) -> Option<Position> {
    let coordinates = bytes.strip_prefix(b"GP\0\x01\xe6\x10\0\0\x01\x01\0\0\0")?;
    let (lon, lat) = coordinates.split_first_chunk::<8>()?;
    let position = Position::from_degrees(f64::from_le_bytes(*lon), f64::from_le_bytes(lat.try_into().ok()?));
    position.ok()
}

/// Reads `GeoPackage` binary whose coordinates are in `crs`.
///
/// # Errors
/// [`GeometryFault`]: malformed bytes, unsupported types, or a geometry that breaks a rule.
pub fn decode_geometry(bytes: &[u8], crs: Crs) -> Result<Decoded, GeometryFault> {
    let header = bytes.get(..8).ok_or_else(|| malformed("shorter than a header"))?;
    if &header[..2] != b"GP" {
        return Err(malformed("no GeoPackage header"));
    }
    let flags = header[3];
    if flags & 0b0010_0000 != 0 {
        return Err(GeometryFault::Unsupported("extended GeoPackage geometry".to_owned()));
    }
    let envelope = match (flags >> 1) & 0b111 {
        0 => 0,
        1 => 32,
        2 | 3 => 48,
        4 => 64,
        _ => return Err(malformed("unknown envelope")),
    };
    let body = bytes.get(8 + envelope..).ok_or_else(|| malformed("shorter than its envelope"))?;
    let mut cursor = Cursor { bytes: body, little: true, crs, dropped: false };
    let (kind, dimensions) = cursor.head()?;
    let mut builder = GeometryBuilder::new(kind);
    let member = match kind {
        GeometryType::MultiPoint => Some(GeometryType::Point),
        GeometryType::MultiLineString => Some(GeometryType::LineString),
        GeometryType::MultiPolygon => Some(GeometryType::Polygon),
        GeometryType::Point | GeometryType::LineString | GeometryType::Polygon => None,
    };
    match member {
        None => cursor.single(kind, dimensions, &mut builder)?,
        Some(member) => {
            for _ in 0..cursor.u32()? {
                let (kind, dimensions) = cursor.head()?;
                if kind != member {
                    return Err(malformed("a member of the wrong type"));
                }
                cursor.single(kind, dimensions, &mut builder)?;
            }
        }
    }
    Ok(Decoded { geometry: builder.finish(), dropped_dimensions: cursor.dropped })
}

fn malformed(reason: &str) -> GeometryFault {
    GeometryFault::Malformed(reason.to_owned())
}

struct Cursor<'a> {
    bytes: &'a [u8],
    little: bool,
    crs: Crs,
    dropped: bool,
}

impl Cursor<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], GeometryFault> {
        let (head, rest) =
            self.bytes.split_first_chunk::<N>().ok_or_else(|| malformed("the bytes end early"))?;
        self.bytes = rest;
        Ok(*head)
    }

    fn u32(&mut self) -> Result<u32, GeometryFault> {
        let bytes = self.take()?;
        Ok(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn f64(&mut self) -> Result<f64, GeometryFault> {
        let bytes = self.take()?;
        Ok(if self.little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) })
    }

    /// Byte order, type and number of dimensions: ISO codes (1001, 2001, 3001) and the older high bits.
    fn head(&mut self) -> Result<(GeometryType, usize), GeometryFault> {
        self.little = match self.take::<1>()?[0] {
            0 => false,
            1 => true,
            _ => return Err(malformed("unknown byte order")),
        };
        let code = self.u32()?;
        let (flags, code) = (code & 0xE000_0000, code & 0x1FFF_FFFF);
        let extra = match code / 1_000 {
            0 => usize::from(flags & 0x8000_0000 != 0) + usize::from(flags & 0x4000_0000 != 0),
            1 | 2 => 1,
            3 => 2,
            _ => return Err(GeometryFault::Unsupported(format!("WKB type {code}"))),
        };
        if flags & 0x2000_0000 != 0 {
            self.u32()?;
        }
        self.dropped |= extra > 0;
        let kind = GeometryType::from_code(code % 1_000)
            .ok_or_else(|| GeometryFault::Unsupported(format!("WKB type {code}")))?;
        Ok((kind, 2 + extra))
    }

    fn single(
        &mut self,
        kind: GeometryType,
        dimensions: usize,
        builder: &mut GeometryBuilder,
    ) -> Result<(), GeometryFault> {
        match kind {
            GeometryType::Point => {
                // An empty point is a point of NaNs.
                if self.position(dimensions, builder, true)? {
                    builder.end_ring()?;
                }
            }
            GeometryType::LineString => self.ring(dimensions, builder)?,
            _ => {
                for _ in 0..self.u32()? {
                    self.ring(dimensions, builder)?;
                }
            }
        }
        builder.end_part();
        Ok(())
    }

    fn ring(&mut self, dimensions: usize, builder: &mut GeometryBuilder) -> Result<(), GeometryFault> {
        let count = self.u32()?;
        for _ in 0..count {
            self.position(dimensions, builder, false)?;
        }
        if count > 0 { builder.end_ring() } else { Ok(()) }
    }

    fn position(
        &mut self,
        dimensions: usize,
        builder: &mut GeometryBuilder,
        may_be_empty: bool,
    ) -> Result<bool, GeometryFault> {
        let (x, y) = (self.f64()?, self.f64()?);
        for _ in 2..dimensions {
            self.f64()?;
        }
        if may_be_empty && x.is_nan() && y.is_nan() {
            return Ok(false);
        }
        if !x.is_finite() || !y.is_finite() {
            return Err(GeometryFault::NotFinite);
        }
        let (lon, lat) = self.crs.to_lon_lat(x, y).ok_or(GeometryFault::OutOfRange { lon: x, lat: y })?;
        builder.position(lon, lat)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn multipolygon() -> Geometry {
        let mut geometry = GeometryBuilder::new(GeometryType::MultiPolygon);
        for offset in [0.0, 20.0] {
            for inset in [0.0, 2.0] {
                for (x, y) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)] {
                    let size = 10.0 - 2.0 * inset;
                    geometry.position(offset + inset + x * size, inset + y * size).unwrap();
                }
                geometry.end_ring().unwrap();
            }
            geometry.end_part();
        }
        geometry.finish().unwrap()
    }

    #[test]
    fn areas_survive() {
        let geometry = multipolygon();
        let bytes = encode_geometry(geometry.as_ref());
        assert_eq!(decode_geometry(&bytes, Crs::Crs84).unwrap().geometry.unwrap(), geometry);
    }

    #[test]
    fn points_survive_both_ways() {
        let point = Geometry::point(Position { lon: -1_234_567, lat: 523_456_789 });
        let bytes = encode_geometry(point.as_ref());
        assert_eq!(decode_point(&bytes), Some(point.as_ref().positions[0]));
        assert_eq!(decode_geometry(&bytes, Crs::Crs84).unwrap().geometry, Some(point));
        assert_eq!(decode_point(&encode_geometry(multipolygon().as_ref())), None);
    }

    #[test]
    fn heights_are_dropped_and_said_so() {
        let mut bytes = b"GP\0\x01\xe6\x10\0\0\x01".to_vec();
        bytes.extend_from_slice(&1001_u32.to_le_bytes());
        for value in [1.5_f64, 52.0, 99.0] {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        let decoded = decode_geometry(&bytes, Crs::Crs84).unwrap();
        assert!(decoded.dropped_dimensions);
        assert_eq!(decoded.geometry.unwrap().as_ref().positions[0].lon, 15_000_000);
    }

    #[test]
    fn a_count_of_billions_in_a_short_blob_is_an_error() {
        let mut bytes = b"GP\0\x01\xe6\x10\0\0\x01".to_vec();
        bytes.extend_from_slice(&2_u32.to_le_bytes());
        bytes.extend_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(decode_geometry(&bytes, Crs::Crs84), Err(GeometryFault::Malformed(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut framed = b"GP\0\x01\xe6\x10\0\0".to_vec();
            framed.extend_from_slice(&bytes);
            let _ = decode_geometry(&framed, Crs::Crs84);
            let _ = decode_geometry(&bytes, Crs::Crs84);
        }
    }
}
