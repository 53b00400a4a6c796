//! Real buildings, if the user has imported them: no synthetic address may stand on one.

use std::collections::HashMap;

use crate::model::Geometry;
use crate::model::Position;

/// The side of a cell of the index in units of 1e-7 degree: about a kilometre.
const CELL: i32 = 100_000;

/// Footprints of buildings, indexed by the cells that they touch.
#[derive(Debug, Default)]
pub struct Buildings {
    geometries: Vec<Geometry>,
    cells: HashMap<(i32, i32), Vec<u32>>,
}

impl Buildings {
    /// Adds a footprint.
    pub fn add(&mut self, geometry: Geometry) {
        let bounds = geometry.as_ref().bounds();
        let number = self.geometries.len() as u32;
        for x in bounds.west.div_euclid(CELL)..=bounds.east.div_euclid(CELL) {
            for y in bounds.south.div_euclid(CELL)..=bounds.north.div_euclid(CELL) {
                self.cells.entry((x, y)).or_default().push(number);
            }
        }
        self.geometries.push(geometry);
    }

    /// Whether a building stands on a position.
    #[must_use]
    pub fn stand_on(&self, at: Position) -> bool {
        let cell = self.cells.get(&(at.lon.div_euclid(CELL), at.lat.div_euclid(CELL)));
        cell.is_some_and(|near| {
            near.iter().any(|number| self.geometries[*number as usize].as_ref().contains(at))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GeometryType;
    use crate::model::geometry::GeometryBuilder;

    #[test]
    fn a_footprint_over_several_cells_is_found_in_each() {
        let mut builder = GeometryBuilder::new(GeometryType::Polygon);
        for (lon, lat) in
            [(-0.0101, 51.0), (0.0101, 51.0), (0.0101, 51.001), (-0.0101, 51.001), (-0.0101, 51.0)]
        {
            builder.position(lon, lat).unwrap();
        }
        builder.end_ring().unwrap();
        builder.end_part();
        let mut buildings = Buildings::default();
        buildings.add(builder.finish().unwrap());
        let on = |lon, lat| buildings.stand_on(Position::from_degrees(lon, lat).unwrap());
        assert!(on(-0.01, 51.0005) && on(0.0, 51.0005) && on(0.01, 51.0005));
        assert!(!on(0.0, 51.0015) && !on(0.5, 51.0005));
    }
}
