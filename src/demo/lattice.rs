//! Positions for synthetic addresses: points of a lattice of 250 metres, on land and inside their town.

use crate::demo::facts::Place;
use crate::demo::facts::distance_km;
use crate::demo::land::Land;
use crate::model::Position;

/// 250 m of latitude in units of 1e-7 degree: 250 / 111 195 m x 1e7.
const STEP: i32 = 22_483;
/// The number of people per square kilometre of a town, to estimate its size (A).
const PEOPLE_PER_KM2: f64 = 3_500.0;
/// The least radius of a town in kilometres.
const LEAST_REACH_KM: f64 = 0.6;

/// The radius of a town in kilometres: that of a disc with this population at `PEOPLE_PER_KM2`, plus
/// `LEAST_REACH_KM`.
#[must_use]
pub fn reach_km(population: f64) -> f64 {
    LEAST_REACH_KM + libm::sqrt(population / PEOPLE_PER_KM2 / std::f64::consts::PI)
}

/// Whether a position is a point of the lattice.
#[must_use]
pub fn is_on_lattice(at: Position) -> bool {
    at.lat.rem_euclid(STEP) == 0 && at.lon.rem_euclid(lon_step(at.lat)) == 0
}

/// 250 m along a parallel, in units of 1e-7 degree of longitude.
fn lon_step(lat: i32) -> i32 {
    let cosine = libm::cos((f64::from(lat) / 1e7).to_radians());
    libm::round(f64::from(STEP) / cosine) as i32
}

/// The lattice points of each town, in order from the south-west.
///
/// A point belongs to a town if it is on land and at least half a step from water, within the town's radius, and nearer to
/// it than to any other town in proportion to their radii. Points for which `taken` is true, such as those inside a known
/// building, are left out. A town without any point has the nearest free point on land.
#[must_use]
pub fn points_of_towns(towns: &[Place], land: &Land, taken: &dyn Fn(Position) -> bool) -> Vec<Vec<Position>> {
    let free = |at: Position| {
        let half = |dx: i32, dy: i32| Position { lon: at.lon + dx, lat: at.lat + dy };
        let (x, y) = (lon_step(at.lat) / 2, STEP / 2);
        [half(0, 0), half(x, 0), half(-x, 0), half(0, y), half(0, -y)].iter().all(|near| land.contains(*near))
            && !taken(at)
    };
    towns
        .iter()
        .map(|town| {
            let reach = reach_km(town.population);
            let rivals: Vec<&Place> = towns
                .iter()
                .filter(|other| {
                    let far = reach + reach_km(other.population);
                    other.id != town.id && distance_km(other.position, town.position) < far
                })
                .collect();
            let mut points = Vec::new();
            let mut nearest: Option<(f64, Position)> = None;
            for at in around(town.position, reach + 1.5) {
                let away = distance_km(at, town.position);
                let near = |other: &&&Place| {
                    distance_km(at, other.position) / reach_km(other.population) < away / reach
                };
                if away <= reach && rivals.iter().find(near).is_none() {
                    if free(at) {
                        points.push(at);
                    }
                } else if nearest.is_none_or(|(least, _)| away < least) && free(at) {
                    nearest = Some((away, at));
                }
            }
            if points.is_empty() {
                points.push(nearest.map_or(town.position, |(_, at)| at));
            }
            points
        })
        .collect()
}

/// The lattice points in the square around a position.
fn around(middle: Position, reach_km: f64) -> impl Iterator<Item = Position> {
    let steps = libm::ceil(reach_km / 0.25) as i32;
    let row = middle.lat.div_euclid(STEP);
    (row - steps..=row + steps).flat_map(move |row| {
        let lat = row * STEP;
        let step = lon_step(lat);
        let column = middle.lon.div_euclid(step);
        (column - steps..=column + steps).map(move |column| Position { lon: column * step, lat })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::facts::Facts;

    #[test]
    fn points_lie_250_metres_apart_on_land_inside_the_town() {
        let (facts, land) = (Facts::read().unwrap(), Land::read().unwrap());
        let all = points_of_towns(&facts.towns, &land, &|_| false);
        let portsmouth = facts.towns.iter().position(|town| town.id == "portsmouth").unwrap();
        let points = &all[portsmouth];
        // Portsea Island has about 25 square kilometres, sixteen points in each.
        assert!((200..700).contains(&points.len()), "{}", points.len());
        for (town, points) in facts.towns.iter().zip(&all) {
            assert!(!points.is_empty(), "{}", town.id);
            for at in points {
                assert!(is_on_lattice(*at) && land.contains(*at), "{} {at:?}", town.id);
                assert!(
                    distance_km(*at, town.position) <= reach_km(town.population) + 1.5 * 1.42,
                    "{}",
                    town.id
                );
            }
        }
        let side = distance_km(points[0], Position { lat: points[0].lat + STEP, ..points[0] });
        assert!((side - 0.25).abs() < 0.001, "{side}");
        let side =
            distance_km(points[0], Position { lon: points[0].lon + lon_step(points[0].lat), ..points[0] });
        assert!((side - 0.25).abs() < 0.001, "{side}");
        // A taken point is left out.
        let taken = points[0];
        let fewer = points_of_towns(&facts.towns[portsmouth..=portsmouth], &land, &|at| at == taken);
        assert!(!fewer[0].contains(&taken) && fewer[0].len() >= points.len() - 1);
    }
}
