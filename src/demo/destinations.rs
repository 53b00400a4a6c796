//! Destinations: the weight of each town for legs from each hub, for legs that leave the force and for local legs.
//!
//! London's legs follow the published counts of people linked to London in each force. Other hubs use the radiation model
//! with the exponent that fits London's legs. A figure without a public source is an assumption, marked (A).
//!
//! Source: Simini et al., Nature 484 (2012); Yang et al., Sci. Rep. 4 (2014) for the exponent; Castro-Gonzalez,
//! R. Soc. Open Sci. 10:221297 for London's counts and the fit.

use crate::demo::facts::Facts;
use crate::demo::facts::Place;
use crate::demo::facts::distance_km;
use crate::demo::random::Draw;

/// The exponent of the radiation model, fitted to London's legs.
const EXPONENT: f64 = 2.7;
/// The mass of a hub for each person in its exporting area, set so that the median leg takes as long as London's (A).
const HUB_MASS: f64 = 6.5;
/// Within this distance in kilometres, legs to another force are rare: such dealing is in fact local (A).
const NEAR_KM: f64 = 95.0;
/// The distance in kilometres over which the weight of a local leg falls to 1/e (A).
const LOCAL_KM: f64 = 25.0;
/// A town's market is its population to this power, so that small towns count more than in proportion to their size (A).
const MARKET_POWER: f64 = 0.8;
/// The factor of each kind of town (A). It stands for deprivation and distance from policing.
const PULL: [(&str, f64); 4] = [("coastal", 1.7), ("market", 1.3), ("rural", 1.1), ("urban", 1.0)];
/// The factors of towns in the area of a main exporting force and of towns that are hubs: local dealers supply them (A).
const EXPORTERS_GROUND: f64 = 0.15;
const HUBS_GROUND: f64 = 0.3;
/// The four forces with most exporting hubs.
pub const EXPORTERS: [&str; 4] = ["metropolitan", "merseyside", "west-midlands", "greater-manchester"];
/// An exporting force, factors by force, and the factor of all others.
type Reach = (&'static str, &'static [(&'static str, f64)], f64);
/// Factors for the forces that legs of an exporting force are known to go to; all others have the last factor (A).
/// Merseyside and Manchester export along the coast to Wales and Cumbria, Birmingham to the Marches and the South West.
const REACH: [Reach; 3] = [
    (
        "merseyside",
        &[
            ("north-wales", 4.0),
            ("cumbria", 5.0),
            ("dyfed-powys", 4.0),
            ("lancashire", 1.5),
            ("devon-and-cornwall", 3.0),
            ("scotland", 1.5),
            ("cheshire", 1.0),
        ],
        0.45,
    ),
    (
        "greater-manchester",
        &[
            ("north-wales", 3.0),
            ("cumbria", 4.5),
            ("lancashire", 2.0),
            ("north-yorkshire", 1.5),
            ("derbyshire", 1.2),
            ("staffordshire", 1.0),
        ],
        0.4,
    ),
    (
        "west-midlands",
        &[
            ("west-mercia", 3.5),
            ("gloucestershire", 2.5),
            ("avon-and-somerset", 2.5),
            ("devon-and-cornwall", 4.0),
            ("dyfed-powys", 3.5),
            ("staffordshire", 1.2),
            ("warwickshire", 1.2),
            ("wiltshire", 1.2),
        ],
        0.35,
    ),
];
/// The force that legs from other forces do not go to: none crosses the Irish Sea (A).
const APART: &str = "northern-ireland";

/// The weights of towns for each hub.
#[derive(Debug)]
pub struct Destinations {
    /// For each hub: towns outside its force. Empty for London's hubs, which use `london` and `within`.
    pub away: Vec<Draw>,
    /// For each hub: towns of its own force.
    pub local: Vec<Draw>,
    /// For each force: its towns.
    pub within: Vec<(String, Draw)>,
    /// For each force of `within`: its weight for London's legs.
    pub london: Vec<f64>,
}

impl Destinations {
    /// Computes the weights from the committed facts.
    #[must_use]
    pub fn new(facts: &Facts) -> Self {
        let markets: Vec<f64> = facts.towns.iter().map(|town| market(town, facts)).collect();
        let mut forces: Vec<String> = facts.towns.iter().map(|town| town.force.clone()).collect();
        forces.sort();
        forces.dedup();
        let within: Vec<(String, Draw)> = forces
            .into_iter()
            .map(|force| {
                let weights = facts.towns.iter().zip(&markets);
                let draw =
                    Draw::new(weights.map(|(town, market)| if town.force == force { *market } else { 0.0 }));
                (force, draw)
            })
            .collect();
        let london = within.iter().map(|(force, _)| {
            facts.london.iter().find(|(known, _)| known == force).map_or(0.0, |(_, links)| *links)
        });
        let local = |hub: &Place| {
            let weights = facts.towns.iter().zip(&markets).map(|(town, market)| {
                let km = distance_km(hub.position, town.position);
                // The hub may also be a town: a leg needs two different places.
                if town.force == hub.force && km > 2.0 { market * libm::exp(-km / LOCAL_KM) } else { 0.0 }
            });
            Draw::new(weights)
        };
        Self {
            london: london.collect(),
            away: facts.hubs.iter().map(|hub| Draw::new(away(hub, facts, &markets))).collect(),
            local: facts.hubs.iter().map(local).collect(),
            within,
        }
    }
}

fn market(town: &Place, facts: &Facts) -> f64 {
    let pull = PULL.iter().find(|(kind, _)| *kind == town.kind).map_or(1.0, |(_, pull)| *pull);
    let ground = if EXPORTERS.contains(&town.force.as_str()) {
        EXPORTERS_GROUND
    } else if facts.hubs.iter().any(|hub| hub.position == town.position) {
        HUBS_GROUND
    } else {
        1.0
    };
    10.0 * libm::pow(town.population, MARKET_POWER) * pull * ground
}

fn away(hub: &Place, facts: &Facts, markets: &[f64]) -> Vec<f64> {
    let mut weights = vec![0.0; facts.towns.len()];
    if hub.force == EXPORTERS[0] {
        return weights;
    }
    let area = facts.hubs.iter().filter(|other| other.area == hub.area);
    let mass = HUB_MASS * area.map(|other| other.population).sum::<f64>();
    let reach = REACH.iter().find(|(force, ..)| *force == hub.force);
    let mut order: Vec<(f64, usize)> = facts
        .towns
        .iter()
        .enumerate()
        .filter(|(_, town)| town.force != hub.force && town.force != APART)
        .map(|(place, town)| (distance_km(hub.position, town.position), place))
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut nearer = 0.0;
    for (km, place) in order {
        let known = reach.map_or(1.0, |(_, forces, others)| {
            let force = &facts.towns[place].force;
            forces.iter().find(|(known, _)| known == force).map_or(*others, |(_, factor)| *factor)
        });
        let far = 1.0 - libm::exp(-libm::pow(km / NEAR_KM, 2.0));
        weights[place] = radiation(mass, markets[place], nearer, EXPONENT) * far * known;
        nearer += markets[place];
    }
    weights
}

/// The weight of a leg from mass `m` to mass `n`, with mass `s` nearer to the origin than `n`, by the radiation model with
/// exponent `a`.
#[must_use]
pub fn radiation(m: f64, n: f64, s: f64, a: f64) -> f64 {
    let power = |x: f64| libm::pow(x, a);
    (power(m + n + s) - power(m + s)) * (power(m) + 1.0) / ((power(m + s) + 1.0) * (power(m + n + s) + 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponent_one_gives_the_radiation_model_of_simini() {
        // m n / ((m + s)(m + n + s)) up to the ones that keep Yang's form finite: 100 x 50 / (120 x 170).
        assert!((radiation(100.0, 50.0, 20.0, 1.0) - 5_000.0 / (120.0 * 170.0)).abs() < 0.01);
        assert!(radiation(1e6, 1e5, 0.0, 2.7) > radiation(1e6, 1e5, 1e6, 2.7));
    }

    #[test]
    fn london_s_weights_are_the_published_counts() {
        let facts = Facts::read().unwrap();
        let destinations = Destinations::new(&facts);
        let total: f64 = destinations.london.iter().sum();
        // 3,227 persons in 2019 and 2,729 in 2020.
        assert!((total - 5_956.0).abs() < 0.5, "{total}");
        for (hub, draw) in facts.hubs.iter().zip(&destinations.away) {
            assert_eq!(draw.is_empty(), hub.force == "metropolitan", "{}", hub.id);
        }
    }
}
