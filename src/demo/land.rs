//! Decides whether a position is on land, by the edges of the committed coast, sorted into bands of latitude.

use serde_json::Value;

use crate::demo::DemoError;
use crate::model::Position;

const LAND: &str = include_str!("../../data/reference/land.topojson");
/// The least and greatest latitude of the coast in degrees, and the number of bands between them.
const SOUTH: f64 = 48.5;
const NORTH: f64 = 62.5;
const BANDS: usize = 4_096;

/// The land of Great Britain and Northern Ireland.
#[derive(Debug)]
pub struct Land {
    bands: Vec<Vec<[f64; 4]>>,
}

impl Land {
    /// Reads the committed coast.
    ///
    /// # Errors
    /// [`DemoError::Fact`] if the file is not the expected `TopoJSON`.
    pub fn read() -> Result<Self, DemoError> {
        let fault = |what: &str| DemoError::Fact { file: "land.topojson", what: what.to_owned() };
        let topology: Value = serde_json::from_str(LAND).map_err(|error| fault(&error.to_string()))?;
        let pair = |value: &Value| Some([value.get(0)?.as_f64()?, value.get(1)?.as_f64()?]);
        let transform = &topology["transform"];
        let (scale, origin) = pair(&transform["scale"])
            .zip(pair(&transform["translate"]))
            .ok_or_else(|| fault("it has no transform"))?;
        let arcs = topology["arcs"].as_array().ok_or_else(|| fault("it has no arcs"))?;
        let decode = |index: i64| -> Option<Vec<[f64; 2]>> {
            let arc = arcs.get(if index < 0 { !index } else { index } as usize)?.as_array()?;
            let (mut x, mut y) = (0.0, 0.0);
            let mut line = Vec::with_capacity(arc.len());
            for step in arc {
                let [dx, dy] = pair(step)?;
                (x, y) = (x + dx, y + dy);
                line.push([x * scale[0] + origin[0], y * scale[1] + origin[1]]);
            }
            if index < 0 {
                line.reverse();
            }
            Some(line)
        };
        let parts = topology["objects"]["land"]["geometries"].as_array();
        let britain = parts.and_then(|parts| parts.iter().find(|part| part["properties"]["iso"] == "GBR"));
        let polygons = britain.and_then(|part| part["arcs"].as_array()).ok_or_else(|| fault("no GBR"))?;
        let mut land = Self { bands: vec![Vec::new(); BANDS] };
        for ring in polygons.iter().filter_map(Value::as_array).flatten().filter_map(Value::as_array) {
            for index in ring {
                let line = index.as_i64().and_then(decode).ok_or_else(|| fault("an arc is missing"))?;
                for edge in line.windows(2) {
                    land.add([edge[0][0], edge[0][1], edge[1][0], edge[1][1]]);
                }
            }
        }
        Ok(land)
    }

    fn add(&mut self, edge: [f64; 4]) {
        let (low, high) = (edge[1].min(edge[3]), edge[1].max(edge[3]));
        for band in band(low)..=band(high) {
            self.bands[band].push(edge);
        }
    }

    /// Whether a position is on land: whether an odd number of coast edges lies east of it.
    #[must_use]
    pub fn contains(&self, at: Position) -> bool {
        let (lon, lat) = (at.lon_degrees(), at.lat_degrees());
        let mut inside = false;
        for [x1, y1, x2, y2] in &self.bands[band(lat)] {
            if (*y1 > lat) != (*y2 > lat) && lon < x1 + (lat - y1) / (y2 - y1) * (x2 - x1) {
                inside = !inside;
            }
        }
        inside
    }
}

fn band(lat: f64) -> usize {
    ((lat - SOUTH) / (NORTH - SOUTH) * BANDS as f64).clamp(0.0, (BANDS - 1) as f64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_places_are_on_land_or_in_the_sea() {
        let land = Land::read().unwrap();
        let at = |lon, lat| land.contains(Position::from_degrees(lon, lat).unwrap());
        // Birmingham, Belfast, Lerwick, Newport (Isle of Wight).
        assert!(at(-1.90, 52.48) && at(-5.93, 54.60) && at(-1.16, 60.16) && at(-1.30, 50.70));
        // The Channel, the Irish Sea, the Solent, Dublin.
        assert!(!at(-1.0, 50.2) && !at(-4.8, 53.8) && !at(-1.12, 50.75) && !at(-6.26, 53.35));
    }
}
