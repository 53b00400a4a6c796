//! Faults of real registers, added on purpose: two or three forces hold the same line, under other names, with other days,
//! without numbers or with a wrong town. The truth is written to a file of its own and never to the store.

use crate::demo::PRESENT;
use crate::demo::Settings;
use crate::demo::facts::Facts;
use crate::demo::facts::distance_km;
use crate::demo::lines::DealLine;
use crate::demo::random::Random;

/// The fraction of lines that more than one force holds (A).
const HELD_TWICE: f64 = 0.15;
/// The fraction of these that three forces hold (A).
const HELD_BY_THREE: f64 = 0.2;
/// The probability of each fault in a further record (A).
const OTHER_NAME: f64 = 0.6;
const OTHER_DAYS: f64 = 0.5;
const OTHER_TOWN: f64 = 0.1;
const NO_NUMBER: f64 = 0.3;

/// The words of brands. They are birds, trees, stones and weather; no real line has such a brand.
const WORDS: [&str; 72] = [
    "Alder", "Amber", "Ash", "Aspen", "Basalt", "Beech", "Birch", "Bittern", "Bracken", "Bramble", "Breeze",
    "Bunting", "Cedar", "Chalk", "Clover", "Cobalt", "Copper", "Coral", "Curlew", "Dapple", "Drizzle",
    "Dunlin", "Elder", "Ember", "Fennel", "Fern", "Finch", "Flint", "Frost", "Garnet", "Gorse", "Granite",
    "Grebe", "Gust", "Hail", "Harrier", "Hazel", "Heather", "Heron", "Holly", "Indigo", "Ivy", "Jasper",
    "Juniper", "Kestrel", "Lapwing", "Larch", "Linnet", "Maple", "Marble", "Merlin", "Mist", "Nettle", "Oak",
    "Onyx", "Opal", "Osprey", "Pebble", "Pine", "Plover", "Quartz", "Rowan", "Rust", "Saffron", "Sedge",
    "Slate", "Sorrel", "Starling", "Teal", "Thistle", "Umber", "Willow",
];

/// A random brand. Lines of other hubs may have the same brand, on purpose.
pub fn brand(random: &mut Random) -> String {
    let word = *random.one_of(&WORDS);
    match random.below(10) {
        0..=4 => word.to_owned(),
        5..=6 => format!("{word} line"),
        7 => format!("The {word}"),
        _ => {
            let other = *random.one_of(&WORDS);
            format!("{word} and {other}")
        }
    }
}

/// Another spelling of a brand.
fn variant(brand: &str, random: &mut Random) -> String {
    let bare = brand.trim_end_matches(" line").trim_start_matches("The ");
    match random.below(5) {
        0 => bare.to_uppercase(),
        1 => format!("{bare} Line"),
        2 => format!("{bare}s"),
        3 => bare.replace(" and ", " & "),
        _ => {
            // One letter is missing.
            let at = 1 + random.below(bare.len().saturating_sub(2));
            bare.char_indices().filter(|(place, _)| *place != at).map(|(_, letter)| letter).collect()
        }
    }
}

/// All lines; each is followed by the further records that other forces hold of it.
///
/// Lines with a leg to one of the two places with published figures have no further records, so that their number is the
/// published figure.
pub fn with_duplicates(lines: Vec<DealLine>, settings: &Settings, facts: &Facts) -> Vec<DealLine> {
    let counted = |town: usize| {
        let town = &facts.towns[town];
        town.id == "portsmouth" || town.force == "northamptonshire"
    };
    let mut out = Vec::with_capacity(lines.len() * 6 / 5);
    for line in lines {
        let mut random = Random::new(settings.seed, "dirt", line.life as u64);
        let more = match random.unit() {
            x if x < HELD_TWICE * HELD_BY_THREE => 2,
            x if x < HELD_TWICE => 1,
            _ => 0,
        };
        let known = line.legs.iter().any(|leg| counted(leg.town));
        let mut others = holders(&line, facts);
        out.push(line);
        let at = out.len() - 1;
        for _ in 0..if known { 0 } else { more } {
            let Some(owner) = (!others.is_empty()).then(|| others.remove(random.below(others.len()))) else {
                break;
            };
            let record = further(&out[at], owner, &mut random, facts, &counted);
            out.push(record);
        }
    }
    out
}

/// The forces of the line's hub and towns, without the owner of the record.
fn holders(line: &DealLine, facts: &Facts) -> Vec<String> {
    let mut forces = vec![facts.hubs[line.hub].force.clone()];
    forces.extend(line.legs.iter().map(|leg| facts.towns[leg.town].force.clone()));
    // If all are the owner, the British Transport Police may hold a further record.
    if forces.iter().all(|force| *force == line.owner) {
        forces.push("btp".to_owned());
    }
    forces.sort();
    forces.dedup();
    forces.retain(|force| *force != line.owner);
    forces
}

fn further(
    line: &DealLine,
    owner: String,
    random: &mut Random,
    facts: &Facts,
    counted: &dyn Fn(usize) -> bool,
) -> DealLine {
    let mut record = DealLine { id: random.row_id(), owner, primary: false, ..line.clone() };
    record.dirt.push("held twice");
    for leg in &mut record.legs {
        leg.id = random.row_id();
    }
    if random.chance(OTHER_NAME) {
        record.brand = variant(&line.brand, random);
        record.dirt.push("other name");
    }
    if random.chance(OTHER_DAYS) {
        let shift = random.whole(1, 21);
        record.first = (line.first + shift).min(line.last);
        for leg in &mut record.legs {
            leg.from = (leg.from + shift).min(leg.to.unwrap_or(PRESENT));
        }
        record.dirt.push("other days");
    }
    if random.chance(OTHER_TOWN) && !record.legs.is_empty() {
        let at = random.below(record.legs.len());
        let here = record.legs[at].town;
        let from_hub = |town: usize| distance_km(facts.hubs[record.hub].position, facts.towns[town].position);
        let taken: Vec<usize> = record.legs.iter().map(|leg| leg.town).collect();
        let mut near: Vec<(f64, usize)> = (0..facts.towns.len())
            // A leg needs two different places, also if it is wrong.
            .filter(|town| !taken.contains(town) && !counted(*town) && from_hub(*town) > 2.0)
            .map(|town| (distance_km(facts.towns[town].position, facts.towns[here].position), town))
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        if let Some((_, town)) = near.get(random.below(3)) {
            record.legs[at].town = *town;
            record.legs[at].km = distance_km(facts.hubs[record.hub].position, facts.towns[*town].position);
            record.legs[at].local = facts.hubs[record.hub].force == facts.towns[*town].force;
            record.dirt.push("other town");
        }
    }
    record.dirt.push(if random.chance(NO_NUMBER) { "no number" } else { "same number" });
    record
}
