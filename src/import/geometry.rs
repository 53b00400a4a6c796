//! Converts GeoJSON geometries to the model's and checks every position.

use geojson::GeometryValue;

use crate::import::geojson::height_dropped;
use crate::import::report::Fault;
use crate::model::Geometry;
use crate::model::GeometryType;
use crate::model::crs::Crs;
use crate::model::geometry::GeometryBuilder;
use crate::model::geometry::GeometryFault;

/// Converts a GeoJSON geometry with coordinates in `crs`; `None` if it is empty.
///
/// # Errors
/// [`GeometryFault`] for a geometry collection or a position or ring that is not valid.
pub(super) fn from_geojson(
    value: &GeometryValue,
    crs: Crs,
    warnings: &mut Vec<Fault>,
) -> Result<Option<Geometry>, GeometryFault> {
    let kind = match value {
        GeometryValue::Point { .. } => GeometryType::Point,
        GeometryValue::MultiPoint { .. } => GeometryType::MultiPoint,
        GeometryValue::LineString { .. } => GeometryType::LineString,
        GeometryValue::MultiLineString { .. } => GeometryType::MultiLineString,
        GeometryValue::Polygon { .. } => GeometryType::Polygon,
        GeometryValue::MultiPolygon { .. } => GeometryType::MultiPolygon,
        GeometryValue::GeometryCollection { .. } => {
            return Err(GeometryFault::Unsupported("GeometryCollection".to_owned()));
        }
    };
    let mut builder = GeometryBuilder::new(kind);
    let mut dropped = false;
    let mut ring = |builder: &mut GeometryBuilder,
                    positions: &[geojson::Position]|
     -> Result<(), GeometryFault> {
        if positions.is_empty() {
            return Ok(());
        }
        for position in positions {
            let numbers = position.as_slice();
            let (Some(x), Some(y)) = (numbers.first(), numbers.get(1)) else {
                return Err(GeometryFault::ShortPosition);
            };
            dropped |= numbers.len() > 2;
            let (lon, lat) = crs.to_lon_lat(*x, *y).ok_or(GeometryFault::OutOfRange { lon: *x, lat: *y })?;
            builder.position(lon, lat)?;
        }
        builder.end_ring()
    };
    match value {
        GeometryValue::Point { coordinates } => {
            // An empty array is an empty point.
            if !coordinates.as_slice().is_empty() {
                ring(&mut builder, std::slice::from_ref(coordinates))?;
            }
            builder.end_part();
        }
        GeometryValue::MultiPoint { coordinates } => {
            for position in coordinates {
                ring(&mut builder, std::slice::from_ref(position))?;
                builder.end_part();
            }
        }
        GeometryValue::LineString { coordinates } => {
            ring(&mut builder, coordinates)?;
            builder.end_part();
        }
        GeometryValue::MultiLineString { coordinates } => {
            for line in coordinates {
                ring(&mut builder, line)?;
                builder.end_part();
            }
        }
        GeometryValue::Polygon { coordinates } => {
            for positions in coordinates {
                ring(&mut builder, positions)?;
            }
            builder.end_part();
        }
        GeometryValue::MultiPolygon { coordinates } => {
            for polygon in coordinates {
                for positions in polygon {
                    ring(&mut builder, positions)?;
                }
                builder.end_part();
            }
        }
        GeometryValue::GeometryCollection { .. } => {}
    }
    if dropped {
        warnings.push(height_dropped());
    }
    Ok(builder.finish())
}
