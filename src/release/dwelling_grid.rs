//! The dwelling grid: cells of the British National Grid, each with so many dwellings that a cell discloses no home.
//!
//! A square of 1 km with at least eight dwellings is a cell. Next, the remaining squares within a square of 2 km, then of
//! 5 km, are a cell if they have eight dwellings together. Within a square of 10 km (and of 20, 40 and 80 km), the
//! remaining squares are a cell; if they have fewer than eight, the cell with the fewest dwellings there is joined to them.
//!
//! So each place belongs to one cell, which is drawn as its whole square. A reader who knows this rule can exclude the
//! smaller cells inside the square; what remains still has at least eight dwellings.

use std::collections::BTreeMap;
use std::collections::HashMap;

use crate::model::Geometry;
use crate::model::GeometryType;
use crate::model::crs::grid_to_lon_lat;
use crate::model::crs::lon_lat_to_grid;
use crate::model::geometry::GeometryBuilder;
use crate::model::geometry::Position;
use crate::model::grid_reference::GridReference;

/// The least number of dwellings in a cell.
const LEAST: u32 = 8;
/// Sides of cells in kilometres. Sides above ten are for islands with very few homes.
const SIDES: [i32; 7] = [1, 2, 5, 10, 20, 40, 80];
/// From this side on, squares with too few dwellings are joined to another cell.
const JOINED_FROM: i32 = 10;

const GRID: &str = include_str!("../../data/reference/dwelling-grid.csv");

/// A square of the British National Grid: its side and its south-west corner in kilometres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GridCell {
    /// The side in kilometres.
    pub km: i32,
    east: i32,
    north: i32,
}

/// The cell of each square of 1 km.
#[derive(Debug)]
pub struct DwellingGrid {
    cells: HashMap<(i32, i32), GridCell>,
    /// The number of dwellings of each cell.
    dwellings: BTreeMap<GridCell, u32>,
}

impl GridCell {
    fn around((east, north): (i32, i32), km: i32) -> Self {
        Self { km, east: east.div_euclid(km) * km, north: north.div_euclid(km) * km }
    }

    fn squares(self) -> impl Iterator<Item = (i32, i32)> {
        (0..self.km)
            .flat_map(move |east| (0..self.km).map(move |north| (self.east + east, self.north + north)))
    }

    /// Longitude and latitude of the centre in degrees; `None` far outside the grid's area.
    #[must_use]
    pub fn centre(self) -> Option<(f64, f64)> {
        let half = f64::from(self.km) / 2.0;
        grid_to_lon_lat((f64::from(self.east) + half) * 1_000.0, (f64::from(self.north) + half) * 1_000.0)
    }

    /// The ring of the square, anticlockwise, in longitude and latitude; `None` far outside the grid's area.
    fn ring(self) -> Option<Vec<(f64, f64)>> {
        let (west, south) = (self.east, self.north);
        let (east, north) = (west + self.km, south + self.km);
        [(west, south), (east, south), (east, north), (west, north), (west, south)]
            .into_iter()
            .map(|(east, north)| grid_to_lon_lat(f64::from(east) * 1_000.0, f64::from(north) * 1_000.0))
            .collect()
    }
}

/// The grid reference of the 1 km square in the south-west corner, such as `SU 64 99`.
impl std::fmt::Display for GridCell {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match GridReference::of_kilometre(self.east, self.north) {
            Some(square) => write!(out, "{square}"),
            None => write!(out, "{} {}", self.east, self.north),
        }
    }
}

/// The squares of cells as one geometry; `None` for no cells, or far outside the grid's area.
#[must_use]
pub fn outline(cells: &[GridCell]) -> Option<Geometry> {
    let kind = if cells.len() == 1 { GeometryType::Polygon } else { GeometryType::MultiPolygon };
    let mut geometry = GeometryBuilder::new(kind);
    for cell in cells {
        for (lon, lat) in cell.ring()? {
            geometry.position(lon, lat).ok()?;
        }
        geometry.end_ring().ok()?;
        geometry.end_part();
    }
    geometry.finish()
}

impl DwellingGrid {
    /// The grid of the file that comes with the program. Numbers of postcode positions stand for numbers of dwellings.
    #[must_use]
    pub fn built_in() -> Self {
        Self::of(squares(GRID))
    }

    fn of(squares: HashMap<(i32, i32), u32>) -> Self {
        let mut grid = Self { cells: HashMap::new(), dwellings: BTreeMap::new() };
        let mut left = squares;
        for km in SIDES {
            let mut groups: BTreeMap<GridCell, Vec<(i32, i32)>> = BTreeMap::new();
            for square in left.keys() {
                groups.entry(GridCell::around(*square, km)).or_default().push(*square);
            }
            if km >= JOINED_FROM {
                grid.join(km, &left, groups, km == JOINED_FROM);
                left.retain(|square, _| !grid.cells.contains_key(square));
                continue;
            }
            for (cell, squares) in groups {
                let sum = squares.iter().map(|square| left[square]).sum::<u32>();
                if sum >= LEAST {
                    grid.give(cell, sum, &squares);
                }
            }
            left.retain(|square, _| !grid.cells.contains_key(square));
        }
        grid
    }

    fn give(&mut self, cell: GridCell, dwellings: u32, squares: &[(i32, i32)]) {
        *self.dwellings.entry(cell).or_default() += dwellings;
        self.cells.extend(squares.iter().map(|square| (*square, cell)));
    }

    /// Forms a cell of the remaining squares within each square of side `km`; if they have too few dwellings, the cell with
    /// the fewest dwellings there is joined to them. With `everywhere` this is also done where no squares remain, for places
    /// without dwellings nearby.
    fn join(
        &mut self,
        km: i32,
        left: &HashMap<(i32, i32), u32>,
        mut groups: BTreeMap<GridCell, Vec<(i32, i32)>>,
        everywhere: bool,
    ) {
        let mut inside: HashMap<GridCell, Vec<(u32, GridCell)>> = HashMap::new();
        for (cell, dwellings) in &self.dwellings {
            inside
                .entry(GridCell::around((cell.east, cell.north), km))
                .or_default()
                .push((*dwellings, *cell));
        }
        if everywhere {
            for block in inside.keys() {
                groups.entry(*block).or_default();
            }
        }
        for (block, squares) in groups {
            let sum: u32 = squares.iter().map(|square| left[square]).sum();
            let smallest = inside.get(&block).and_then(|cells| cells.iter().min()).copied();
            let (joined, smallest) = match smallest {
                _ if sum >= LEAST => (0, None),
                Some((dwellings, cell)) => (dwellings, Some(cell)),
                None => continue,
            };
            if let Some(cell) = smallest {
                self.dwellings.remove(&cell);
                for square in block.squares() {
                    if let Some(of) = self.cells.get_mut(&square).filter(|of| **of == cell) {
                        *of = block;
                    }
                }
            }
            self.give(block, sum + joined, &squares);
        }
    }

    /// The cell of a position; `None` if no cell is in its square of 80 km.
    #[must_use]
    pub fn cell(&self, at: Position) -> Option<GridCell> {
        let (east, north) = lon_lat_to_grid(at.lon_degrees(), at.lat_degrees())?;
        self.of_square(((east / 1_000.0).floor() as i32, (north / 1_000.0).floor() as i32))
    }

    /// The cell of a 1 km square, with or without dwellings.
    fn of_square(&self, square: (i32, i32)) -> Option<GridCell> {
        self.cells.get(&square).copied().or_else(|| {
            SIDES
                .into_iter()
                .map(|km| GridCell::around(square, km))
                .find(|cell| self.dwellings.contains_key(cell))
        })
    }
}

/// Reads the number of dwellings of each 1 km square, by easting and northing in kilometres.
fn squares(text: &str) -> HashMap<(i32, i32), u32> {
    let mut squares = HashMap::new();
    for line in text.lines().skip(1) {
        let mut words = line.splitn(3, ',');
        let (Some(Ok(north)), Some(Ok(east)), Some(run)) =
            (words.next().map(str::parse::<i32>), words.next().map(str::parse::<i32>), words.next())
        else {
            continue;
        };
        for (place, letter) in run.bytes().enumerate() {
            // A letter stands for a range; its least number is used.
            let dwellings = match letter {
                b'0'..=b'9' => u32::from(letter - b'0'),
                b'a' => 10,
                b'b' => 20,
                b'c' => 50,
                b'd' => 100,
                _ => 200,
            };
            if dwellings > 0 {
                squares.insert((east + place as i32, north), dwellings);
            }
        }
    }
    squares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The squares with dwellings of each cell.
    fn members(grid: &DwellingGrid) -> HashMap<GridCell, Vec<(i32, i32)>> {
        let mut members: HashMap<GridCell, Vec<(i32, i32)>> = HashMap::new();
        for (square, cell) in &grid.cells {
            members.entry(*cell).or_default().push(*square);
        }
        members
    }

    fn check(squares: &HashMap<(i32, i32), u32>) -> Result<(), TestCaseError> {
        let grid = DwellingGrid::of(squares.clone());
        let members = members(&grid);
        prop_assert_eq!(members.len(), grid.dwellings.len());
        for (cell, of) in &members {
            let sum: u32 = of.iter().map(|square| squares[square]).sum();
            prop_assert!(sum >= LEAST, "{cell:?} has {sum}");
            prop_assert_eq!(sum, grid.dwellings[cell]);
            for square in of {
                prop_assert_eq!(
                    GridCell::around(*square, cell.km),
                    *cell,
                    "a cell is drawn around its squares"
                );
            }
        }
        // A square belongs to no cell only if its square of 80 km has fewer than eight dwellings.
        let mut widest: HashMap<GridCell, u32> = HashMap::new();
        for (square, dwellings) in squares {
            *widest.entry(GridCell::around(*square, 80)).or_default() += dwellings;
        }
        // A place without dwellings belongs to a cell too, and the cell's square contains it.
        for square in (0..40).flat_map(|east| (0..40).map(move |north| (east, north))) {
            if let Some(cell) = grid.of_square(square) {
                prop_assert_eq!(GridCell::around(square, cell.km), cell);
                prop_assert!(grid.dwellings.contains_key(&cell));
            }
        }
        for square in squares.keys().filter(|square| !grid.cells.contains_key(*square)) {
            prop_assert!(widest[&GridCell::around(*square, 80)] < LEAST, "{square:?}");
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn every_cell_has_eight_dwellings(
            squares in prop::collection::hash_map((0_i32..40, 0_i32..40), 1_u32..14, 0..160)
        ) {
            check(&squares)?;
        }
    }

    #[test]
    fn the_built_in_grid_has_cells_of_the_expected_sizes() {
        check(&squares(GRID)).unwrap();
        let grid = DwellingGrid::built_in();
        assert!(grid.cells.len() > 130_000, "{}", grid.cells.len());
        let cell = |lon: f64, lat: f64| grid.cell(Position::from_degrees(lon, lat).unwrap()).unwrap();
        // Portsmouth Guildhall is in SU 64 00.
        assert_eq!((cell(-1.0916, 50.7975).to_string().as_str(), cell(-1.0916, 50.7975).km), ("SU 64 00", 1));
        // Away from houses cells are larger: Wheeldale on the North York Moors, Kielder.
        assert!(cell(-0.80, 54.36).km > 1 && cell(-2.48, 55.25).km >= 5);
        // There is no cell so far out at sea.
        assert_eq!(grid.cell(Position::from_degrees(-20.0, 55.0).unwrap()), None);
    }

    #[test]
    fn a_cell_s_geometry_is_its_square() {
        let grid = DwellingGrid::built_in();
        let at = Position::from_degrees(-1.0916, 50.7975).unwrap();
        let cell = grid.cell(at).unwrap();
        let geometry = outline(&[cell]).unwrap();
        assert!(geometry.as_ref().contains(at));
        let (lon, lat) = cell.centre().unwrap();
        assert_eq!(grid.cell(Position::from_degrees(lon, lat).unwrap()), Some(cell));
        assert!(outline(&[]).is_none());
        assert_eq!(outline(&[cell, cell]).unwrap().as_ref().parts().count(), 2);
    }
}
