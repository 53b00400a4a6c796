//! Rows of lines, their legs, their numbers and the addresses that they take over.

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use sha2::Sha256;

use crate::demo::DemoError;
use crate::demo::PRESENT;
use crate::demo::Record;
use crate::demo::START;
use crate::demo::draft::Draft;
use crate::demo::draft::rounded;
use crate::demo::facts::Facts;
use crate::demo::lines::DealLine;
use crate::demo::lines::rail_minutes;
use crate::demo::random::Random;
use crate::model::Geometry;
use crate::model::GeometryType;
use crate::model::Position;
use crate::model::RowId;
use crate::model::Sensitivity;
use crate::model::collections::addresses;
use crate::model::collections::legs;
use crate::model::collections::lines;
use crate::model::collections::numbers;
use crate::model::geometry::GeometryBuilder;
use crate::model::lifecycle::AddressEvent;
use crate::model::lifecycle::AddressState;
use crate::model::lifecycle::IllegalTransition;
use crate::model::lifecycle::RestrictionEvent;
use crate::model::lifecycle::RestrictionState;

/// Grades of records, with weights (A): mostly 2C and 1B.
pub const GRADES: [(&str, f64); 7] =
    [("2C", 0.40), ("1B", 0.30), ("2B", 0.10), ("1A", 0.06), ("2D", 0.06), ("3D", 0.05), ("3C", 0.03)];
/// The fraction of records that may be passed on only under conditions.
pub const WITH_CONDITIONS: f64 = 0.08;
/// The mean life of a number in days: 3.8 months.
const NUMBER_DAYS: f64 = 115.0;
/// The fraction of changes of number with a gap of up to two weeks; after it the line comes back under its old brand.
const GAP: f64 = 0.20;
/// The revenue in pence of a weekly journey: £800,000 a year for five journeys a week.
const PENCE_A_TRIP: f64 = 800_000.0 * 100.0 / 52.0 / 5.0 / 1.73;
/// The number of addresses that a line takes over in its life: six to eight are known for each closed line.
const ADDRESSES: (i32, i32) = (6, 8);
/// The days over which a line takes over that number (A).
const LIFE_DAYS: f64 = 240.0;
/// The median stay in days, and the standard deviation of its logarithm (A).
const STAY: (f64, f64) = (3.0, 1.0);

/// A random handling code.
pub fn handling(random: &mut Random) -> &'static str {
    if random.chance(WITH_CONDITIONS) { "C" } else { "P" }
}

/// The confidence from 0 to 1 that reports of a grade give. Several reports count as independent: 1 - (1 - w)^n.
///
/// Source: the weights w of source and information are assumptions (A).
fn confidence(grade: &str, reports: u32) -> f64 {
    let (source, information) = (grade.as_bytes().first(), grade.as_bytes().get(1));
    let source = match source {
        Some(b'1') => 1.0,
        Some(b'2') => 0.6,
        _ => 0.3,
    };
    let information = match information {
        Some(b'A') => 1.0,
        Some(b'B') => 0.8,
        Some(b'C') => 0.5,
        Some(b'D') => 0.3,
        _ => 0.0,
    };
    let weight = f64::min(source * information, 0.95);
    rounded(1.0 - libm::pow(1.0 - weight, f64::from(reports.clamp(1, 6))), 3)
}

/// Generates the rows of one line and its legs.
pub fn line(line: &DealLine, facts: &Facts, random: &mut Random, each: &mut dyn FnMut(Record)) {
    let hub = &facts.hubs[line.hub];
    let trips: f64 = line.legs.iter().map(|leg| leg.trips_per_week).sum();
    let grade = *random.weighted(&GRADES);
    let handling = handling(random);
    let commodities = *random.weighted(&[
        ("crack;heroin", 0.80),
        ("cocaine;crack;heroin", 0.08),
        ("cannabis;cocaine", 0.07),
        ("crack", 0.05),
    ]);
    let ocg = random.chance(0.35).then(|| format!("OCG-{}", 10_000 + random.below(1_500)));
    let revenue = trips * PENCE_A_TRIP * random.log_normal(1.0, 0.3);
    let reports = 1 + random.poisson(f64::from((line.last - line.first).max(0)) / 60.0);
    let row = Draft::new(lines::COLLECTION, lines::FIELDS, line.id)
        .text(&lines::BRAND, line.brand.clone())
        .text(&lines::STATUS, line.state.as_str())
        .text(&lines::HUB, hub.id.clone())
        .text(&lines::EXPORTING_FORCE, hub.force.clone())
        .day(&lines::FIRST_SEEN, line.first)
        .day(&lines::LAST_SEEN, line.last)
        .maybe_day(&lines::CLOSED_ON, line.ended)
        .text(&lines::COMMODITIES, commodities)
        .number(&lines::TRIPS_PER_WEEK, rounded(trips, 1))
        .whole(&lines::REVENUE_PENCE_PER_WEEK, libm::round(revenue / 10_000.0) as i64 * 10_000)
        .number(&lines::CONFIDENCE, confidence(grade, reports))
        .maybe_text(&lines::OCG, ocg)
        .text(&lines::GRADE, grade);
    each(row.done(&lines::SYNTHETIC, &line.owner, handling, Sensitivity::Limited));
    for leg in &line.legs {
        let town = &facts.towns[leg.town];
        let row = Draft::new(legs::COLLECTION, legs::FIELDS, leg.id)
            .geometry(straight(hub.position, town.position))
            .row(&legs::LINE, line.id)
            .text(&legs::HUB, hub.id.clone())
            .text(&legs::TOWN, town.id.clone())
            .text(&legs::EXPORTING_FORCE, hub.force.clone())
            .text(&legs::IMPORTING_FORCE, town.force.clone())
            .text(&legs::MODE, leg.mode)
            .number(&legs::TRIPS_PER_WEEK, leg.trips_per_week)
            .number(&legs::WEIGHT, rounded(leg.trips_per_week / trips, 3))
            .whole(&legs::DISTANCE_M, libm::round(leg.km * 1_000.0) as i64)
            .whole(&legs::RAIL_MINUTES, libm::round(rail_minutes(leg.km)) as i64)
            .day(&legs::ACTIVE_FROM, leg.from)
            .maybe_day(&legs::ACTIVE_TO, leg.to)
            .whole(&legs::EVIDENCE, i64::from(1 + random.poisson(3.0)));
        each(row.done(&legs::SYNTHETIC, &line.owner, handling, Sensitivity::Limited));
    }
}

fn straight(from: Position, to: Position) -> Option<Geometry> {
    let mut builder = GeometryBuilder::new(GeometryType::LineString);
    for end in [from, to] {
        builder.position(end.lon_degrees(), end.lat_degrees()).ok()?;
    }
    builder.end_ring().ok()?;
    builder.end_part();
    builder.finish()
}

/// Turns numbers into tokens with a key that depends on the seed.
#[derive(Debug)]
pub struct Tokens {
    key: [u8; 32],
}

impl Tokens {
    /// For a seed.
    pub fn new(seed: u64) -> Self {
        Self { key: blake3::derive_key("throughline demo number tokens", &seed.to_le_bytes()) }
    }

    /// The token of a number in one of its lives. The range has a thousand numbers and the set has more lives, so a number is
    /// used several times; its tokens differ, because these lives are unrelated.
    fn token(&self, number: &str, life: RowId) -> Result<String, DemoError> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key)?;
        mac.update(number.as_bytes());
        mac.update(&life.0.to_be_bytes());
        Ok(mac.finalize().into_bytes()[..16].iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Generates the numbers of a line, one after another over its life. `held` are the records that have them.
///
/// # Errors
/// [`DemoError::Lifecycle`] if a state does not allow an event; [`DemoError::Key`] if the key is refused.
pub fn numbers(
    held: &[&DealLine],
    tokens: &Tokens,
    random: &mut Random,
    each: &mut dyn FnMut(Record),
) -> Result<(), DemoError> {
    let Some(primary) = held.first() else { return Ok(()) };
    let end = primary.ended.unwrap_or(PRESENT);
    let mut from = primary.first;
    let mut handset = random.token();
    while from <= end {
        // Ofcom keeps 07700 900000 to 900999 for drama.
        let number = format!("+447700900{:03}", random.below(1_000));
        let until = from + random.exponential(NUMBER_DAYS) as i32 + 1;
        let to = (until <= end).then_some(until).or(primary.ended);
        if !random.chance(0.6) {
            handset = random.token();
        }
        let network =
            *random.one_of(&["network A", "network B", "network C", "network D", "virtual network"]);
        let restriction = restriction(random, to)?;
        let life = random.row_id();
        let token = tokens.token(&number, life)?;
        for (place, line) in held.iter().enumerate() {
            let id = if place == 0 { life } else { random.row_id() };
            let row = Draft::new(numbers::COLLECTION, numbers::FIELDS, id)
                .row(&numbers::LINE, line.id)
                .text(&numbers::TOKEN, token.clone())
                .text(&numbers::LAST_DIGITS, &number[number.len() - 3..])
                .text(&numbers::HANDSET_TOKEN, handset.clone())
                .text(&numbers::NETWORK, network)
                .day(&numbers::ACTIVE_FROM, from)
                .maybe_day(&numbers::ACTIVE_TO, to)
                .text(&numbers::RESTRICTION, restriction.as_str());
            each(row.done(&numbers::SYNTHETIC, &line.owner, "P", Sensitivity::Restricted));
        }
        from = until + if random.chance(GAP) { random.whole(1, 14) } else { 0 };
    }
    Ok(())
}

/// A random state of a restriction order. Applications are made for one number in twenty-five (A).
fn restriction(random: &mut Random, dead: Option<i32>) -> Result<RestrictionState, IllegalTransition> {
    let mut state = RestrictionState::None;
    if !random.chance(0.04) {
        return Ok(state);
    }
    state = state.after(RestrictionEvent::Apply)?;
    if random.chance(0.1) {
        return state.after(RestrictionEvent::Refuse);
    }
    if random.chance(0.8) {
        state = state.after(RestrictionEvent::Grant)?;
        if random.chance(0.8) {
            state = state.after(RestrictionEvent::Serve)?;
        }
    }
    if dead.is_some() { state.after(RestrictionEvent::Expire) } else { Ok(state) }
}

/// Generates the addresses of a line. `points` has the free positions of each town.
///
/// # Errors
/// [`DemoError::Lifecycle`] if a state does not allow an event.
pub fn addresses(
    line: &DealLine,
    points: &[Vec<Position>],
    facts: &Facts,
    random: &mut Random,
    each: &mut dyn FnMut(Record),
) -> Result<(), DemoError> {
    let days = f64::from(line.ended.unwrap_or(PRESENT) - line.first.max(START - 60));
    let whole_life = random.whole(ADDRESSES.0, ADDRESSES.1);
    let count = if line.ended.is_some() {
        whole_life
    } else {
        libm::round(f64::from(whole_life) * (days / LIFE_DAYS).min(1.0)) as i32
    };
    for _ in 0..if line.legs.is_empty() { 0 } else { count } {
        let leg = random.one_of(&line.legs);
        let town = &facts.towns[leg.town];
        let last_day = leg.to.unwrap_or(PRESENT);
        let first = random.whole(leg.from, last_day);
        let stay = random.log_normal(STAY.0, STAY.1);
        let last = (first + libm::ceil(stay) as i32 - 1).min(PRESENT).max(first);
        let (state, visits, last_visit) = course(random, last)?;
        let street =
            *random.one_of(&["Sample", "Example", "Specimen", "Pattern", "Placeholder", "Imaginary"]);
        let way = *random.one_of(&["Street", "Road", "Close", "Court", "Walk", "Terrace"]);
        let kind =
            *random.weighted(&[("flat", 0.62), ("house", 0.30), ("short let", 0.05), ("hotel room", 0.03)]);
        let letters = [random.below(26), random.below(26)].map(|at| char::from(b'A' + at as u8));
        let text = format!(
            "{} {street} {way}, {}, ZZ99 {}{}{}",
            1 + random.below(180),
            town.name,
            random.below(10),
            letters[0],
            letters[1]
        );
        let mut needs: Vec<&str> =
            ["addiction", "mental health", "learning disability", "physical disability", "age", "debt"]
                .into_iter()
                .filter(|need| random.chance(if *need == "addiction" { 0.7 } else { 0.22 }))
                .collect();
        if needs.is_empty() {
            needs.push("not known");
        }
        let row = Draft::new(addresses::COLLECTION, addresses::FIELDS, random.row_id())
            .at(*random.one_of(&points[leg.town]))
            .text(&addresses::UPRN, format!("9990{:08}", random.below(100_000_000)))
            .text(&addresses::ADDRESS, text)
            .text(&addresses::KIND, kind)
            .text(&addresses::STATUS, state.as_str())
            .row(&addresses::LINE, line.id)
            .text(&addresses::TOWN, town.id.clone())
            .text(&addresses::FORCE, town.force.clone())
            .day(&addresses::FIRST_SEEN, first)
            .day(&addresses::LAST_SEEN, last)
            .text(&addresses::VULNERABILITY, needs.join(";"))
            .whole(&addresses::VISITS, i64::from(visits))
            .maybe_day(&addresses::LAST_VISIT, last_visit);
        each(row.done(&addresses::SYNTHETIC, &town.force, handling(random), Sensitivity::Restricted));
    }
    Ok(())
}

/// The state of an address on the reference date, the number of visits, and the day of the last visit. `left` is the last
/// day of the take-over.
fn course(random: &mut Random, left: i32) -> Result<(AddressState, u32, Option<i32>), IllegalTransition> {
    let mut state = AddressState::Reported;
    let (mut day, mut visits, mut last_visit) = (left, 0, None);
    let step = |days: i32, day: &mut i32| {
        *day += days;
        *day <= PRESENT
    };
    if !step(random.whole(0, 5), &mut day) {
        return Ok((state, visits, last_visit));
    }
    if random.chance(0.15) {
        return Ok((state.after(AddressEvent::Close)?, 1, Some(day)));
    }
    loop {
        state = state.after(AddressEvent::Confirm)?;
        visits += 1;
        last_visit = Some(day);
        if !step(random.whole(0, 4), &mut day) {
            break;
        }
        state = state.after(AddressEvent::Safeguard)?;
        if !step(random.whole(3, 14), &mut day) {
            break;
        }
        state = state.after(AddressEvent::Monitor)?;
        let recurs = random.chance(0.08);
        let until = if recurs { random.whole(5, 60) } else { random.whole(60, 180) };
        visits += (until.min(PRESENT - day) / 14) as u32;
        last_visit = Some(day + (until.min(PRESENT - day) / 14) * 14);
        if !step(until, &mut day) {
            break;
        }
        if !recurs {
            state = state.after(AddressEvent::Close)?;
            break;
        }
        state = state.after(AddressEvent::Recur)?;
        if !step(random.whole(0, 5), &mut day) {
            break;
        }
    }
    Ok((state, visits, last_visit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn independent_reports_raise_the_confidence() {
        // 2C: 0.6 x 0.5 = 0.3; three of them 1 - 0.7^3 = 0.657.
        assert!((confidence("2C", 1) - 0.3).abs() < 1e-9 && (confidence("2C", 3) - 0.657).abs() < 1e-9);
        assert!((confidence("3E", 4)).abs() < 1e-9);
    }

    #[test]
    fn a_token_differs_by_number_and_by_life() {
        let tokens = Tokens { key: [7; 32] };
        let token = tokens.token("+447700900123", RowId(1)).unwrap();
        assert_eq!(token.len(), 32);
        assert_ne!(token, tokens.token("+447700900123", RowId(2)).unwrap());
        assert_ne!(token, tokens.token("+447700900124", RowId(1)).unwrap());
    }
}
