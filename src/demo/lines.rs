//! Lines: gives each life a hub, a brand, one to three legs to towns, and the force that holds the record.

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

/// The fractions of lines that the exporting forces Metropolitan, Merseyside, West Midlands and Greater Manchester have
/// (A: the four have the majority); the other lines start from secondary hubs.
pub const EXPORTER_FRACTIONS: [f64; 4] = [0.35, 0.15, 0.12, 0.10];
/// The fraction of legs that stay inside their force in January 2020, and in January 2024 (A, following the published
/// growth of local lines).
const LOCAL_2020: f64 = 0.10;
const LOCAL_2024: f64 = 0.35;
const JANUARY_2020: i32 = 18_262;
const JANUARY_2024: i32 = 19_723;
/// The number of legs of a line, with weights (A).
const LEGS_PER_LINE: [(usize, f64); 3] = [(1, 0.45), (2, 0.37), (3, 0.18)];
/// The least and greatest number of journeys a week on a leg (A).
const TRIPS: (f64, f64) = (3.0, 7.0);
/// The probability that a leg ends before its line (A).
const LEG_ENDS_EARLY: f64 = 0.15;
/// The mode of most journeys on a leg that leaves the force, with weights (A: rail 45 %).
const MODES: [(&str, f64); 3] = [("rail", 0.45), ("road", 0.45), ("coach", 0.10)];

/// A record of a line, held by one force.
#[derive(Debug, Clone)]
pub struct DealLine {
    /// The id of the record.
    pub id: RowId,
    /// The index of its life in [`Register::lives`].
    pub life: usize,
    /// The index of its hub in [`Facts::hubs`].
    pub hub: usize,
    /// The force that holds the record.
    pub owner: String,
    /// The brand that the force knows.
    pub brand: String,
    /// The first and the last day with evidence, in days since 1970-01-01.
    pub first: i32,
    /// See `first`.
    pub last: i32,
    /// The day on which the line ended.
    pub ended: Option<i32>,
    /// The state of the line.
    pub state: LineState,
    /// The legs of the line.
    pub legs: Vec<Leg>,
    /// Whether closures and numbers refer to this record.
    pub primary: bool,
    /// The faults of the record, in the words of the truth file.
    pub dirt: Vec<&'static str>,
}

/// One leg of a line.
#[derive(Debug, Clone)]
pub struct Leg {
    /// The id of the leg.
    pub id: RowId,
    /// The index of its town in [`Facts::towns`].
    pub town: usize,
    /// The first and the last day with evidence; no last day while the leg is active.
    pub from: i32,
    /// See `from`.
    pub to: Option<i32>,
    /// The mode of most journeys.
    pub mode: &'static str,
    /// The number of journeys a week.
    pub trips_per_week: f64,
    /// The great-circle distance from hub to town in kilometres.
    pub km: f64,
    /// Whether hub and town are in the same force.
    pub local: bool,
}

/// All lives and the records of their lines.
#[derive(Debug)]
pub struct Register {
    /// The lives.
    pub lives: Vec<Life>,
    /// The records; those of one life follow each other, the primary record first.
    pub lines: Vec<DealLine>,
}

/// Minutes by rail from door to door for a distance in kilometres: 30 minutes to and from the train, then 86 km an hour
/// (A). London's legs, with a median of 126 km, took 101 minutes by timetable.
#[must_use]
pub fn rail_minutes(km: f64) -> f64 {
    30.0 + 0.70 * km
}

/// Generates all lines and their legs.
///
/// # Errors
/// [`DemoError::Lifecycle`] if a state does not allow an event.
pub fn register(settings: &Settings, facts: &Facts) -> Result<Register, DemoError> {
    let lives = lives(settings)?;
    let destinations = Destinations::new(facts);
    let hubs = hubs_of(lives.len(), settings, facts);
    let mut london = london_forces(&lives, settings, &destinations);
    let mut lines: Vec<DealLine> = Vec::with_capacity(lives.len() * 6 / 5);
    for (number, (life, hub)) in lives.iter().zip(hubs).enumerate() {
        let mut random = Random::new(settings.seed, "line", number as u64);
        let legs = legs(life, hub, &mut random, facts, &destinations, &mut london);
        let importing = legs.first().map(|leg| facts.towns[leg.town].force.clone());
        // The force of the first town holds more records than the exporting force (A).
        let owner = importing.filter(|_| random.chance(0.6)).unwrap_or_else(|| facts.hubs[hub].force.clone());
        lines.push(DealLine {
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
    let lines = dirt::with_duplicates(lines, settings, facts);
    Ok(Register { lives, lines })
}

/// The index of the hub of each line, with exact fractions of the exporting forces.
fn hubs_of(count: usize, settings: &Settings, facts: &Facts) -> Vec<usize> {
    let rest = 1.0 - EXPORTER_FRACTIONS.iter().sum::<f64>();
    let group = |force: &str| EXPORTERS.iter().position(|known| *known == force).unwrap_or(EXPORTERS.len());
    let mut people = [0.0; 5];
    for hub in &facts.hubs {
        people[group(&hub.force)] += hub.population;
    }
    let fraction = |force: &str| EXPORTER_FRACTIONS.get(group(force)).copied().unwrap_or(rest);
    let weights: Vec<f64> = facts
        .hubs
        .iter()
        .map(|hub| fraction(&hub.force) * hub.population / people[group(&hub.force)])
        .collect();
    let mut hubs: Vec<usize> = apportion(count, &weights)
        .into_iter()
        .enumerate()
        .flat_map(|(hub, count)| std::iter::repeat_n(hub, count))
        .collect();
    Random::new(settings.seed, "hubs", 0).shuffle(&mut hubs);
    hubs
}

/// The forces that London's legs go to, in the published proportions and a random order, as indexes in
/// [`Destinations::within`].
fn london_forces(lives: &[Life], settings: &Settings, destinations: &Destinations) -> Vec<usize> {
    // This is more than there are legs; the rest is not used. The order is random, so the proportions hold.
    let most = lives.len() * 2;
    let mut forces: Vec<usize> = apportion(most, &destinations.london)
        .into_iter()
        .enumerate()
        .flat_map(|(force, count)| std::iter::repeat_n(force, count))
        .collect();
    Random::new(settings.seed, "london", 0).shuffle(&mut forces);
    forces
}

/// The probability that a leg that begins on a day stays inside its force. `day` counts from 1970-01-01.
#[must_use]
pub fn local_fraction(day: i32) -> f64 {
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
    let count = *random.weighted(&LEGS_PER_LINE);
    let end = life.ended.unwrap_or(PRESENT);
    let mut legs: Vec<Leg> = Vec::with_capacity(count);
    for number in 0..count {
        let local =
            random.chance(local_fraction(life.first.max(START))) && !destinations.local[hub].is_empty();
        let town = town(hub, local, random, destinations, london);
        if legs.iter().any(|known| known.town == town) {
            continue;
        }
        // The first leg begins with the line; further legs begin within its first months.
        let length = end - life.first;
        let later = if number == 0 { 0 } else { random.whole(0, (length / 3).min(120)) };
        let from = life.first + later;
        let early = number > 0 && random.chance(LEG_ENDS_EARLY);
        let to = match (early, life.ended) {
            (true, _) => Some(from + random.whole(0, (end - from).max(0))),
            // A dormant line has no active legs.
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

impl DealLine {
    /// The legs that are active on the reference date; none if the line is not running.
    pub fn running_legs(&self) -> impl Iterator<Item = &Leg> {
        let running = self.state.is_running();
        self.legs.iter().filter(move |leg| running && leg.to.is_none())
    }
}
