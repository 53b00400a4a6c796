//! Counts that may be released, so that no difference of any two of them tells of a few.
//!
//! Every record is one of a council and a month, or of a larger area where that is all that is known. The records of an
//! area and a stretch of time that are not released yet are released together, as one *unit*, if there are ten of them
//! or more; if not they wait for the next larger area, and then for the longer time. A figure is the sum of the units
//! that lie in it, each rounded to five: what anybody can work out from figures is sums and differences of units, none
//! of which stands for fewer than ten records. A figure for a month or a year misses at most nine records, and what
//! rounding takes; one for three years is the sum of its years'.
//!
//! A figure that was released is not revised: its units are taken as they were, whatever has been recorded since.

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

/// What figures are sums of.
#[derive(Debug, Clone, Copy)]
struct Unit {
    level: Level,
    within: Within,
    window: Window,
    count: u64,
}

/// Where units are made, in this order. What lies in another one comes before it, and what ends earlier does not depend
/// on what ends later: a release in between changes nothing.
const RUNGS: [(Period, &[Level]); 3] =
    [(Period::Month, &[Level::Council]), (Period::Year, &Level::ALL), (Period::ThreeYears, &Level::ALL)];

/// What figures there are besides: sums of units, without units of their own.
const SUMS_ONLY: (Period, Level) = (Period::Quarter, Level::Region);

/// Every figure of `records` up to the month `through`. Stretches of time that ended by `released` were released
/// already, as `published` has them. `places` has every area with those that it lies in.
#[must_use]
pub fn figures(
    records: &[(Within, Month)],
    places: &[Within],
    published: &[Figure],
    released: Option<Month>,
    through: Month,
) -> Vec<Figure> {
    let frozen = |window: Window| released.is_some_and(|released| window.last() <= released);
    let known: HashMap<(Level, u32, Window), u64> = published
        .iter()
        .filter(|figure| frozen(figure.window))
        .map(|figure| ((figure.level, figure.area, figure.window), figure.count))
        .collect();
    let larger = larger_areas(places);
    let mut waiting: BTreeMap<(Within, Month), u64> = BTreeMap::new();
    for (within, month) in records {
        *waiting.entry((*within, *month)).or_default() += 1;
    }
    let mut units: Vec<Unit> = Vec::new();
    for (period, levels) in RUNGS {
        for level in levels {
            climb(&mut waiting, &mut units, &known, &larger, (period, *level), through, &frozen);
        }
    }
    let mut figures: Vec<Figure> = Vec::new();
    let shown =
        RUNGS.into_iter().flat_map(|(period, levels)| levels.iter().map(move |level| (period, *level)));
    for (period, level) in shown.chain([SUMS_ONLY]) {
        let mut sums = sums(&units, period, level);
        sums.retain(|(_, window), _| window.last() <= through && !frozen(*window));
        figures.extend(sums.into_iter().map(|((area, window), count)| Figure { level, area, window, count }));
    }
    figures.extend(published.iter().filter(|figure| frozen(figure.window)));
    figures.sort();
    figures
}

/// The larger areas of every area.
fn larger_areas(places: &[Within]) -> HashMap<(Level, u32), Within> {
    let mut larger = HashMap::new();
    for within in places {
        for (place, level) in Level::ALL.into_iter().enumerate() {
            if let Some(area) = within[place] {
                larger.entry((level, area)).or_insert_with(|| from_level(within, level));
            }
        }
    }
    larger
}

fn from_level(within: &Within, level: Level) -> Within {
    let mut rest = *within;
    rest[..level as usize].fill(None);
    rest
}

/// Sums of units by area of a level and stretch of a period, where the units lie in them.
fn sums(units: &[Unit], period: Period, level: Level) -> BTreeMap<(u32, Window), u64> {
    let mut sums = BTreeMap::new();
    for unit in units.iter().filter(|unit| unit.level <= level) {
        let window = period.window(unit.window.first);
        if let Some(area) = unit.within[level as usize]
            && window.holds(unit.window)
        {
            *sums.entry((area, window)).or_default() += unit.count;
        }
    }
    sums
}

/// Releases together what waits in each area of a level and stretch of a period, where there is enough of it.
fn climb(
    waiting: &mut BTreeMap<(Within, Month), u64>,
    units: &mut Vec<Unit>,
    known: &HashMap<(Level, u32, Window), u64>,
    larger: &HashMap<(Level, u32), Within>,
    (period, level): (Period, Level),
    through: Month,
    frozen: &impl Fn(Window) -> bool,
) {
    let mut pools: BTreeMap<(u32, Window), u64> = BTreeMap::new();
    for ((within, month), count) in &*waiting {
        if let Some(area) = within[level as usize] {
            *pools.entry((area, period.window(*month))).or_default() += count;
        }
    }
    pools.retain(|(_, window), count| window.last() <= through && !frozen(*window) && *count >= LEAST);
    for count in pools.values_mut() {
        *count = (*count + STEP / 2) / STEP * STEP;
    }
    // What was released there once stays what it was: the rest of its figure besides the units in it.
    let within = sums(units, period, level);
    for ((of, area, window), count) in known {
        if (*of, window.period) == (level, period) {
            let rest = count.saturating_sub(within.get(&(*area, *window)).copied().unwrap_or(0));
            if rest > 0 {
                pools.insert((*area, *window), rest);
            }
        }
    }
    waiting.retain(|(within, month), _| {
        within[level as usize].is_none_or(|area| !pools.contains_key(&(area, period.window(*month))))
    });
    units.extend(pools.into_iter().map(|((area, window), count)| {
        let own =
            || from_level(&std::array::from_fn(|place| (place == level as usize).then_some(area)), level);
        Unit { level, within: larger.get(&(level, area)).copied().unwrap_or_else(own), window, count }
    }));
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
            no_difference_tells(&figures(&records, &parents(), &[], None, Month(START + 37)))?;
        }

        #[test]
        fn figures_miss_nine_records_and_rounding(records in records()) {
            let through = Month(START + 37);
            let figures = figures(&records, &parents(), &[], None, through);
            let mut true_counts: BTreeMap<(Level, u32, Window), u64> = BTreeMap::new();
            for (within, month) in &records {
                for (period, levels) in [RUNGS[0], RUNGS[1]] {
                    let window = period.window(*month);
                    for level in levels.iter().filter(|_| window.last() <= through) {
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
            let at_once = figures(&records, &parents(), &[], None, Month(START + 37));
            let stops: BTreeSet<i32> = stops.into_iter().chain([37]).collect();
            let (mut published, mut released) = (Vec::new(), None);
            for stop in stops {
                let through = Month(START + stop);
                published = figures(&records, &parents(), &published, released, through);
                released = Some(through);
            }
            prop_assert_eq!(published, at_once);
        }

        #[test]
        fn what_was_released_stays(records in records(), later in self::records(), stop in 0_i32..37) {
            let stop = Month(START + stop);
            let first = figures(&records, &parents(), &[], None, stop);
            let all: Vec<(Within, Month)> = records.iter().chain(&later).copied().collect();
            for held in [&all, &later] {
                let second = figures(held, &parents(), &first, Some(stop), Month(START + 37));
                prop_assert!(first.iter().all(|figure| second.contains(figure)));
                let old: Vec<&Figure> = second.iter().filter(|figure| figure.window.last() <= stop).collect();
                prop_assert_eq!(old.len(), first.len(), "nothing is added to what was released");
                no_difference_tells(&second)?;
            }
        }
    }

    fn shown(records: &[(Within, Month)]) -> Vec<(Level, Period, u64)> {
        let mut shown: Vec<(Level, Period, u64)> = figures(records, &parents(), &[], None, Month(START + 11))
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
