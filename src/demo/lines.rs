//! Lines: to each life a hub, a name, one to three links to towns, and who holds the record.

use crate::demo::DemoError;
use crate::demo::PRESENT;
use crate::demo::START;
use crate::demo::Settings;
use crate::demo::destinations::Destinations;
use crate::demo::destinations::EXPORTERS;
use crate::demo::dirt;
use crate::demo::facts::Facts;
use crate::demo::facts::distance_km;
use crate::demo::lives::Life;
use crate::demo::lives::lives;
use crate::demo::random::Draw;
use crate::demo::random::Random;
use crate::demo::random::apportion;
use crate::demo::steer;
use crate::model::RowId;
use crate::model::lifecycle::LineState;

/// Share of lines by exporting force: Metropolitan, Merseyside, West Midlands, Greater Manchester (A: profile in which
/// the four are the majority); the rest set out from secondary hubs.
pub const SHARES: [f64; 4] = [0.35, 0.15, 0.12, 0.10];
/// How many of a hundred links stay inside the force: in January 2020, and in January 2024 (A, after the published
/// growth of local lines).
const LOCAL_2020: f64 = 0.10;
const LOCAL_2024: f64 = 0.35;
const JANUARY_2020: i32 = 18_262;
const JANUARY_2024: i32 = 19_723;
/// How many links a line has (A).
const LINKS: [(usize, f64); 3] = [(1, 0.45), (2, 0.37), (3, 0.18)];
/// Journeys a week on a link, least and most (A).
const TRIPS: (f64, f64) = (3.0, 7.0);
/// Chance that a link ends before its line (A).
const LINK_ENDS_EARLY: f64 = 0.15;
/// How most journeys of a link that leaves the force are made (A: rail 45 %).
const MODES: [(&str, f64); 3] = [("rail", 0.45), ("road", 0.45), ("coach", 0.10)];

/// A line as one force holds it.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its id.
    pub id: RowId,
    /// Place of the life it is a record of.
    pub life: usize,
    /// Place of its hub.
    pub hub: usize,
    /// The force that holds the record.
    pub owner: String,
    /// The name it is known by.
    pub brand: String,
    /// First and last day with evidence.
    pub first: i32,
    /// See `first`.
    pub last: i32,
    /// The day it ended.
    pub ended: Option<i32>,
    /// Where it stands.
    pub state: LineState,
    /// Its links.
    pub legs: Vec<Leg>,
    /// Whether it is the record that closures and numbers hang on.
    pub primary: bool,
    /// What is wrong with the record, in words of the truth file.
    pub dirt: Vec<&'static str>,
}

/// One link of a line.
#[derive(Debug, Clone)]
pub struct Leg {
    /// Its id.
    pub id: RowId,
    /// Place of its town.
    pub town: usize,
    /// First and last day with evidence; `None` while it runs.
    pub from: i32,
    /// See `from`.
    pub to: Option<i32>,
    /// How most journeys are made.
    pub mode: &'static str,
    /// Journeys a week.
    pub trips_per_week: f64,
    /// From hub to town.
    pub km: f64,
    /// Whether hub and town lie in one force.
    pub local: bool,
}

/// Everything that later parts need to know.
#[derive(Debug)]
pub struct Register {
    /// The lives.
    pub lives: Vec<Life>,
    /// The records, those of one life behind one another, the primary one first.
    pub lines: Vec<Line>,
}

/// Rail minutes from door to door by distance: half an hour to and from the train, then 86 km in an hour (A). London's
/// links, 126 km in the middle, took 101 minutes by timetable.
#[must_use]
pub fn rail_minutes(km: f64) -> f64 {
    30.0 + 0.70 * km
}

/// All lines and their links.
///
/// # Errors
/// [`DemoError`].
pub fn register(settings: &Settings, facts: &Facts) -> Result<Register, DemoError> {
    let lives = lives(settings)?;
    let destinations = Destinations::new(facts);
    let hubs = hubs_of(lives.len(), settings, facts);
    let mut london = london_forces(&lives, settings, &destinations);
    let mut lines: Vec<Line> = Vec::with_capacity(lives.len() * 6 / 5);
    for (number, (life, hub)) in lives.iter().zip(hubs).enumerate() {
        let mut random = Random::new(settings.seed, "line", number as u64);
        let legs = legs(life, hub, &mut random, facts, &destinations, &mut london);
        let importing = legs.first().map(|leg| facts.towns[leg.town].force.clone());
        // The force of the town holds more of them than the force they come from (A).
        let owner = importing.filter(|_| random.chance(0.6)).unwrap_or_else(|| facts.hubs[hub].force.clone());
        lines.push(Line {
            id: random.row_id(),
            life: number,
            hub,
            owner,
            brand: dirt::brand(&mut random),
            first: life.first,
            last: life.last,
            ended: life.ended,
            state: life.state,
            legs,
            primary: true,
            dirt: Vec::new(),
        });
    }
    steer::steer(&mut lines, settings, facts, &destinations);
    let lines = dirt::held_twice(lines, settings, facts);
    Ok(Register { lives, lines })
}

/// The hub of each line, with exact shares of the exporting forces.
fn hubs_of(count: usize, settings: &Settings, facts: &Facts) -> Vec<usize> {
    let rest = 1.0 - SHARES.iter().sum::<f64>();
    let group = |force: &str| EXPORTERS.iter().position(|known| *known == force).unwrap_or(EXPORTERS.len());
    let mut people = [0.0; 5];
    for hub in &facts.hubs {
        people[group(&hub.force)] += hub.population;
    }
    let share = |force: &str| SHARES.get(group(force)).copied().unwrap_or(rest);
    let weights: Vec<f64> =
        facts.hubs.iter().map(|hub| share(&hub.force) * hub.population / people[group(&hub.force)]).collect();
    let mut hubs: Vec<usize> = apportion(count, &weights)
        .into_iter()
        .enumerate()
        .flat_map(|(hub, count)| std::iter::repeat_n(hub, count))
        .collect();
    Random::new(settings.seed, "hubs", 0).shuffle(&mut hubs);
    hubs
}

/// The forces that London's links go to, in the published proportions, in any order.
fn london_forces(lives: &[Life], settings: &Settings, destinations: &Destinations) -> Vec<usize> {
    // More than there can be: what is left over is never drawn, and the order is random.
    let most = lives.len() * 2;
    let mut forces: Vec<usize> = apportion(most, &destinations.london)
        .into_iter()
        .enumerate()
        .flat_map(|(force, count)| std::iter::repeat_n(force, count))
        .collect();
    Random::new(settings.seed, "london", 0).shuffle(&mut forces);
    forces
}

/// How likely a link that begins on a day stays inside the force.
#[must_use]
pub fn local_share(day: i32) -> f64 {
    let years = f64::from(day - JANUARY_2020) / f64::from(JANUARY_2024 - JANUARY_2020);
    (LOCAL_2020 + (LOCAL_2024 - LOCAL_2020) * years).clamp(0.07, 0.38)
}

fn legs(
    life: &Life,
    hub: usize,
    random: &mut Random,
    facts: &Facts,
    destinations: &Destinations,
    london: &mut Vec<usize>,
) -> Vec<Leg> {
    let count = *random.weighted(&LINKS);
    let end = life.ended.unwrap_or(PRESENT);
    let mut legs: Vec<Leg> = Vec::with_capacity(count);
    for number in 0..count {
        let local = random.chance(local_share(life.first.max(START))) && !destinations.local[hub].is_empty();
        let town = town(hub, local, random, destinations, london);
        if legs.iter().any(|known| known.town == town) {
            continue;
        }
        // The first link begins with the line; further ones within its first months.
        let length = end - life.first;
        let later = if number == 0 { 0 } else { random.whole(0, (length / 3).min(120)) };
        let from = life.first + later;
        let early = number > 0 && random.chance(LINK_ENDS_EARLY);
        let to = match (early, life.ended) {
            (true, _) => Some(from + random.whole(0, (end - from).max(0))),
            // What fell silent has no running links.
            (false, None) if life.state == LineState::Dormant => Some(life.last.max(from)),
            (false, None) => None,
            (false, Some(_)) => Some(life.last.max(from)),
        };
        let km = distance_km(facts.hubs[hub].position, facts.towns[town].position);
        let mode = if local { "local" } else { *random.weighted(&MODES) };
        let trips_per_week = libm::round(random.between(TRIPS.0, TRIPS.1) * 10.0) / 10.0;
        legs.push(Leg { id: random.row_id(), town, from, to, mode, trips_per_week, km, local });
    }
    legs
}

fn town(
    hub: usize,
    local: bool,
    random: &mut Random,
    destinations: &Destinations,
    london: &mut Vec<usize>,
) -> usize {
    let pick = |draw: &Draw, random: &mut Random| draw.pick(random);
    if local {
        return pick(&destinations.local[hub], random);
    }
    if destinations.away[hub].is_empty() {
        let force = london.pop().unwrap_or(0);
        return pick(&destinations.within[force].1, random);
    }
    pick(&destinations.away[hub], random)
}

impl Line {
    /// Links that run at the present, if the line does.
    pub fn running_legs(&self) -> impl Iterator<Item = &Leg> {
        let running = self.state.is_running();
        self.legs.iter().filter(move |leg| running && leg.to.is_none())
    }
}
