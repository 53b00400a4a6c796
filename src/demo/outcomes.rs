//! The results of closures: arrests, seizures and referrals, at least as many as the published totals of the programme.
//!
//! Source: written answers of June 2021 (more than 5,100 arrests, £2.9m, more than 1,200 safeguarded) and April 2024
//! (more than 16,500 arrests, more than 8,800 referrals).

use crate::demo::DemoError;
use crate::demo::PRESENT;
use crate::demo::Record;
use crate::demo::Settings;
use crate::demo::destinations::EXPORTERS;
use crate::demo::draft::Draft;
use crate::demo::draft::rounded;
use crate::demo::facts::Facts;
use crate::demo::lines::DealLine;
use crate::demo::lines::Register;
use crate::demo::lives::APRIL_2024;
use crate::demo::lives::JUNE_2021;
use crate::demo::random::Random;
use crate::model::Sensitivity;
use crate::model::collections::closures;
use crate::model::collections::referrals;
use crate::model::collections::seizures;
use crate::model::lifecycle::IllegalTransition;
use crate::model::lifecycle::ReferralEvent;
use crate::model::lifecycle::ReferralState;

/// Arrests and referrals by the two days of the published totals, a little above these minimums.
const BY: [(i32, f64, f64); 2] = [(JUNE_2021, 5_130.0, 1_225.0), (APRIL_2024, 16_550.0, 8_828.0)];
/// Arrests and referrals for each later closure, as in the last published quarter.
const AFTERWARDS: (f64, f64) = (1.4, 2.1);
/// Cash seized by 18 June 2021 in pence: a little above £2.9m.
const CASH_BY_JUNE_2021: f64 = 292_000_000.0;
/// The fraction of closures with a seizure (A), and its cash in pence: median and standard deviation of the logarithm (A).
const SEIZES: f64 = 0.75;
const CASH: (f64, f64) = (250_000.0, 1.0);
/// Age bands of referred people, with weights (A, following published fractions of children among them).
const AGES: [(&str, f64); 4] = [("under 12", 0.01), ("12-17", 0.61), ("18-25", 0.20), ("26 and over", 0.18)];

/// Arrests, referrals and cash of one closure.
#[derive(Debug, Clone, Copy, Default)]
struct Outcome {
    arrests: u32,
    referrals: u32,
    cash: f64,
}

/// The outcome of each closure, by the index of the life and the number of the closure.
#[derive(Debug)]
pub struct Outcomes(Vec<Vec<Outcome>>);

impl Outcomes {
    /// Draws random outcomes and adjusts them until the totals of each period are met.
    pub fn new(register: &Register, settings: &Settings) -> Self {
        let mut random = Random::new(settings.seed, "outcomes", 0);
        let mut all: Vec<Vec<Outcome>> =
            register.lives.iter().map(|life| vec![Outcome::default(); life.closures.len()]).collect();
        let mut periods: [Vec<(usize, usize)>; 3] = Default::default();
        for (life, closures) in register.lives.iter().map(|life| &life.closures).enumerate() {
            for (number, closure) in closures.iter().enumerate() {
                let period = BY.iter().position(|(last, ..)| closure.on <= *last).unwrap_or(BY.len());
                periods[period].push((life, number));
            }
        }
        let mut before = (0.0, 0.0);
        for (period, members) in periods.iter().enumerate() {
            let count = members.len() as f64;
            let (arrests, referrals) = match BY.get(period) {
                Some((_, arrests, referrals)) => {
                    let here =
                        ((arrests - before.0) * settings.scale, (referrals - before.1) * settings.scale);
                    before = (*arrests, *referrals);
                    here
                }
                None => (AFTERWARDS.0 * count, AFTERWARDS.1 * count),
            };
            let arrests = spread(members.len(), arrests, &mut random);
            let referrals = spread(members.len(), referrals, &mut random);
            let cash: Vec<f64> = members
                .iter()
                .map(|_| if random.chance(SEIZES) { random.log_normal(CASH.0, CASH.1) } else { 0.0 })
                .collect();
            let total: f64 = cash.iter().sum();
            let factor =
                if period == 0 && total > 0.0 { CASH_BY_JUNE_2021 * settings.scale / total } else { 1.0 };
            for (at, (life, number)) in members.iter().enumerate() {
                all[*life][*number] =
                    Outcome { arrests: arrests[at], referrals: referrals[at], cash: cash[at] * factor };
            }
        }
        Self(all)
    }
}

/// Poisson-distributed counts for `count` closures, adjusted so that their sum is `total`, rounded up.
fn spread(count: usize, total: f64, random: &mut Random) -> Vec<u32> {
    if count == 0 {
        return Vec::new();
    }
    let total = libm::ceil(total) as i64;
    let mean = total as f64 / count as f64;
    let mut counts: Vec<u32> = (0..count).map(|_| random.poisson(mean)).collect();
    let mut missing = total - counts.iter().map(|count| i64::from(*count)).sum::<i64>();
    while missing != 0 {
        let one = &mut counts[random.below(count)];
        if missing > 0 {
            *one += 1;
            missing -= 1;
        } else if *one > 0 {
            *one -= 1;
            missing += 1;
        }
    }
    counts
}

/// Generates the closures of a line and their results.
///
/// # Errors
/// [`DemoError::Lifecycle`] if a state does not allow an event.
pub fn of_line(
    line: &DealLine,
    register: &Register,
    outcomes: &Outcomes,
    facts: &Facts,
    random: &mut Random,
    each: &mut dyn FnMut(Record),
) -> Result<(), DemoError> {
    let hub = &facts.hubs[line.hub];
    let importing = line.legs.first().map_or(hub.force.as_str(), |leg| facts.towns[leg.town].force.as_str());
    for (closure, outcome) in register.lives[line.life].closures.iter().zip(&outcomes.0[line.life]) {
        // Taskforces of the exporting forces close two in three of their lines; the British Transport Police close a few.
        let (force, taskforce) = match random.unit() {
            x if x < 0.66 && EXPORTERS.contains(&hub.force.as_str()) => (
                hub.force.as_str(),
                Some(if hub.force == EXPORTERS[0] { "Operation Orochi" } else { "exporting force" }),
            ),
            x if x < 0.72 => ("btp", Some("British Transport Police")),
            _ => (importing, None),
        };
        let reason = match closure.kind {
            1 => "line holder charged",
            _ if random.chance(0.15) => "restriction order",
            _ => "number deactivated",
        };
        let row = Draft::new(closures::COLLECTION, closures::FIELDS, random.row_id())
            .row(&closures::LINE, line.id)
            .text(&closures::FORCE, force)
            .maybe_text(&closures::TASKFORCE, taskforce)
            .whole(&closures::TYPE, i64::from(closure.kind))
            .text(&closures::REASON, reason)
            .day(&closures::CLOSED_ON, closure.on)
            .day(&closures::CHECK_BACK_DUE, closure.due)
            .maybe_day(&closures::CHECKED_BACK_ON, closure.checked)
            .maybe_day(&closures::REOPENED_ON, closure.reopened)
            .text(&closures::STATUS, closure.state.as_str())
            .whole(&closures::ARRESTS, i64::from(outcome.arrests));
        each(row.done(&closures::SYNTHETIC, force, "P", Sensitivity::Limited));
        if outcome.cash > 0.0 {
            let mut grams = |median: f64| rounded(random.log_normal(median, 1.1), 1);
            let (crack, heroin) = (grams(28.0), grams(22.0));
            let row = Draft::new(seizures::COLLECTION, seizures::FIELDS, random.row_id())
                .row(&seizures::LINE, line.id)
                .text(&seizures::FORCE, force)
                .day(&seizures::SEIZED_ON, closure.on)
                .whole(&seizures::CASH_PENCE, libm::ceil(outcome.cash / 500.0) as i64 * 500)
                .number(&seizures::CRACK_G, crack)
                .number(&seizures::HEROIN_G, heroin)
                .whole(&seizures::WEAPONS, i64::from(random.poisson(0.4)))
                .whole(&seizures::PHONES, i64::from(1 + random.poisson(1.2)));
            each(row.done(&seizures::SYNTHETIC, force, "P", Sensitivity::Limited));
        }
        for _ in 0..outcome.referrals {
            // Most referrals are made on the day of the closure, some while it is prepared.
            let before = if random.chance(0.75) { 0 } else { random.whole(1, 14) };
            let made = (closure.on - before).max(line.first);
            let (state, decided) = course(random, made)?;
            let age = *random.weighted(&AGES);
            let child = matches!(age, "under 12" | "12-17");
            let route = *if child {
                random.weighted(&[
                    ("NRM", 0.45),
                    ("SafeCall", 0.2),
                    ("local authority", 0.25),
                    ("violence reduction unit", 0.1),
                ])
            } else {
                random.weighted(&[
                    ("NRM", 0.25),
                    ("duty to notify", 0.25),
                    ("local authority", 0.4),
                    ("violence reduction unit", 0.1),
                ])
            };
            let row = Draft::new(referrals::COLLECTION, referrals::FIELDS, random.row_id())
                .text(&referrals::PERSON, random.token())
                .text(&referrals::AGE_BAND, age)
                .text(&referrals::ROUTE, route)
                .day(&referrals::MADE_ON, made)
                .text(&referrals::STATUS, state.as_str())
                .maybe_day(&referrals::DECIDED_ON, decided)
                .row(&referrals::LINE, line.id)
                .text(&referrals::FORCE, force);
            each(row.done(&referrals::SYNTHETIC, force, "P", Sensitivity::Restricted));
        }
    }
    Ok(())
}

/// The state of a referral on the reference date, and the day of the first decision.
fn course(random: &mut Random, made: i32) -> Result<(ReferralState, Option<i32>), IllegalTransition> {
    let mut state = ReferralState::Made;
    let decided = made + random.whole(2, 45);
    if decided > PRESENT {
        return Ok((state, None));
    }
    state = match random.unit() {
        x if x < 0.72 => state.after(ReferralEvent::Accept)?,
        x if x < 0.90 => state.after(ReferralEvent::Decline)?,
        _ => state.after(ReferralEvent::Withdraw)?,
    };
    if state == ReferralState::Accepted && decided + random.whole(60, 300) <= PRESENT {
        state = state.after(if random.chance(0.85) {
            ReferralEvent::Complete
        } else {
            ReferralEvent::Withdraw
        })?;
    }
    Ok((state, Some(decided)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_met_exactly() {
        let mut random = Random::new(2, "test", 0);
        for (count, total) in [(788, 5_130.0), (40, 3.0), (1, 9.5)] {
            let counts = spread(count, total, &mut random);
            assert_eq!(counts.iter().sum::<u32>(), total.ceil() as u32);
            assert_eq!(counts.len(), count);
        }
        assert!(spread(0, 5.0, &mut random).is_empty());
    }
}
