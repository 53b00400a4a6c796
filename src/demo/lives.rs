//! Lives of lines, simulated day by day: when they begin, are closed, run again or fall silent. All changes of state go
//! through the lifecycles of `model`, so that no impossible state results.

use crate::demo::DemoError;
use crate::demo::PRESENT;
use crate::demo::START;
use crate::demo::Settings;
use crate::demo::random::Random;
use crate::model::lifecycle::ClosureEvent;
use crate::model::lifecycle::ClosureState;
use crate::model::lifecycle::IllegalTransition;
use crate::model::lifecycle::LineEvent;
use crate::model::lifecycle::LineState;

/// The total number of closures by three days. The first two are a little above the published minimums of 780 and 5,600;
/// the last continues at the pace of the last year to the reference date.
const CLOSED_BY: [(i32, f64); 3] = [(JUNE_2021, 788.0), (APRIL_2024, 5_622.0), (PRESENT, 5_738.0)];
/// 18 June 2021 and 5 April 2024, the days of the two published totals, in days since 1970-01-01.
pub const JUNE_2021: i32 = 18_796;
/// See [`JUNE_2021`].
pub const APRIL_2024: i32 = 19_818;
/// The number of running lines on a day: published for 2019 (800 to 1,100) and 2020/21 (about 600), later assumed (A).
const RUNNING: [(i32, f64); 6] =
    [(START, 880.0), (18_400, 800.0), (18_720, 620.0), (JUNE_2021, 610.0), (19_500, 700.0), (PRESENT, 740.0)];
/// The first days of the national weeks of intensified work, in which closures are five times as frequent.
const WEEKS: [i32; 6] = [18_522, 18_911, 19_268, 19_427, 19_639, 19_786];
const WEEK_FACTOR: f64 = 5.0;
/// The fraction of closures that are of type 1.
const TYPE_1: f64 = 0.91;
/// The fraction of closed lines that run again, and the most days until then (A).
const REOPENED: f64 = 0.05;
const REOPENED_WITHIN_DAYS: i32 = 90;
/// Days from a closure to its check-back (A).
const CHECK_BACK_DAYS: i32 = 28;
/// The fractions of lines that are found not to be a line, and to be the same as another (A).
const FALSE: f64 = 0.008;
const SAME_AS_ANOTHER: f64 = 0.004;
/// The most days until a line is confirmed; it is not closed before.
const CONFIRMED_WITHIN_DAYS: i32 = 20;
/// The fraction of lines on the reference date that have fallen silent (A).
const SILENT: f64 = 0.08;
/// The mean age in days of the lines that run at the start (A).
const START_AGE_DAYS: f64 = 240.0;

/// The life of one line. Days count from 1970-01-01.
#[derive(Debug, Clone)]
pub struct Life {
    /// The first day with evidence.
    pub first: i32,
    /// The last day with evidence.
    pub last: i32,
    /// The day on which the line ended, if it did not run again after it.
    pub ended: Option<i32>,
    /// The state on the reference date.
    pub state: LineState,
    /// The closures of the line.
    pub closures: Vec<Closure>,
    fate: Fate,
}

/// One closure of a line.
#[derive(Debug, Clone)]
pub struct Closure {
    /// The day of the closure.
    pub on: i32,
    /// The type of the closure, 1 or 2.
    pub kind: u8,
    /// The state on the reference date.
    pub state: ClosureState,
    /// The day on which the check-back is due.
    pub due: i32,
    /// The day of the check-back, if it was done.
    pub checked: Option<i32>,
    /// The day on which the line was seen to run again.
    pub reopened: Option<i32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Real,
    False,
    SameAsAnother,
}

/// An event that is planned for a line.
#[derive(Debug, Clone, Copy)]
enum Coming {
    Confirm,
    Vanish,
    CheckBack,
    Reopen,
}

/// The state of the simulation.
struct World {
    lives: Vec<Life>,
    /// The running lines, as indexes in `lives`.
    running: Vec<usize>,
    /// The planned events of each day since [`START`].
    calendar: Vec<Vec<(usize, Coming)>>,
    random: Random,
}

/// Simulates all lines; they are in the order of their first day in the set.
///
/// # Errors
/// [`DemoError::Lifecycle`] if a state does not allow an event.
pub fn lives(settings: &Settings) -> Result<Vec<Life>, DemoError> {
    let days = (PRESENT - START) as usize + 1;
    let mut world = World {
        lives: Vec::new(),
        running: Vec::new(),
        calendar: vec![Vec::new(); days],
        random: Random::new(settings.seed, "lives", 0),
    };
    let closures = closures_by_day(settings, &mut Random::new(settings.seed, "closures", 0));
    for _ in 0..(RUNNING[0].1 * settings.scale) as usize {
        let age = world.random.exponential(START_AGE_DAYS).min(1_000.0) as i32 + CONFIRMED_WITHIN_DAYS + 1;
        let line = world.begin(START - age);
        world.lives[line].state = world.lives[line].state.after(LineEvent::Confirm)?;
    }
    for day in START..=PRESENT {
        for (line, coming) in std::mem::take(&mut world.calendar[(day - START) as usize]) {
            world.meet(line, coming, day)?;
        }
        for _ in 0..closures[(day - START) as usize] {
            world.close_one(day)?;
        }
        let wanted = (between(&RUNNING, day) * settings.scale) as usize;
        while world.running.len() < wanted {
            let line = world.begin(day);
            let within = world.random.whole(3, CONFIRMED_WITHIN_DAYS);
            world.plan(line, Coming::Confirm, day + within);
        }
    }
    world.look_back()?;
    Ok(world.lives)
}

impl World {
    fn begin(&mut self, first: i32) -> usize {
        let fate = match self.random.unit() {
            x if x < FALSE => Fate::False,
            x if x < FALSE + SAME_AS_ANOTHER => Fate::SameAsAnother,
            _ => Fate::Real,
        };
        let line = self.lives.len();
        self.lives.push(Life {
            first,
            last: first,
            ended: None,
            state: LineState::Suspected,
            closures: Vec::new(),
            fate,
        });
        self.running.push(line);
        if fate != Fate::Real {
            let after = self.random.whole(30, 120);
            self.plan(line, Coming::Vanish, first.max(START) + after);
        }
        line
    }

    fn plan(&mut self, line: usize, coming: Coming, day: i32) {
        if let Some(events) = self.calendar.get_mut((day - START) as usize) {
            events.push((line, coming));
        }
    }

    fn meet(&mut self, line: usize, coming: Coming, day: i32) -> Result<(), IllegalTransition> {
        let life = &mut self.lives[line];
        match coming {
            Coming::Confirm => life.state = life.state.after(LineEvent::Confirm)?,
            // The line may have been closed before.
            Coming::Vanish if life.ended.is_none() => {
                let event = if life.fate == Fate::False { LineEvent::Discredit } else { LineEvent::Merge };
                life.state = life.state.after(event)?;
                life.ended = Some(day);
                life.last = day;
                self.running.retain(|known| *known != line);
            }
            Coming::CheckBack => {
                if let Some(closure) = life.closures.last_mut().filter(|last| last.reopened.is_none()) {
                    closure.state = closure.state.after(ClosureEvent::PassCheckBack)?;
                    closure.checked = Some(day);
                    life.state = life.state.after(LineEvent::PassCheckBack)?;
                }
            }
            Coming::Reopen => {
                if let Some(closure) = life.closures.last_mut() {
                    closure.state = closure.state.after(ClosureEvent::Reopen)?;
                    closure.reopened = Some(day);
                    life.state = life.state.after(LineEvent::Reopen)?;
                    life.ended = None;
                    self.running.push(line);
                }
            }
            Coming::Vanish => {}
        }
        Ok(())
    }

    /// Closes one of the lines that have been known for long enough.
    fn close_one(&mut self, day: i32) -> Result<(), IllegalTransition> {
        for _ in 0..1_000 {
            let at = self.random.below(self.running.len());
            let Some(&line) = self.running.get(at) else { return Ok(()) };
            let known_since = self.lives[line]
                .closures
                .last()
                .and_then(|last| last.reopened)
                .unwrap_or(self.lives[line].first);
            if day - known_since <= CONFIRMED_WITHIN_DAYS {
                continue;
            }
            self.running.swap_remove(at);
            let silence = self.random.whole(0, 6);
            let kind = if self.random.chance(TYPE_1) { 1 } else { 2 };
            let due = day + CHECK_BACK_DAYS;
            let life = &mut self.lives[line];
            life.state = life.state.after(LineEvent::Close)?;
            life.ended = Some(day);
            life.last = (day - silence).max(known_since);
            life.closures.push(Closure {
                on: day,
                kind,
                state: ClosureState::PendingCheckBack,
                due,
                checked: None,
                reopened: None,
            });
            let reopens = self.random.chance(REOPENED).then(|| self.random.whole(7, REOPENED_WITHIN_DAYS));
            let late = self.random.whole(0, 5);
            // A line that runs again by the check-back does not pass it.
            if reopens.is_none_or(|after| after > CHECK_BACK_DAYS + late) {
                self.plan(line, Coming::CheckBack, due + late);
            }
            if let Some(after) = reopens {
                self.plan(line, Coming::Reopen, day + after);
            }
            return Ok(());
        }
        Ok(())
    }

    /// Sets the last day with evidence and the state of lines that still run on the reference date.
    fn look_back(&mut self) -> Result<(), IllegalTransition> {
        for line in std::mem::take(&mut self.running) {
            let (silent, lately, long_ago) =
                (self.random.chance(SILENT), self.random.whole(0, 25), self.random.whole(61, 110));
            let life = &mut self.lives[line];
            let since = life.closures.last().and_then(|last| last.reopened).unwrap_or(life.first);
            life.last = (PRESENT - lately).max(since);
            if silent && PRESENT - long_ago > since && life.state != LineState::Suspected {
                life.last = PRESENT - long_ago;
                life.state = life.state.after(LineEvent::FallSilent)?;
            }
        }
        Ok(())
    }
}

/// The number of lines that are closed on each day: the totals of the periods, distributed by weekday and weeks of
/// intensified work.
fn closures_by_day(settings: &Settings, random: &mut Random) -> Vec<usize> {
    let mut out = Vec::new();
    let (mut day, mut closed_before) = (START, 0.0);
    for (last, total) in CLOSED_BY {
        let weights: Vec<f64> = (day..=last)
            .map(|day| {
                // 1970-01-01 was a Thursday.
                let weekend = matches!((day + 3).rem_euclid(7), 5 | 6);
                let action = WEEKS.iter().any(|first| (*first..first + 7).contains(&day));
                let usual = if weekend { 0.25 } else { 1.0 };
                usual * if action { WEEK_FACTOR } else { 1.0 } * random.between(0.5, 1.5)
            })
            .collect();
        let all: f64 = weights.iter().sum();
        let (mut sum, mut done) = (0.0, 0);
        let count = libm::ceil((total - closed_before) * settings.scale);
        for weight in weights {
            sum += weight;
            let by_now = libm::round(sum / all * count) as usize;
            out.push(by_now - done);
            done = by_now;
        }
        (day, closed_before) = (last + 1, total);
    }
    out
}

/// The value of a curve on a day, by linear interpolation between its points.
fn between(curve: &[(i32, f64)], day: i32) -> f64 {
    let after = curve.partition_point(|(known, _)| *known < day);
    match (after.checked_sub(1).and_then(|before| curve.get(before)), curve.get(after)) {
        (Some((d1, v1)), Some((d2, v2))) => v1 + (v2 - v1) * f64::from(day - d1) / f64::from(d2 - d1),
        (None, Some((_, value))) | (Some((_, value)), None) => *value,
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::parse_date;

    #[test]
    fn day_constants_are_the_days_in_their_comments() {
        for (text, day) in [
            ("2019-11-01", START),
            ("2024-04-30", PRESENT),
            ("2021-06-18", JUNE_2021),
            ("2024-04-05", APRIL_2024),
            ("2020-05-18", 18_400),
            ("2021-04-03", 18_720),
        ] {
            assert_eq!(parse_date(text), Some(day), "{text}");
        }
        // 17 to 23 September 2020, 11 to 17 October 2021, 3 to 9 October 2022 and three more.
        let named = ["2020-09-17", "2021-10-11", "2022-10-03", "2023-03-11", "2023-10-09", "2024-03-04"];
        assert_eq!(named.map(|text| parse_date(text).unwrap()), WEEKS);
    }

    #[test]
    fn totals_are_met_and_states_are_consistent() {
        let lives = lives(&Settings { seed: 5, scale: 1.0 }).unwrap();
        let closed =
            |by: i32| lives.iter().flat_map(|life| &life.closures).filter(|closure| closure.on <= by).count();
        assert_eq!((closed(JUNE_2021), closed(APRIL_2024), closed(PRESENT)), (788, 5_622, 5_738));
        for life in &lives {
            assert!(life.first <= life.last && life.last <= PRESENT);
            assert_eq!(life.ended.is_none(), life.state.is_running() || life.state == LineState::Dormant);
            assert!(life.closures.windows(2).all(|pair| pair[0].reopened.unwrap() < pair[1].on));
        }
        let running = lives.iter().filter(|life| life.ended.is_none()).count();
        assert_eq!(running, 740);
    }
}
