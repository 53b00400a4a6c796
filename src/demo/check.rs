//! The self-check: compares the set with published figures. It uses only the rows, so anyone with the store can repeat it.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;

use crate::demo::PRESENT;
use crate::demo::Record;
use crate::demo::START;
use crate::demo::Settings;
use crate::demo::destinations::EXPORTERS;
use crate::demo::lines::EXPORTER_FRACTIONS;
use crate::demo::lives::APRIL_2024;
use crate::demo::lives::JUNE_2021;
use crate::demo::steer::NORTHAMPTONSHIRE;
use crate::demo::steer::PORTSMOUTH;
use crate::model::Value;
use crate::model::collections::Field;
use crate::model::collections::closures;
use crate::model::collections::legs;
use crate::model::collections::lines;
use crate::model::collections::referrals;
use crate::model::collections::seizures;
use crate::model::collections::sightings;
use crate::model::lifecycle::LineState;
use crate::model::reference::Reference;

/// 1 April 2022.
const APRIL_2022: i32 = 19_083;
/// The number of forces in which London's lines were counted.
const COUNTED_FORCES: usize = 37;

/// One row of the table.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Check {
    /// The figure that is compared.
    pub what: String,
    /// The target, as text.
    pub target: String,
    /// The result.
    pub got: String,
    /// Whether the result meets the target.
    pub passes: bool,
}

/// Collects the figures of the table from all rows.
#[derive(Debug, Default)]
pub struct SelfCheck {
    scale: f64,
    lines_by_force: BTreeMap<String, u64>,
    rows: BTreeMap<&'static str, u64>,
    running: HashSet<u128>,
    /// The first day and the day of closure of each line.
    spans: Vec<(i32, i32)>,
    portsmouth: HashSet<String>,
    northamptonshire: HashSet<String>,
    main_towns: HashSet<String>,
    london: HashMap<String, u64>,
    minutes: Vec<i64>,
    legs: [u64; 2],
    local: [u64; 2],
    importing: HashSet<String>,
    closed: Vec<i32>,
    type_1: u64,
    reopened: u64,
    arrests: Vec<(i32, i64)>,
    cash: i64,
    referred: Vec<i32>,
    under_18: u64,
}

impl SelfCheck {
    /// For a set with these settings.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self { scale: settings.scale, ..Self::default() }
    }

    /// Adds a row.
    pub fn see(&mut self, record: &Record) {
        *self.rows.entry(record.collection).or_default() += 1;
        let row = Seen(record.fields, &record.row.values);
        match record.collection {
            lines::COLLECTION => {
                *self.lines_by_force.entry(row.text(&lines::EXPORTING_FORCE)).or_default() += 1;
                if LineState::parse(&row.text(&lines::STATUS)).is_some_and(LineState::is_running) {
                    self.running.insert(record.row.id.map_or(0, |id| id.0));
                }
                let first = row.day(&lines::FIRST_SEEN).unwrap_or(START);
                self.spans.push((first, row.day(&lines::CLOSED_ON).unwrap_or(i32::MAX)));
            }
            legs::COLLECTION => self.see_leg(&row),
            closures::COLLECTION => {
                let on = row.day(&closures::CLOSED_ON).unwrap_or(0);
                self.closed.push(on);
                self.type_1 += u64::from(row.whole(&closures::TYPE) == 1);
                self.reopened += u64::from(row.day(&closures::REOPENED_ON).is_some());
                self.arrests.push((on, row.whole(&closures::ARRESTS)));
            }
            seizures::COLLECTION => {
                let early = row.day(&seizures::SEIZED_ON).is_some_and(|on| on <= JUNE_2021);
                self.cash += if early { row.whole(&seizures::CASH_PENCE) } else { 0 };
            }
            referrals::COLLECTION => self.referred.push(row.day(&referrals::MADE_ON).unwrap_or(0)),
            sightings::COLLECTION => {
                self.under_18 += u64::from(matches!(&*row.text(&sightings::AGE_BAND), "under 12" | "12-17"));
            }
            _ => {}
        }
    }

    fn see_leg(&mut self, row: &Seen<'_>) {
        let (from, to) = (row.text(&legs::EXPORTING_FORCE), row.text(&legs::IMPORTING_FORCE));
        let (town, line) = (row.text(&legs::TOWN), row.text(&legs::LINE));
        let local = from == to;
        let first = row.day(&legs::ACTIVE_FROM).unwrap_or(0);
        // 2020, and the twelve months before the reference date.
        let year =
            if (18_262..18_628).contains(&first) { Some(0) } else { (first > PRESENT - 365).then_some(1) };
        if let Some(year) = year {
            self.legs[year] += 1;
            self.local[year] += u64::from(local);
        }
        if !local {
            self.minutes.push(row.whole(&legs::RAIL_MINUTES));
            if from == EXPORTERS[0] {
                *self.london.entry(to.clone()).or_default() += 1;
            }
        }
        let runs = row.day(&legs::ACTIVE_TO).is_none()
            && Reference::of(&line).among(|id| self.running.contains(&id.0)).is_some();
        if runs {
            if town == "portsmouth" {
                self.portsmouth.insert(line.clone());
            }
            if to == "northamptonshire" {
                if town == "northampton" || town == "kettering" {
                    self.main_towns.insert(line.clone());
                }
                self.northamptonshire.insert(line);
            }
        }
        self.importing.insert(to);
    }

    /// Adds closures and their results to the table.
    fn programme(&self, table: &mut Table) {
        let by = |days: &[i32], last: i32| days.iter().filter(|day| **day <= last).count() as f64;
        table.floor("closures by 18 June 2021", 781.0, by(&self.closed, JUNE_2021));
        table.floor("closures by 5 April 2024", 5_601.0, by(&self.closed, APRIL_2024));
        table.floor(
            "closures from 1 April 2022 to 5 April 2024",
            2_501.0,
            by(&self.closed, APRIL_2024) - by(&self.closed, APRIL_2022 - 1),
        );
        let arrests = |last: i32| {
            self.arrests.iter().filter(|(on, _)| *on <= last).map(|(_, count)| *count as f64).sum::<f64>()
        };
        table.floor("arrests by 18 June 2021", 5_101.0, arrests(JUNE_2021));
        table.floor("arrests by 5 April 2024", 16_501.0, arrests(APRIL_2024));
        table.floor("cash seized by 18 June 2021, £", 2_900_000.0, self.cash as f64 / 100.0);
        table.floor("safeguarding referrals by 18 June 2021", 1_201.0, by(&self.referred, JUNE_2021));
        table.floor("safeguarding referrals by 5 April 2024", 8_801.0, by(&self.referred, APRIL_2024));
        let referrals = by(&self.referred, APRIL_2024) / by(&self.closed, APRIL_2024).max(1.0);
        table.range("referrals for each closure to April 2024", 1.4, 1.6, referrals, false);
        let closed = (self.closed.len() as f64).max(1.0);
        table.range("closures of type 1, %", 89.0, 93.0, 100.0 * self.type_1 as f64 / closed, false);
        table.range(
            "closed lines that run again within 90 days, % (A)",
            3.5,
            6.5,
            100.0 * self.reopened as f64 / closed,
            false,
        );
    }

    /// The number of rows of each collection.
    #[must_use]
    pub fn rows(&self) -> &BTreeMap<&'static str, u64> {
        &self.rows
    }

    /// The finished table.
    #[must_use]
    pub fn table(&self) -> Vec<Check> {
        let mut table = Table { checks: Vec::new(), scale: self.scale };
        let all_lines: u64 = self.lines_by_force.values().sum();
        let percentage = |force: &str| {
            100.0 * self.lines_by_force.get(force).copied().unwrap_or(0) as f64 / (all_lines as f64).max(1.0)
        };
        table.near(
            "records of lines since November 2019 (A: 6,500 lives, 15 % held twice or more)",
            7_300.0,
            0.06,
            all_lines as f64,
        );
        let per_month: Vec<f64> = (START..=PRESENT)
            .step_by(30)
            .map(|day| self.spans.iter().filter(|(first, end)| *first <= day && day < *end).count() as f64)
            .collect();
        let (least, most) = per_month.iter().fold((f64::MAX, 0.0_f64), |(a, b), x| (a.min(*x), b.max(*x)));
        table.range("lines active at once, least month", 600.0, 1_100.0, least, true);
        table.range("lines active at once, fullest month", 600.0, 1_100.0, most, true);
        table.exact(
            "Portsmouth, active lines on the reference date (reported in 2018)",
            PORTSMOUTH,
            self.portsmouth.len(),
        );
        table.exact(
            "Northamptonshire, active lines on the reference date (reported in 2020)",
            NORTHAMPTONSHIRE,
            self.northamptonshire.len(),
        );
        let main = 100.0 * self.main_towns.len() as f64 / (self.northamptonshire.len() as f64).max(1.0);
        table.range("of those in Northampton and Kettering, %", 60.0, 80.0, main, false);
        self.programme(&mut table);
        for (force, target) in EXPORTERS.iter().zip(EXPORTER_FRACTIONS) {
            let target = target * 100.0;
            table.range(
                &format!("lines from {force}, % (A)"),
                target - 1.0,
                target + 1.0,
                percentage(force),
                false,
            );
        }
        let four: f64 = EXPORTERS.iter().map(|force| percentage(force)).sum();
        table.range("lines from the four exporting forces, %: the majority", 50.0, 100.0, four, false);
        let mut london: Vec<f64> = self.london.values().map(|count| *count as f64).collect();
        london.sort_by(|a, b| b.total_cmp(a));
        let total = london.iter().sum::<f64>().max(1.0);
        let top = 100.0 * london.iter().take(5).sum::<f64>() / total;
        table.range("London's legs to the five forces with most, %", 50.0, 55.0, top, false);
        london.resize(COUNTED_FORCES, 0.0);
        table.range("Gini coefficient of London's legs over 37 forces", 0.60, 0.70, gini(&london), false);
        let mut minutes = self.minutes.clone();
        minutes.sort_unstable();
        let median = minutes.get(minutes.len() / 2).copied().unwrap_or(0) as f64;
        table.range("median leg between forces, rail minutes (A)", 95.0, 110.0, median, false);
        let local = |year: usize| 100.0 * self.local[year] as f64 / (self.legs[year] as f64).max(1.0);
        table.range("legs that stay in their force, begun in 2020, % (A)", 7.0, 19.0, local(0), false);
        table.range(
            "legs that stay in their force, begun in the last year, % (A)",
            30.0,
            42.0,
            local(1),
            false,
        );
        let importing = self.importing.iter().filter(|force| *force != "btp").count();
        table.floor_unscaled(
            "forces with a leg, of 43 and Scotland without the City of London",
            43.0,
            importing as f64,
        );
        let seen = self.rows.get(sightings::COLLECTION).copied().unwrap_or(0) as f64;
        table.range(
            "sightings of people under 18, %",
            40.0,
            45.0,
            100.0 * self.under_18 as f64 / seen.max(1.0),
            false,
        );
        table.checks
    }
}

/// The Gini coefficient of amounts that are sorted from the greatest to the least.
fn gini(amounts: &[f64]) -> f64 {
    let count = amounts.len() as f64;
    let total: f64 = amounts.iter().sum();
    let weighted: f64 =
        amounts.iter().enumerate().map(|(place, amount)| (count - place as f64) * amount).sum();
    if total > 0.0 { (2.0 * weighted / total - (count + 1.0)) / count } else { 0.0 }
}

struct Table {
    checks: Vec<Check>,
    scale: f64,
}

impl Table {
    fn add(&mut self, what: &str, target: String, got: f64, passes: bool) {
        let got = if got.fract() == 0.0 || got.abs() >= 1_000.0 {
            format!("{got:.0}")
        } else {
            format!("{got:.2}")
        };
        self.checks.push(Check { what: what.to_owned(), target, got, passes });
    }

    fn range(&mut self, what: &str, least: f64, most: f64, got: f64, scaled: bool) {
        let scale = if scaled { self.scale } else { 1.0 };
        let (least, most) = (least * scale, most * scale);
        self.add(what, format!("{} to {}", short(least), short(most)), got, (least..=most).contains(&got));
    }

    fn near(&mut self, what: &str, target: f64, within: f64, got: f64) {
        let target = target * self.scale;
        let passes = (got - target).abs() <= within * target;
        self.add(what, format!("{} ± {} %", short(target), short(within * 100.0)), got, passes);
    }

    fn exact(&mut self, what: &str, target: f64, got: usize) {
        let target = libm::round(target * self.scale);
        self.add(what, short(target), got as f64, got == target as usize);
    }

    fn floor(&mut self, what: &str, target: f64, got: f64) {
        let target = libm::floor(target * self.scale);
        self.add(what, format!("at least {}", short(target)), got, got >= target);
    }

    fn floor_unscaled(&mut self, what: &str, target: f64, got: f64) {
        self.add(what, format!("at least {}", short(target)), got, got >= target);
    }
}

fn short(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The fields of a row by name, and their values, by typed handle.
struct Seen<'a>(&'a [&'a str], &'a [Value]);

impl Seen<'_> {
    fn value<T: ?Sized>(&self, field: &Field<T>) -> Option<&Value> {
        self.1.get(self.0.iter().position(|name| *name == field.name())?)
    }

    fn text(&self, field: &Field<str>) -> String {
        match self.value(field) {
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        }
    }

    fn day(&self, field: &Field<i64>) -> Option<i32> {
        match self.value(field) {
            Some(Value::Date(day)) => Some(*day),
            _ => None,
        }
    }

    fn whole(&self, field: &Field<i64>) -> i64 {
        match self.value(field) {
            Some(Value::Int(number)) => *number,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gini_of_known_amounts() {
        assert!(gini(&[1.0, 1.0, 1.0, 1.0]).abs() < 1e-12);
        // If one of four has everything: (n - 1) / n.
        assert!((gini(&[4.0, 0.0, 0.0, 0.0]) - 0.75).abs() < 1e-12);
    }
}
