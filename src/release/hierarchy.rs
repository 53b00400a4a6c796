//! Counts that may be released, so that no difference of any two of them tells of a few.
//!
//! Every record is one of a council and a month, or of a larger area where that is all that is known. The records of an
//! area and a stretch of time that are not released yet are released together, as one *unit*, if there are ten of them
//! or more; if not they wait for the next larger area, and then for the longer time. A unit above a force has ten or more
//! besides those of any one force, which knows its own. A figure is the sum of the units that lie in it, each rounded to
//! five: what anybody can work out from figures is sums and differences of units. A figure for a month or a year of a
//! council, county or force misses at most nine records, and what rounding takes.
//!
//! What was released is not revised: units stay as they were. Records that come late wait with the others for a stretch
//! of time that is not released yet.

use std::collections::BTreeMap;
use std::collections::HashMap;

use crate::release::periods::Month;
use crate::release::periods::Period;
use crate::release::periods::Window;

/// Fewer are not released.
pub const LEAST: u64 = 10;
/// What is released is a multiple of this.
const STEP: u64 = 5;

/// How large an area is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// A council.
    Council,
    /// The part of a county that one force polices.
    County,
    /// A force.
    Force,
    /// A policing region.
    Region,
    /// All of it.
    Nation,
}

impl Level {
    /// From the smallest to the largest.
    pub const ALL: [Self; 5] = [Self::Council, Self::County, Self::Force, Self::Region, Self::Nation];

    /// The word in a released row.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Council => "council",
            Self::County => "county",
            Self::Force => "force",
            Self::Region => "region",
            Self::Nation => "nation",
        }
    }
}

/// The area of each level that something lies in, by number, the smallest first; `None` where there is none or it is not
/// known. Areas of equal number lie in equal larger ones.
pub type Within = [Option<u32>; 5];

/// A released number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Figure {
    /// How large the area is.
    pub level: Level,
    /// The area.
    pub area: u32,
    /// The time.
    pub window: Window,
    /// A multiple of five, at least ten.
    pub count: u64,
}

/// What figures are sums of: records that were released together. The number of records is nobody's but the store's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit {
    /// How large the area is.
    pub level: Level,
    /// The area.
    pub area: u32,
    /// The time.
    pub window: Window,
    /// How many records there were.
    pub records: u64,
}

impl Unit {
    /// Its number, rounded.
    #[must_use]
    pub fn count(&self) -> u64 {
        (self.records + STEP / 2) / STEP * STEP
    }
}

/// Where units are made, in this order. What lies in another one comes before it, and what ends earlier does not depend
/// on what ends later: a release in between changes nothing.
const RUNGS: [(Period, &[Level]); 3] =
    [(Period::Month, &[Level::Council]), (Period::Year, &Level::ALL), (Period::ThreeYears, &Level::ALL)];

/// Units of `records` up to the month `through`, with those made before. Stretches of time that ended by `released` get
/// no further ones.
#[must_use]
pub fn units(
    records: &[(Within, Month)],
    before: &[Unit],
    released: Option<Month>,
    through: Month,
) -> Vec<Unit> {
    let mut waiting: Waiting = BTreeMap::new();
    for (within, month) in records {
        *waiting.entry((*within, *month)).or_default() += 1;
    }
    let mut units = Vec::new();
    for (period, levels) in RUNGS {
        for level in levels {
            let of_rung = |unit: &&Unit| (unit.level, unit.window.period) == (*level, period);
            let mut level_found: Vec<Unit> = before.iter().filter(of_rung).copied().collect();
            for unit in &level_found {
                take(&mut waiting, unit);
            }
            let due = |window: Window| {
                window.last() <= through && released.is_none_or(|released| window.last() > released)
            };
            let new = pooled(&waiting, period, *level, &due);
            for unit in &new {
                take(&mut waiting, unit);
            }
            level_found.extend(new);
            units.extend(level_found);
        }
    }
    units.sort();
    units
}

/// Records that are not released yet.
type Waiting = BTreeMap<(Within, Month), u64>;

impl Unit {
    fn is_of(&self, within: &Within) -> bool {
        within[self.level as usize] == Some(self.area)
    }
}

/// Takes a unit's records from those that wait; fewer, if some are no more.
fn take(waiting: &mut Waiting, unit: &Unit) {
    let mut left = unit.records;
    for ((within, month), count) in waiting.iter_mut() {
        if unit.is_of(within) && unit.window.period.window(*month) == unit.window {
            let taken = left.min(*count);
            *count -= taken;
            left -= taken;
        }
    }
    waiting.retain(|_, count| *count > 0);
}

/// What waits in each area of a level and stretch of a period, where there is enough of it.
fn pooled(waiting: &Waiting, period: Period, level: Level, due: &impl Fn(Window) -> bool) -> Vec<Unit> {
    let mut pools: BTreeMap<(u32, Window), BTreeMap<Option<u32>, u64>> = BTreeMap::new();
    for ((within, month), count) in waiting {
        let window = period.window(*month);
        if let Some(area) = within[level as usize]
            && due(window)
        {
            let by_force = pools.entry((area, window)).or_default();
            *by_force.entry(within[Level::Force as usize]).or_default() += count;
        }
    }
    let enough = |by_force: &BTreeMap<Option<u32>, u64>| {
        let sum: u64 = by_force.values().sum();
        let own = if level > Level::Force { by_force.values().max().copied().unwrap_or(0) } else { 0 };
        (sum - own >= LEAST).then_some(sum)
    };
    let unit = |((area, window), by_force): ((u32, Window), BTreeMap<Option<u32>, u64>)| {
        enough(&by_force).map(|records| Unit { level, area, window, records })
    };
    pools.into_iter().filter_map(unit).collect()
}

/// Every figure that is a sum of units, for stretches of time that are over with the month `through`. `places` has every
/// area with those that it lies in.
#[must_use]
pub fn figures(units: &[Unit], places: &[Within], through: Month) -> Vec<Figure> {
    let larger = larger_areas(places);
    let mut sums: BTreeMap<(Level, u32, Window), u64> = BTreeMap::new();
    for unit in units {
        let Some(within) = larger.get(&(unit.level, unit.area)) else { continue };
        for (period, levels) in RUNGS {
            let window = period.window(unit.window.first);
            if !window.holds(unit.window) || window.last() > through {
                continue;
            }
            for level in levels {
                if let Some(area) = within[*level as usize] {
                    *sums.entry((*level, area, window)).or_default() += unit.count();
                }
            }
        }
    }
    sums.into_iter().map(|((level, area, window), count)| Figure { level, area, window, count }).collect()
}

/// Every area with itself and those that it lies in.
fn larger_areas(places: &[Within]) -> HashMap<(Level, u32), Within> {
    let mut larger = HashMap::new();
    for within in places {
        for (place, level) in Level::ALL.into_iter().enumerate() {
            if let Some(area) = within[place] {
                let mut rest = *within;
                rest[..place].fill(None);
                larger.entry((level, area)).or_insert(rest);
            }
        }
    }
    larger
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const START: i32 = 2021 * 12 + 3;

    /// Six councils in three counties of two forces; one force has no region. Some records know their force only.
    fn place(council: u32) -> Within {
        let (county, force) = (10 + council / 2, 20 + council / 4);
        let region = (force == 20).then_some(30);
        match council {
            0..6 => [Some(council), Some(county), Some(force), region, Some(40)],
            6 => [None, None, Some(20), Some(30), Some(40)],
            _ => [None, None, None, None, Some(40)],
        }
    }

    fn records() -> impl Strategy<Value = Vec<(Within, Month)>> {
        let cell = (0_u32..8, 0_i32..38, 0_usize..14);
        vec(cell, 1..120).prop_map(|cells| {
            let of =
                |(council, month, many)| std::iter::repeat_n((place(council), Month(START + month)), many);
            cells.into_iter().flat_map(of).collect()
        })
    }

    fn parents() -> Vec<Within> {
        (0..8).map(place).collect()
    }

    /// Figures of records released at once.
    fn at_once(records: &[(Within, Month)], through: i32) -> Vec<Figure> {
        let through = Month(START + through);
        figures(&units(records, &[], None, through), &parents(), through)
    }

    /// Whether one figure is of a part of the other's area and time.
    fn lies_in(part: &Figure, whole: &Figure) -> bool {
        let area = parents().iter().any(|within| {
            within[part.level as usize] == Some(part.area) && within[whole.level as usize] == Some(whole.area)
        });
        part.level <= whole.level && area && whole.window.holds(part.window)
    }

    /// What may be learnt of any two of them is nothing, or stands for ten and more.
    fn no_difference_tells(figures: &[Figure]) -> Result<(), TestCaseError> {
        for whole in figures {
            prop_assert!(whole.count >= LEAST && whole.count % STEP == 0, "{whole:?}");
            for part in figures.iter().filter(|part| lies_in(part, whole)) {
                let rest = whole.count as i64 - part.count as i64;
                prop_assert!(rest == 0 || rest >= LEAST as i64, "{part:?} of {whole:?}");
            }
            // Nor what is left when all the parts of one kind are taken away.
            for level in Level::ALL {
                for period in Period::ALL {
                    let kind = |part: &&Figure| (part.level, part.window.period) == (level, period);
                    let parts = figures.iter().filter(kind).filter(|part| lies_in(part, whole));
                    let rest = whole.count as i64 - parts.map(|part| part.count as i64).sum::<i64>();
                    prop_assert!(
                        rest == 0 || rest >= LEAST as i64,
                        "{level:?} {period:?} of {whole:?}: {rest}"
                    );
                }
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn differences_tell_nothing(records in records()) {
            no_difference_tells(&at_once(&records, 37))?;
        }

        #[test]
        fn figures_miss_nine_records_and_rounding(records in records()) {
            let through = Month(START + 37);
            let figures = at_once(&records, 37);
            let mut true_counts: BTreeMap<(Level, u32, Window), u64> = BTreeMap::new();
            for (within, month) in &records {
                for (period, levels) in [RUNGS[0], RUNGS[1]] {
                    let window = period.window(*month);
                    for level in levels.iter().filter(|level| **level <= Level::Force && window.last() <= through) {
                        if let Some(area) = within[*level as usize] {
                            *true_counts.entry((*level, area, window)).or_default() += 1;
                        }
                    }
                }
            }
            for ((level, area, window), count) in true_counts {
                let same = |figure: &&Figure| (figure.level, figure.area, figure.window) == (level, area, window);
                let shown = figures.iter().find(same).map_or(0, |figure| figure.count);
                // Rounding takes at most two of twelve and adds at most two to thirteen.
                prop_assert!(6 * shown + 5 * 9 >= 5 * count, "{count} shown as {shown}");
                prop_assert!(13 * shown <= 15 * count, "{count} shown as {shown}");
            }
        }

        #[test]
        fn a_release_in_between_changes_nothing(records in records(), stops in vec(0_i32..38, 0..4)) {
            let stops: BTreeSet<i32> = stops.into_iter().chain([37]).collect();
            let (mut made, mut released) = (Vec::new(), None);
            for stop in stops {
                let through = Month(START + stop);
                made = units(&records, &made, released, through);
                released = Some(through);
            }
            prop_assert_eq!(figures(&made, &parents(), Month(START + 37)), at_once(&records, 37));
        }

        #[test]
        fn what_was_released_stays_and_what_comes_late_is_not_lost(
            records in records(), later in self::records(), stop in 0_i32..37
        ) {
            let (stop, end) = (Month(START + stop), Month(START + 37));
            let first = units(&records, &[], None, stop);
            let shown = figures(&first, &parents(), stop);
            let all: Vec<(Within, Month)> = records.iter().chain(&later).copied().collect();
            // Records may also have gone.
            for held in [&all, &later] {
                let second = units(held, &first, Some(stop), end);
                let figures = figures(&second, &parents(), end);
                prop_assert!(shown.iter().all(|figure| figures.contains(figure)));
                let old = figures.iter().filter(|figure| figure.window.last() <= stop).count();
                prop_assert_eq!(old, shown.len(), "nothing is added to what was released");
                no_difference_tells(&figures)?;
            }
            // A year that was open has what came late for its months.
            let second = units(&all, &first, Some(stop), end);
            let year = Period::Year.window(Month(stop.0 + 1));
            if year.last() <= end {
                for council in 0..6 {
                    let of = |(within, month): &&(Within, Month)| {
                        within[0] == Some(council) && Period::Year.window(*month) == year
                    };
                    let records = all.iter().filter(of).count() as u64;
                    let lies = |unit: &&Unit| {
                        unit.level == Level::Council && unit.area == council && year.holds(unit.window)
                    };
                    let released: u64 = second.iter().filter(lies).map(|unit| unit.records).sum();
                    prop_assert!(released <= records && records - released < LEAST, "{released} of {records}");
                }
            }
        }

        /// A force knows its own records: besides them no unit stands for a few either.
        #[test]
        fn a_force_that_knows_its_own_learns_of_no_few(records in records()) {
            let through = Month(START + 37);
            for unit in units(&records, &[], None, through) {
                prop_assert!(unit.records >= LEAST);
                if unit.level <= Level::Force {
                    continue;
                }
                // At most what the force has there is its part of the unit.
                let in_unit = |(within, month): &&(Within, Month)| {
                    unit.is_of(within) && unit.window.period.window(*month) == unit.window
                };
                let forces: BTreeSet<Option<u32>> = records.iter().map(|(within, _)| within[2]).collect();
                prop_assert!(forces.len() > 1);
                let others = |force: Option<u32>| {
                    records.iter().filter(in_unit).filter(|(within, _)| within[2] != force).count() as u64
                };
                for force in forces {
                    prop_assert!(others(force) >= LEAST, "{unit:?} without {force:?}");
                }
            }
        }
    }

    fn shown(records: &[(Within, Month)]) -> Vec<(Level, Period, u64)> {
        let mut shown: Vec<(Level, Period, u64)> = at_once(records, 11)
            .into_iter()
            .map(|figure| (figure.level, figure.window.period, figure.count))
            .collect();
        shown.sort();
        shown
    }

    #[test]
    fn ten_are_shown_and_nine_climb() {
        let of = |council: u32, many: usize| vec![(place(council), Month(START)); many];
        let all_above = |from: usize, count| {
            Level::ALL[from..].iter().map(|level| (*level, Period::Year, count)).collect::<Vec<_>>()
        };
        assert_eq!(shown(&of(0, 9)), []);
        let eleven = shown(&of(0, 11));
        assert_eq!(eleven, shown(&of(0, 12)), "both are ten");
        assert!(eleven.contains(&(Level::Council, Period::Month, 10)));
        assert!(shown(&of(0, 13)).contains(&(Level::Council, Period::Month, 15)));
        // Six and five of two councils of a county are shown as the county's.
        assert_eq!(shown(&[of(0, 6), of(1, 5)].concat()), all_above(1, 10));
        // Six and five of two counties of a force are shown as the force's.
        assert_eq!(shown(&[of(0, 6), of(2, 5)].concat()), all_above(2, 10));
        // Thirteen and four: the four are shown nowhere, for the rest would tell of them.
        let county = shown(&[of(0, 13), of(1, 4)].concat());
        assert_eq!(county, shown(&of(0, 13)));
    }
}
