//! The synthetic national set: lines, numbers, addresses, patrols, sightings and closures, generated from a seed and
//! committed facts.
//!
//! In: a seed, a scale, and the positions of real buildings. Out: rows of the register's collections, the same on every
//! machine, and a table that compares them with published figures. Only the places are real. Not here: writing rows
//! (`store`), the command (`cli`).
//!
//! The comment of each constant gives its source. A figure without a public source is an assumption, marked (A).

mod buildings;
mod check;
mod destinations;
mod dirt;
mod draft;
mod events;
mod facts;
mod land;
mod lattice;
mod lines;
mod lives;
mod outcomes;
mod random;
mod records;
mod returns;
mod steer;

pub use buildings::Buildings;
pub use check::Check;
pub use check::SelfCheck;
pub use lattice::is_on_lattice;
pub use lattice::reach_km;
pub use returns::returns;

use std::cell::OnceCell;

use crate::demo::facts::Facts;
use crate::demo::land::Land;
use crate::demo::lines::DealLine;
use crate::demo::outcomes::Outcomes;
use crate::demo::random::Random;
use crate::demo::records::Tokens;
use crate::model::Position;
use crate::model::Provenance;
use crate::model::Row;
use crate::model::RowId;
use crate::model::lifecycle::IllegalTransition;

/// 1 November 2019, the first day of the set, in days since 1970-01-01.
pub const START: i32 = 18_201;
/// 30 April 2024, the reference date of the set, in days since 1970-01-01.
pub const PRESENT: i32 = 19_843;
/// The default seed.
pub const SEED: u64 = 20_240_430;
/// The collections that the set fills.
pub const COLLECTIONS: [&str; 9] =
    ["exposures", "lines", "legs", "numbers", "addresses", "sightings", "closures", "seizures", "referrals"];

/// The settings of a set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The seed of all random numbers. Another seed gives other rows with the same statistics.
    pub seed: u64,
    /// The number of lines, as a multiple of that of the country.
    pub scale: f64,
}

/// A generated row and its collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The id of the collection.
    pub collection: &'static str,
    /// Names of its fields, in the order of the row's values.
    pub fields: &'static [&'static str],
    /// The row, with its id.
    pub row: Row,
    /// The owner of the row, and how it may be handled.
    pub provenance: Provenance,
}

/// The truth about one record of a line, which the store does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// The id of the record.
    pub record: RowId,
    /// The primary record of the same line, which closures and addresses refer to.
    pub line: RowId,
    /// The faults of the record.
    pub dirt: Vec<&'static str>,
}

/// The reason why the set could not be generated.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A committed file of facts cannot be read.
    #[error("data/reference/{file}: {what}")]
    Fact {
        /// The file.
        file: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// A state and an event that the lifecycle does not allow.
    #[error(transparent)]
    Lifecycle(#[from] IllegalTransition),
    /// The token function refused its key. Its length is right, so this cannot happen.
    #[error("the key for number tokens was refused")]
    Key(#[from] hmac::digest::InvalidLength),
    /// The receiver of the rows stopped with this message.
    #[error("{0}")]
    Refused(String),
}

/// The key for ids of released rows. It depends on the seed, so that a set is always released with the same ids; it need
/// not be secret because the rows are synthetic.
#[must_use]
pub fn release_key(settings: &Settings) -> [u8; 32] {
    blake3::derive_key("throughline demo 2026 released ids", &settings.seed.to_be_bytes())
}

/// Generates the set and passes every row to `each`, in an order that depends only on the settings. `taken` returns
/// whether a position is not free for a synthetic address.
///
/// # Errors
/// [`DemoError`]; [`DemoError::Refused`] with the message of `each` if that fails.
pub fn generate(
    settings: &Settings,
    taken: &dyn Fn(Position) -> bool,
    each: &mut dyn FnMut(Record) -> Result<(), String>,
) -> Result<Vec<Truth>, DemoError> {
    let facts = Facts::read()?;
    let points = lattice::points_of_towns(&facts.towns, &Land::read()?, taken);
    let register = lines::register(settings, &facts)?;
    let outcomes = Outcomes::new(&register, settings);
    let tokens = Tokens::new(settings.seed);
    // Seen by the loop below too, so that nothing more is made after a refusal.
    let refused = OnceCell::new();
    let mut sink = |record: Record| {
        if refused.get().is_none()
            && let Err(words) = each(record)
        {
            // It is empty: it was looked at just now.
            let _ = refused.set(words);
        }
    };
    let patrols = events::patrols(settings, &facts, &mut sink);
    let mut truth = Vec::with_capacity(register.lines.len());
    for held in register.lines.chunk_by(|a, b| a.life == b.life) {
        let held: Vec<&DealLine> = held.iter().collect();
        let Some(&primary) = held.first() else { continue };
        if refused.get().is_some() {
            break;
        }
        let stream = |name: &str| Random::new(settings.seed, name, primary.life as u64);
        let mut random = stream("rows");
        for line in &held {
            records::line(line, &facts, &mut random, &mut sink);
            truth.push(Truth { record: line.id, line: primary.id, dirt: line.dirt.clone() });
        }
        let knowing: Vec<&DealLine> =
            held.iter().copied().filter(|line| line.primary || line.dirt.contains(&"same number")).collect();
        records::numbers(&knowing, &tokens, &mut stream("numbers"), &mut sink)?;
        records::addresses(primary, &points, &facts, &mut stream("addresses"), &mut sink)?;
        let mut random = stream("sightings");
        for leg in &primary.legs {
            events::sightings(primary, leg, &patrols, &points, &facts, &mut random, &mut sink);
        }
        outcomes::of_line(primary, &register, &outcomes, &facts, &mut stream("closures"), &mut sink)?;
    }
    match refused.into_inner() {
        Some(words) => Err(DemoError::Refused(words)),
        None => Ok(truth),
    }
}
