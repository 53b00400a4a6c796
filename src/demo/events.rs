//! Patrols and sightings. A patrol notices a part of the journeys that pass it, so the number of sightings depends on
//! officer-hours and can be corrected for them. Reports from the public are added to these.

use crate::demo::PRESENT;
use crate::demo::Record;
use crate::demo::START;
use crate::demo::Settings;
use crate::demo::draft::Draft;
use crate::demo::facts::Facts;
use crate::demo::facts::Place;
use crate::demo::lines::DealLine;
use crate::demo::lines::Leg;
use crate::demo::random::Random;
use crate::demo::records::GRADES;
use crate::demo::records::handling;
use crate::model::Position;
use crate::model::RowId;
use crate::model::Sensitivity;
use crate::model::collections::exposures;
use crate::model::collections::sightings;
use crate::model::time::DAY_MICROS;

/// Weights of journeys by hour of the day (A): most from 10 to 14 and 16 to 20, fewest from 2 to 5.
const HOURS: [f64; 24] = [
    0.35, 0.25, 0.12, 0.1, 0.1, 0.15, 0.4, 0.7, 0.8, 0.9, 1.7, 1.9, 1.9, 1.7, 1.2, 1.2, 1.7, 1.9, 1.8, 1.6,
    1.1, 0.9, 0.7, 0.5,
];
/// Weights of journeys by day of the week, from Monday (A).
const WEEKDAYS: [f64; 7] = [0.95, 1.0, 1.05, 1.1, 1.25, 0.95, 0.7];
/// Patrols a week at the station of a hub, at the station of a town, and in the streets of a town (A).
const A_WEEK: (f64, f64, f64) = (0.35, 0.05, 0.06);
/// Tactics: the name, the fraction of patrols, and the number of people that one officer screens in an hour (A).
const TACTICS: [(&str, f64, f64); 4] =
    [("uniform", 0.55, 40.0), ("plain clothes", 0.25, 60.0), ("dog", 0.14, 120.0), ("arch", 0.06, 200.0)];
/// The number of residents for each person who passes a post in an hour, and the least number of people who pass (A).
const PEOPLE_A_PASSER: f64 = 260.0;
const LEAST_PASSERS: f64 = 60.0;
/// The probability to notice a journey in a town's streets, as a fraction of that at a station (A).
const STREET_FRACTION: f64 = 0.35;
/// Reports from the public about a leg, in a month (A).
const REPORTS_A_MONTH: f64 = 0.22;
/// The fraction of sightings with an unknown line (A).
const LINE_NOT_KNOWN: f64 = 0.25;
/// Age bands of people in sightings, with the published fractions.
const AGES: [(&str, f64); 4] =
    [("under 12", 0.006), ("12-17", 0.419), ("18-25", 0.38), ("26 and over", 0.195)];
/// The fraction of them that are male.
const MALE: f64 = 0.9;
const HOUR_MICROS: i64 = DAY_MICROS / 24;

/// A patrol.
#[derive(Debug, Clone)]
struct Patrol {
    id: RowId,
    /// The start in microseconds since 1970-01-01T00:00:00Z.
    start: i64,
    hours: f64,
    /// The probability that the patrol notices a journey that passes.
    notices: f64,
    /// The expected number of journeys during the patrol for a leg with one journey a week.
    passes: f64,
    at_station: bool,
}

/// All patrols: for each hub and each town, in the order of time.
#[derive(Debug)]
pub struct Patrols {
    hubs: Vec<Vec<Patrol>>,
    towns: Vec<Vec<Patrol>>,
}

/// Generates all patrols and passes their rows to `each`.
pub fn patrols(settings: &Settings, facts: &Facts, each: &mut dyn FnMut(Record)) -> Patrols {
    let of = |place: &Place, number: usize, is_hub: bool, each: &mut dyn FnMut(Record)| {
        let mut random =
            Random::new(settings.seed, if is_hub { "hub patrols" } else { "town patrols" }, number as u64);
        let mut all = Vec::new();
        let kinds: [(bool, f64); 2] =
            [(true, if is_hub { A_WEEK.0 } else { A_WEEK.1 }), (false, if is_hub { 0.0 } else { A_WEEK.2 })];
        for (at_station, a_week) in kinds {
            let weeks = f64::from(PRESENT - START) / 7.0;
            let size = (place.population / 60_000.0).clamp(0.4, 3.0);
            let count = if is_hub { 1.0 } else { size } * a_week * weeks * settings.scale;
            if at_station && facts.station_of(place).is_none() {
                continue;
            }
            for _ in 0..random.poisson(count) {
                all.push(patrol(place, is_hub, at_station, facts, &mut random, each));
            }
        }
        all.sort_by_key(|patrol: &Patrol| (patrol.start, patrol.id));
        all
    };
    Patrols {
        hubs: facts.hubs.iter().enumerate().map(|(at, hub)| of(hub, at, true, each)).collect(),
        towns: facts.towns.iter().enumerate().map(|(at, town)| of(town, at, false, each)).collect(),
    }
}

fn patrol(
    place: &Place,
    is_hub: bool,
    at_station: bool,
    facts: &Facts,
    random: &mut Random,
    each: &mut dyn FnMut(Record),
) -> Patrol {
    let id = random.row_id();
    let day = random.whole(START, PRESENT - 1);
    let hour = i64::from(random.whole(7, 19));
    let start = i64::from(day) * DAY_MICROS + hour * HOUR_MICROS;
    let length = if at_station { random.whole(2, 5) } else { random.whole(4, 8) };
    let officers = random.whole(2, if at_station { 8 } else { 4 });
    let choices = TACTICS.map(|tactic| (tactic, tactic.1));
    // Arches and dogs are used at stations only.
    let (tactic, _, screens) = if at_station { *random.weighted(&choices) } else { TACTICS[random.below(2)] };
    let passers = (place.population / PEOPLE_A_PASSER).max(LEAST_PASSERS);
    let fraction = if at_station { 1.0 } else { STREET_FRACTION };
    let notices = fraction * (1.0 - libm::exp(-screens * f64::from(officers) / passers));
    let passes = (0..length).map(|after| hourly(start + i64::from(after) * HOUR_MICROS)).sum();
    let station = facts.station_of(place).filter(|_| at_station);
    let force = if at_station { "btp" } else { place.force.as_str() };
    let row = Draft::new(exposures::COLLECTION, exposures::FIELDS, id)
        .at(station.map_or(place.position, |(_, position)| position))
        .instant(&exposures::STARTS, start)
        .instant(&exposures::ENDS, start + i64::from(length) * HOUR_MICROS)
        .maybe_text(&exposures::STATION, station.map(|(code, _)| code))
        .maybe_text(&exposures::TOWN, (!is_hub).then(|| place.id.clone()))
        .maybe_text(&exposures::HUB, is_hub.then(|| place.id.clone()))
        .text(&exposures::FORCE, force)
        .whole(&exposures::OFFICERS, i64::from(officers))
        .number(&exposures::OFFICER_HOURS, f64::from(officers * length))
        .text(&exposures::TACTIC, tactic);
    each(row.done(&exposures::SYNTHETIC, force, "P", Sensitivity::Limited));
    Patrol { id, start, hours: f64::from(length), notices, passes, at_station }
}

/// The fraction of a week's journeys in the hour that begins at `start`, in microseconds since 1970-01-01T00:00:00Z.
fn hourly(start: i64) -> f64 {
    let day = start.div_euclid(DAY_MICROS);
    let hour = start.rem_euclid(DAY_MICROS) / HOUR_MICROS;
    // 1970-01-01 was a Thursday.
    let weekday = (day + 3).rem_euclid(7) as usize;
    let all = HOURS.iter().sum::<f64>() * WEEKDAYS.iter().sum::<f64>();
    HOURS[hour as usize] * WEEKDAYS[weekday] / all
}

/// The place and time of a sighting.
struct Seen<'a> {
    place: &'a Place,
    is_hub: bool,
    station: Option<(&'a str, Position)>,
    position: Position,
    starts: i64,
    ends: i64,
    patrol: Option<RowId>,
}

/// Generates the sightings of one leg.
pub fn sightings(
    line: &DealLine,
    leg: &Leg,
    patrols: &Patrols,
    points: &[Vec<Position>],
    facts: &Facts,
    random: &mut Random,
    each: &mut dyn FnMut(Record),
) {
    let first = i64::from(leg.from.max(START)) * DAY_MICROS;
    let last = i64::from(leg.to.unwrap_or(PRESENT)) * DAY_MICROS;
    let rail = if leg.mode == "rail" {
        0.85
    } else if leg.mode == "local" {
        0.15
    } else {
        0.1
    };
    let (hub, town) = (&facts.hubs[line.hub], &facts.towns[leg.town]);
    for (place, is_hub, all) in
        [(hub, true, &patrols.hubs[line.hub]), (town, false, &patrols.towns[leg.town])]
    {
        let from = all.partition_point(|patrol| patrol.start < first);
        for patrol in all[from..].iter().take_while(|patrol| patrol.start < last) {
            // Each journey passes twice, out and back.
            let passing = 2.0 * leg.trips_per_week * patrol.passes;
            let mode = if patrol.at_station { rail } else { 1.0 };
            for _ in 0..random.poisson(passing * mode * patrol.notices) {
                let at = patrol.start + (random.unit() * patrol.hours * HOUR_MICROS as f64) as i64;
                let at = at / 60_000_000 * 60_000_000;
                let station = facts.station_of(place).filter(|_| patrol.at_station);
                let position =
                    station.map_or_else(|| street(place, is_hub, &points[leg.town], random), |(_, at)| at);
                let seen = Seen {
                    place,
                    is_hub,
                    station,
                    position,
                    starts: at,
                    ends: at + 60_000_000 * i64::from(random.whole(2, 15)),
                    patrol: Some(patrol.id),
                };
                sighting(line, &seen, random, each);
            }
        }
    }
    let months = (last - first).max(0) as f64 / DAY_MICROS as f64 / 30.4;
    for _ in 0..random.poisson(months * REPORTS_A_MONTH) {
        let starts = first + (random.unit() * (last - first) as f64) as i64;
        let starts = starts / HOUR_MICROS * HOUR_MICROS;
        let seen = Seen {
            place: town,
            is_hub: false,
            station: None,
            position: street(town, false, &points[leg.town], random),
            starts,
            // A reporter often knows only the part of the day.
            ends: starts + HOUR_MICROS * i64::from(*random.one_of(&[1, 2, 4, 12])),
            patrol: None,
        };
        sighting(line, &seen, random, each);
    }
}

fn street(place: &Place, is_hub: bool, points: &[Position], random: &mut Random) -> Position {
    if is_hub { place.position } else { *random.one_of(points) }
}

fn sighting(line: &DealLine, seen: &Seen<'_>, random: &mut Random, each: &mut dyn FnMut(Record)) {
    let kind = match seen.patrol {
        None => "report",
        Some(_) => *random.weighted(&[("stop", 0.45), ("search", 0.40), ("arrest", 0.15)]),
    };
    let outcome = *match kind {
        "report" => random.weighted(&[("passed on", 0.7), ("visited", 0.2), ("nothing found", 0.1)]),
        "arrest" => random.weighted(&[("charged", 0.5), ("released under investigation", 0.5)]),
        // 20 to 45 % of searches find something.
        "search" => random.weighted(&[
            ("nothing found", 0.66),
            ("drugs found", 0.22),
            ("cash found", 0.07),
            ("weapon found", 0.05),
        ]),
        _ => random.weighted(&[("no further action", 0.6), ("taken home", 0.15), ("safeguarded", 0.25)]),
    };
    let age = *random.weighted(&AGES);
    let sex = if random.chance(MALE) { "male" } else { "female" };
    let direction = if random.chance(0.55) { "outbound" } else { "inbound" };
    let force = if seen.station.is_some() { "btp" } else { seen.place.force.as_str() };
    let known = !random.chance(LINE_NOT_KNOWN);
    let row = Draft::new(sightings::COLLECTION, sightings::FIELDS, random.row_id())
        .at(seen.position)
        .text(&sightings::KIND, kind)
        .instant(&sightings::STARTS, seen.starts)
        .instant(&sightings::ENDS, seen.ends)
        .maybe_text(&sightings::STATION, seen.station.map(|(code, _)| code))
        .maybe_text(&sightings::TOWN, (!seen.is_hub).then(|| seen.place.id.clone()))
        .maybe_text(&sightings::HUB, seen.is_hub.then(|| seen.place.id.clone()))
        .text(&sightings::FORCE, force)
        .text(&sightings::DIRECTION, direction)
        .whole(&sightings::PERSONS, i64::from(1 + random.poisson(0.25)))
        .text(&sightings::AGE_BAND, age)
        .text(&sightings::SEX, sex)
        .text(&sightings::OUTCOME, outcome)
        .maybe_text(&sightings::LINE, known.then(|| line.id.to_string()))
        .maybe_text(&sightings::EXPOSURE, seen.patrol.map(|id| id.to_string()))
        .text(&sightings::GRADE, *random.weighted(&GRADES));
    each(row.done(&sightings::SYNTHETIC, force, handling(random), Sensitivity::Restricted));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fractions_of_all_hours_of_a_week_add_up_to_one() {
        let monday = 18_197_i64 * DAY_MICROS;
        let sum: f64 = (0..168).map(|hour| hourly(monday + hour * HOUR_MICROS)).sum();
        assert!((sum - 1.0).abs() < 1e-12);
        // 28 October 2019 was a Monday. Noon on a Friday is among the busiest hours; 03:00 on a Sunday is the quietest.
        let at = |day: i64, hour: i64| hourly(monday + day * DAY_MICROS + hour * HOUR_MICROS);
        let all: Vec<f64> = (0..168).map(|hour| hourly(monday + hour * HOUR_MICROS)).collect();
        assert!(all.iter().all(|fraction| *fraction <= at(4, 12) && *fraction >= at(6, 3)));
    }
}
