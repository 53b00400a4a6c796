//! Tile addresses of the `WebMercatorQuad` tile matrix set, and places on a tile's grid.

use crate::model::geometry::Bounds;
use crate::tile::clip::SIXTEENTHS;

/// The highest zoom.
pub const MAX_ZOOM: u8 = 24;
/// Grid cells along a tile's side.
pub const TILE_EXTENT: i64 = 4_096;
/// The width of a tile's buffer in grid cells. Points in the buffer are in the tile too.
pub const BUFFER: i64 = 64;

/// The address of a tile in the `WebMercatorQuad` tile matrix set (EPSG:3857).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileCoord {
    /// Zoom.
    pub z: u8,
    /// Column; 0 begins at the antimeridian and columns count to the east.
    pub x: u32,
    /// Row; 0 is the northernmost and rows count to the south.
    pub y: u32,
}

impl TileCoord {
    /// The address with this zoom, column and row; `None` if there is no such tile.
    #[must_use]
    pub fn new(z: u8, x: u32, y: u32) -> Option<Self> {
        (z <= MAX_ZOOM && u64::from(x) < 1 << z && u64::from(y) < 1 << z).then_some(Self { z, x, y })
    }

    /// The length of the tile's side in cells of the 2^32 world grid, as a power of two.
    fn span_bits(self) -> u32 {
        32 - u32::from(self.z)
    }

    /// The length of a grid cell's side in world cells, at least one.
    #[must_use]
    pub fn cell(self) -> u32 {
        (1_u64 << self.span_bits() >> 12).max(1) as u32
    }

    /// The place on the tile's grid of a place on the world grid. It is computed with integers only, so that all machines
    /// give the same.
    #[must_use]
    pub fn place(self, x: u32, y: u32) -> (i64, i64) {
        let (x, y) = self.fine_place(x, y);
        (x >> SIXTEENTHS, y >> SIXTEENTHS)
    }

    /// As [`Self::place`], in sixteenths of a grid cell.
    #[must_use]
    pub fn fine_place(self, x: u32, y: u32) -> (i64, i64) {
        let bits = self.span_bits();
        let along = |world: u32, tile: u32| {
            let from_edge = i64::from(world) - (i64::from(tile) << bits);
            // A tile has 4,096 cells of sixteen parts, 2^16 parts. From zoom 17 on a part is finer than a world cell.
            if bits >= 16 { from_edge >> (bits - 16) } else { from_edge << (16 - bits) }
        };
        (along(x, self.x), along(y, self.y))
    }

    /// The square of the world grid that the tile and its buffer cover.
    #[must_use]
    pub fn square(self) -> Square {
        let side = 1_i64 << self.span_bits();
        // 64 of 4,096 cells; at the greatest zoom a tile still has 256 world cells along its side.
        let buffer = side * BUFFER / TILE_EXTENT;
        let along = |tile: u32, most: u32| {
            let first = i64::from(tile) * side;
            let last = (first + side + buffer - 1).min(i64::from(most));
            ((first - buffer).max(0) as u32, last as u32)
        };
        let (west, east) = along(self.x, u32::MAX);
        // The last row of world cells is the mark for positions beyond the Mercator square.
        let (north, south) = along(self.y, u32::MAX - 1);
        Square { west, north, east, south }
    }

    /// Boxes that contain all positions on the tile and its buffer; they are a little too large.
    #[must_use]
    pub fn windows(self) -> Vec<Bounds> {
        let tiles = f64::from(1_u32 << self.z.min(31));
        let buffer = (BUFFER + 2) as f64 / TILE_EXTENT as f64;
        let lat = |row: f64| {
            let t = std::f64::consts::PI * (1.0 - 2.0 * row / tiles);
            t.sinh().atan().to_degrees()
        };
        let lon = |column: f64| column / tiles * 360.0 - 180.0;
        let north = (lat(f64::from(self.y) - buffer) * 1e7).ceil().min(9e8) as i32;
        let south = (lat(f64::from(self.y) + 1.0 + buffer) * 1e7).floor().max(-9e8) as i32;
        let (west, east) =
            (lon(f64::from(self.x) - buffer) * 1e7, lon(f64::from(self.x) + 1.0 + buffer) * 1e7);
        vec![Bounds {
            west: west.floor().max(-1.8e9) as i32,
            south,
            east: east.ceil().min(1.8e9) as i32,
            north,
        }]
    }
}

/// A square of the world grid, edges included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Square {
    west: u32,
    north: u32,
    east: u32,
    south: u32,
}

impl Square {
    /// Whether a place is in the square.
    // One comparison for each axis: a place before the first edge wraps round to a large number.
    #[inline]
    #[must_use]
    pub fn holds(&self, [x, y]: [u32; 2]) -> bool {
        x.wrapping_sub(self.west) <= self.east - self.west
            && y.wrapping_sub(self.north) <= self.south - self.north
    }

    /// The north-western corner.
    #[must_use]
    pub fn corner(&self) -> [u32; 2] {
        [self.west, self.north]
    }

    /// The centre.
    #[must_use]
    pub fn middle(&self) -> [u32; 2] {
        [u32::midpoint(self.west, self.east), u32::midpoint(self.north, self.south)]
    }

    /// A place in the square on the segment between two places outside it: the one nearest to the lesser of the two, rounded
    /// to a world cell. `None` if the segment does not meet the square. The direction of the segment does not matter.
    ///
    /// Source: Liang and Barsky (1984), line clipping.
    #[must_use]
    pub fn entry(&self, a: [u32; 2], b: [u32; 2]) -> Option<[u32; 2]> {
        let (from, to) = (a.min(b), a.max(b));
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        let (low, high) = ([self.west, self.north], [self.east, self.south]);
        for axis in 0..2 {
            let step = f64::from(to[axis]) - f64::from(from[axis]);
            let fraction = |edge: u32| (f64::from(edge) - f64::from(from[axis])) / step;
            if step == 0.0 {
                if !(low[axis]..=high[axis]).contains(&from[axis]) {
                    return None;
                }
            } else if step > 0.0 {
                (enter, leave) = (enter.max(fraction(low[axis])), leave.min(fraction(high[axis])));
            } else {
                (enter, leave) = (enter.max(fraction(high[axis])), leave.min(fraction(low[axis])));
            }
        }
        let place = |axis: usize| {
            let at = f64::from(from[axis]) + enter * (f64::from(to[axis]) - f64::from(from[axis]));
            (at.round() as u32).clamp(low[axis], high[axis])
        };
        (enter <= leave).then(|| [place(0), place(1)])
    }

    /// One bit for each edge of the square that the place lies beyond by more than `margin` world cells. If two places have
    /// a bit in common, the segment between them does not meet the square.
    #[inline]
    #[must_use]
    pub fn beyond(&self, [x, y]: [u32; 2], margin: u32) -> u8 {
        u8::from(x < self.west.saturating_sub(margin))
            | u8::from(x > self.east.saturating_add(margin)) << 1
            | u8::from(y < self.north.saturating_sub(margin)) << 2
            | u8::from(y > self.south.saturating_add(margin)) << 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Position;
    use crate::model::crs::mercator_grid;
    use crate::model::crs::mercator_grid_clamped;
    use proptest::prelude::*;

    fn place_of(tile: TileCoord, position: Position) -> (i64, i64) {
        let [x, y] = mercator_grid_clamped(position);
        tile.place(x, y)
    }

    #[test]
    fn a_tile_address_must_exist() {
        assert!(TileCoord::new(0, 0, 0).is_some());
        assert!(TileCoord::new(1, 2, 0).is_none());
        assert!(TileCoord::new(25, 0, 0).is_none());
        // London on zoom 10 is tile 511/340 (OpenStreetMap wiki, slippy map tilenames).
        let london = Position::from_degrees(-0.12, 51.5).unwrap();
        let (x, y) = place_of(TileCoord::new(10, 511, 340).unwrap(), london);
        assert!((0..TILE_EXTENT).contains(&x) && (0..TILE_EXTENT).contains(&y), "{x} {y}");
    }

    proptest! {
        #[test]
        fn windows_contain_every_position_on_the_tile(z in 0_u8..20, lon in -180.0_f64..180.0, lat in -85.0_f64..85.0, dx in -1_i64..=1, dy in -1_i64..=1) {
            let position = Position::from_degrees(lon, lat).unwrap();
            let (wx, wy) = mercator_grid(position).unwrap();
            let shift = 32 - u32::from(z);
            let column = (i64::from(wx) >> shift) + dx;
            let row = (i64::from(wy) >> shift) + dy;
            if let (Ok(x), Ok(y)) = (u32::try_from(column), u32::try_from(row)) && let Some(tile) = TileCoord::new(z, x, y) {
                let (px, py) = place_of(tile, position);
                let near = -BUFFER..TILE_EXTENT + BUFFER;
                let there = near.contains(&px) && near.contains(&py);
                prop_assert_eq!(tile.square().holds([wx, wy]), there);
                if there {
                    prop_assert!(tile.windows().iter().any(|window| window.holds(position)));
                }
            }
        }
    }
}
