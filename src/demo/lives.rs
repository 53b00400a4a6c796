//! Lives of lines day by day: when they begin, are closed, run again, fall silent. What happens goes through the
//! lifecycles of `model`, so that nothing impossible can come out.

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

/// Closures that the programme had counted by two days, and so many more to the present at the pace of the last
/// year: a little above the published floors of 780 and 5,600.
const CLOSED_BY: [(i32, f64); 3] = [(JUNE_2021, 788.0), (APRIL_2024, 5_622.0), (PRESENT, 5_738.0)];
/// 18 June 2021 and 5 April 2024, days of the two published totals.
pub const JUNE_2021: i32 = 18_796;
/// See [`JUNE_2021`].
pub const APRIL_2024: i32 = 19_818;
/// How many lines run on a day: published for 2019 (800 to 1,100) and 2020/21 (about 600), assumed since (A).
const RUNNING: [(i32, f64); 6] =
    [(START, 880.0), (18_400, 800.0), (18_720, 620.0), (JUNE_2021, 610.0), (19_500, 700.0), (PRESENT, 740.0)];
/// First days of the national weeks of intensified work, when closures come five times as often.
const WEEKS: [i32; 6] = [18_522, 18_911, 19_268, 19_427, 19_639, 19_786];
const WEEK_FACTOR: f64 = 5.0;
/// Of a hundred closures so many are of type 1.
const TYPE_1: f64 = 0.91;
/// Of closed lines so many run again, within so many days (A).
const REOPENED: f64 = 0.05;
const REOPENED_WITHIN_DAYS: i32 = 90;
/// Days until a closed number is tried again (A).
const CHECK_BACK_DAYS: i32 = 28;
/// Lines that are found to be none, or another (A).
const FALSE: f64 = 0.008;
const TWIN: f64 = 0.004;
/// A line is confirmed within so many days, and is not closed before.
const CONFIRMED_WITHIN_DAYS: i32 = 20;
/// Of the lines that run at the present so many have fallen silent (A).
const SILENT: f64 = 0.08;
/// Mean age in days of the lines that run at the start (A).
const START_AGE_DAYS: f64 = 240.0;

/// One line from its first day.
#[derive(Debug, Clone)]
pub struct Life {
    /// First day with evidence.
    pub first: i32,
    /// Last day with evidence.
    pub last: i32,
    /// The day it ended for good, as far as known.
    pub ended: Option<i32>,
    /// Where it stands at the present.
    pub state: LineState,
    /// What has been closed.
    pub closures: Vec<Closure>,
    fate: Fate,
}

/// One closure of a line.
#[derive(Debug, Clone)]
pub struct Closure {
    /// The day.
    pub on: i32,
    /// 1 or 2.
    pub kind: u8,
    /// Where it stands at the present.
    pub state: ClosureState,
    /// The day the number is to be tried again.
    pub due: i32,
    /// The day it was.
    pub checked: Option<i32>,
    /// The day the line was seen to run again.
    pub reopened: Option<i32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Real,
    False,
    Twin,
}

/// What is to happen to a line on a day.
#[derive(Debug, Clone, Copy)]
enum Coming {
    Confirm,
    Vanish,
    CheckBack,
    Reopen,
}

/// The running lines, with what is coming.
struct World {
    lives: Vec<Life>,
    /// Lines that run, by place among `lives`.
    running: Vec<usize>,
    /// By day since the start: what is coming.
    calendar: Vec<Vec<(usize, Coming)>>,
    random: Random,
}

/// All lines, in order of their first day in the set.
///
/// # Errors
/// [`DemoError::Lifecycle`] if the days below asked for an impossible step.
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
            x if x < FALSE + TWIN => Fate::Twin,
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
            // It may have been closed before anybody found out.
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

    /// Closes one of the lines that have been known long enough.
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

    /// Settles what is known at the present of the lines that still run.
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

/// How many lines are closed on each day: the totals of the periods, spread by weekday and weeks of action.
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

/// Straight between the points of a curve, by day.
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
    fn the_days_are_what_their_names_say() {
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
    fn totals_and_states_are_those_wanted() {
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
