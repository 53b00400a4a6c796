//! Moves legs until two published figures are met exactly: 20 lines in Portsmouth, and 38 in Northamptonshire, most of
//! them in Northampton and Kettering. A leg that is moved gets another town; its line and hub stay.
//!
//! Source: founding documents: Portsmouth 2018 ("around 20 networks"), Northamptonshire 2020 (38 groups).

use crate::demo::Settings;
use crate::demo::destinations::Destinations;
use crate::demo::facts::Facts;
use crate::demo::facts::distance_km;
use crate::demo::lines::DealLine;
use crate::demo::random::Random;

/// The number of lines that run to Portsmouth on the reference date.
pub const PORTSMOUTH: f64 = 20.0;
/// The number of lines that run to Northamptonshire on the reference date.
pub const NORTHAMPTONSHIRE: f64 = 38.0;
/// The fraction of these that run to Northampton or Kettering.
const MAIN_TOWNS: f64 = 0.70;
/// The fraction of Portsmouth's lines that are moved from other towns of its county, and the greatest distance in
/// kilometres of the hubs of the others (A).
const FROM_HAMPSHIRE: f64 = 0.65;
const FURTHER_HUBS_KM: f64 = 330.0;

/// A set of towns and the number of running lines that it should have.
struct Aim<'a> {
    wanted: usize,
    inside: &'a dyn Fn(usize) -> bool,
    /// The town for a leg that is moved into the set.
    into: &'a dyn Fn(&mut Random) -> usize,
    /// Whether a leg, by its line and town, may be moved into the set.
    from: &'a dyn Fn(&DealLine, usize) -> bool,
    /// The town for a leg that is moved out of the set, by the index of its hub.
    out: &'a dyn Fn(usize, &mut Random) -> usize,
}

/// Moves legs until both figures are met.
pub fn steer(lines: &mut [DealLine], settings: &Settings, facts: &Facts, destinations: &Destinations) {
    let mut random = Random::new(settings.seed, "steer", 0);
    let find = |id: &str| facts.towns.iter().position(|town| town.id == id).unwrap_or(0);
    let force = |town: usize| facts.towns[town].force.as_str();
    let draw = |name: &str| destinations.within.iter().find(|(force, _)| force == name).map(|(_, draw)| draw);
    let (portsmouth, northampton, kettering) = (find("portsmouth"), find("northampton"), find("kettering"));
    let count = |figure: f64| libm::round(figure * settings.scale) as usize;

    let within = |name: &str, but: &dyn Fn(usize) -> bool, random: &mut Random| -> usize {
        let Some(draw) = draw(name) else { return 0 };
        for _ in 0..1_000 {
            let town = draw.pick(random);
            if !but(town) {
                return town;
            }
        }
        0
    };
    let to_portsmouth = |wanted: f64,
                         from: &dyn Fn(&DealLine, usize) -> bool,
                         lines: &mut [DealLine],
                         random: &mut Random| {
        let aim = Aim {
            wanted: count(wanted),
            inside: &|town| town == portsmouth,
            into: &|_| portsmouth,
            from,
            out: &|_, random| within("hampshire", &|town| town == portsmouth, random),
        };
        aim.reach(lines, facts, random);
    };
    // Most legs are moved from other towns in Hampshire, which are London's; some come from other hubs (A).
    let near = |line: &DealLine| {
        distance_km(facts.hubs[line.hub].position, facts.towns[portsmouth].position) < FURTHER_HUBS_KM
    };
    to_portsmouth(PORTSMOUTH * FROM_HAMPSHIRE, &|_, town| force(town) == "hampshire", lines, &mut random);
    let is_further = |line: &DealLine, town: usize| {
        facts.hubs[line.hub].force != "metropolitan" && force(town) != "hampshire" && near(line)
    };
    to_portsmouth(PORTSMOUTH, &is_further, lines, &mut random);

    let is_main = |town: usize| town == northampton || town == kettering;
    let in_northamptonshire = |town: usize| force(town) == "northamptonshire";
    let main = count(NORTHAMPTONSHIRE * MAIN_TOWNS);
    // Only legs of other hubs are moved in, so that London's legs stay close to their published proportions.
    let aim = Aim {
        wanted: count(NORTHAMPTONSHIRE),
        inside: &in_northamptonshire,
        into: &|random| if random.chance(0.6) { northampton } else { kettering },
        from: &|line, town| {
            force(town) != "hampshire"
                && facts.hubs[line.hub].force != "metropolitan"
                && distance_km(facts.hubs[line.hub].position, facts.towns[northampton].position) < 160.0
        },
        out: &|hub, random| {
            let away = &destinations.away[hub];
            for _ in 0..1_000 {
                let town = if away.is_empty() {
                    within("thames-valley", &|_| false, random)
                } else {
                    away.pick(random)
                };
                if !in_northamptonshire(town) && town != portsmouth {
                    return town;
                }
            }
            0
        },
    };
    aim.reach(lines, facts, &mut random);
    // Then legs are moved between towns of Northamptonshire.
    let aim = Aim {
        wanted: main,
        inside: &is_main,
        into: &|random| if random.chance(0.6) { northampton } else { kettering },
        from: &|_, town| in_northamptonshire(town),
        out: &|_, random| within("northamptonshire", &is_main, random),
    };
    aim.reach(lines, facts, &mut random);
}

impl Aim<'_> {
    fn lines(&self, lines: &[DealLine]) -> Vec<usize> {
        let meets = |line: &DealLine| line.running_legs().any(|leg| (self.inside)(leg.town));
        (0..lines.len()).filter(|place| meets(&lines[*place])).collect()
    }

    fn reach(&self, lines: &mut [DealLine], facts: &Facts, random: &mut Random) {
        let mut have = self.lines(lines);
        random.shuffle(&mut have);
        for place in have.iter().skip(self.wanted) {
            Self::rewrite(&mut lines[*place], facts, random, &|town| (self.inside)(town), &|hub, random| {
                (self.out)(hub, random)
            });
        }
        let mut open: Vec<usize> = (0..lines.len())
            .filter(|place| {
                let line = &lines[*place];
                let mut legs = line.running_legs();
                !have.contains(place) && legs.any(|leg| !leg.local && (self.from)(line, leg.town))
            })
            .collect();
        random.shuffle(&mut open);
        let missing = self.wanted.saturating_sub(have.len());
        for place in open.into_iter().take(missing) {
            let line = &lines[place];
            let movable: Vec<usize> = line
                .running_legs()
                .filter(|leg| !leg.local && (self.from)(line, leg.town))
                .map(|leg| leg.town)
                .take(1)
                .collect();
            Self::rewrite(&mut lines[place], facts, random, &|town| movable.contains(&town), &|_, random| {
                (self.into)(random)
            });
        }
    }

    /// Moves the active legs of a line to which `which` applies. A leg stays if no town is found that the line does not have
    /// yet.
    fn rewrite(
        line: &mut DealLine,
        facts: &Facts,
        random: &mut Random,
        which: &dyn Fn(usize) -> bool,
        to: &dyn Fn(usize, &mut Random) -> usize,
    ) {
        let hub = line.hub;
        for at in 0..line.legs.len() {
            if line.legs[at].to.is_some() || !which(line.legs[at].town) {
                continue;
            }
            for _ in 0..100 {
                let town = to(hub, random);
                if line.legs.iter().all(|leg| leg.town != town) {
                    line.legs[at].town = town;
                    line.legs[at].km = distance_km(facts.hubs[hub].position, facts.towns[town].position);
                    line.legs[at].local = facts.hubs[hub].force == facts.towns[town].force;
                    if line.legs[at].local {
                        line.legs[at].mode = "local";
                    } else if line.legs[at].mode == "local" {
                        line.legs[at].mode = "road";
                    }
                    break;
                }
            }
        }
    }
}
