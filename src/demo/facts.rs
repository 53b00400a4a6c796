//! The committed facts from which the set is generated: hubs, towns, stations, and the forces that London's lines went to.

use std::collections::HashMap;

use crate::demo::DemoError;
use crate::model::Position;

const HUBS: &str = include_str!("../../data/reference/hubs.csv");
const TOWNS: &str = include_str!("../../data/reference/towns.csv");
const STATIONS: &str = include_str!("../../data/reference/stations.csv");
const LONDON: &str = include_str!("../../data/reference/london-links.csv");

/// A hub or a town.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its id in `hubs` or `towns`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The position.
    pub position: Position,
    /// The id of its force.
    pub force: String,
    /// Number of people.
    pub population: f64,
    /// CRS codes of the nearest stations, the nearest first.
    pub stations: Vec<String>,
    /// The kind of a town, or the role of a hub.
    pub kind: String,
    /// The exporting area of a hub; empty for a town.
    pub area: String,
}

/// All committed facts.
#[derive(Debug)]
pub struct Facts {
    /// Exporting hubs, by id.
    pub hubs: Vec<Place>,
    /// Destination towns, by id.
    pub towns: Vec<Place>,
    /// Positions of stations by CRS code.
    pub stations: HashMap<String, Position>,
    /// For each force, the number of people linked to London that it found in 2019 and 2020.
    pub london: Vec<(String, f64)>,
}

impl Facts {
    /// Reads the committed files.
    ///
    /// # Errors
    /// [`DemoError::Fact`] if a column is missing or a value is not of its type.
    pub fn read() -> Result<Self, DemoError> {
        let mut stations = HashMap::new();
        for row in table("stations.csv", STATIONS)? {
            stations.insert(row.text("crs")?.to_owned(), row.position()?);
        }
        let mut london = Vec::new();
        for row in table("london-links.csv", LONDON)? {
            let links = row.number("lines_2019")? + row.number("lines_2020")?;
            london.push((row.text("force")?.to_owned(), links));
        }
        let hubs = places("hubs.csv", HUBS, "role", "area")?;
        let towns = places("towns.csv", TOWNS, "kind", "")?;
        Ok(Self { hubs, towns, stations, london })
    }

    /// The code and position of the nearest station of a place; `None` if it has none.
    #[must_use]
    pub fn station_of<'a>(&self, place: &'a Place) -> Option<(&'a str, Position)> {
        let code = place.stations.first()?;
        Some((code.as_str(), *self.stations.get(code)?))
    }
}

fn places(file: &'static str, text: &str, kind: &str, area: &str) -> Result<Vec<Place>, DemoError> {
    table(file, text)?
        .into_iter()
        .map(|row| {
            let stations = row.text("stations")?.split_whitespace();
            let stations = stations.map(|one| one.split(':').next().unwrap_or(one).to_owned());
            Ok(Place {
                id: row.text("id")?.to_owned(),
                name: row.text("name")?.to_owned(),
                position: row.position()?,
                force: row.text("force")?.to_owned(),
                population: row.number("population")?,
                stations: stations.collect(),
                kind: row.text(kind)?.to_owned(),
                area: if area.is_empty() { String::new() } else { row.text(area)?.to_owned() },
            })
        })
        .collect()
}

/// A row of a committed table.
struct Fact {
    file: &'static str,
    cells: HashMap<String, String>,
}

fn table(file: &'static str, text: &str) -> Result<Vec<Fact>, DemoError> {
    let fault = |error: csv::Error| DemoError::Fact { file, what: error.to_string() };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names: Vec<String> = reader.headers().map_err(fault)?.iter().map(str::to_owned).collect();
    reader
        .records()
        .map(|record| {
            let record = record.map_err(fault)?;
            Ok(Fact { file, cells: names.iter().cloned().zip(record.iter().map(str::to_owned)).collect() })
        })
        .collect()
}

impl Fact {
    fn text(&self, column: &str) -> Result<&str, DemoError> {
        let cell = self.cells.get(column).map(String::as_str);
        cell.ok_or_else(|| DemoError::Fact {
            file: self.file,
            what: format!("there is no column {column:?}"),
        })
    }

    fn number(&self, column: &str) -> Result<f64, DemoError> {
        let text = self.text(column)?;
        text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| DemoError::Fact {
            file: self.file,
            what: format!("{text:?} in the column {column} is not a number"),
        })
    }

    fn position(&self) -> Result<Position, DemoError> {
        let fault = |error: crate::model::geometry::GeometryFault| DemoError::Fact {
            file: self.file,
            what: error.to_string(),
        };
        Position::from_degrees(self.number("lon")?, self.number("lat")?).map_err(fault)
    }
}

/// The great-circle distance in kilometres on the mean sphere (R = 6 371.0088 km), computed with `libm`.
#[must_use]
pub fn distance_km(a: Position, b: Position) -> f64 {
    let (lat_a, lat_b) = (a.lat_degrees().to_radians(), b.lat_degrees().to_radians());
    let half = |x: f64| libm::pow(libm::sin(x / 2.0), 2.0);
    let lon = (a.lon_degrees() - b.lon_degrees()).to_radians();
    let h = half(lat_a - lat_b) + libm::cos(lat_a) * libm::cos(lat_b) * half(lon);
    2.0 * 6_371.008_8 * libm::asin(libm::sqrt(h.min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_facts_are_complete() {
        let facts = Facts::read().unwrap();
        assert!(facts.towns.len() >= 220 && facts.hubs.len() >= 60);
        assert_eq!(facts.london.len(), 37);
        let known = |force: &str| facts.towns.iter().any(|town| town.force == force);
        assert!(facts.london.iter().all(|(force, links)| *links == 0.0 || known(force)));
        for place in facts.towns.iter().chain(&facts.hubs) {
            assert!(place.population > 0.0, "{}", place.id);
            assert!(place.stations.iter().all(|code| facts.stations.contains_key(code)), "{}", place.id);
        }
    }

    #[test]
    fn a_degree_on_a_great_circle_is_111_195_km() {
        // A degree of longitude on the equator: 6371.0088 km x pi / 180 = 111.195 km.
        let at = |lon, lat| Position::from_degrees(lon, lat).unwrap();
        assert!((distance_km(at(0.0, 0.0), at(1.0, 0.0)) - 111.195).abs() < 0.001);
        assert!((distance_km(at(-1.0, 51.0), at(-1.0, 52.0)) - 111.195).abs() < 0.001);
    }
}
