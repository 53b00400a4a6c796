//! The synthetic national set: lines, numbers, addresses, patrols, sightings, closures, from a seed and committed facts.
//!
//! In: a seed, a scale, and which places are taken by real buildings. Out: rows of the register's collections, the
//! same on every machine, and a table that checks them against published figures. Nothing in it is real but the
//! places. Not here: writing rows (`store`), the command (`cli`).
//!
//! Figures and their sources stand beside the constants; what has no public figure is marked (A), an assumption.

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

use crate::demo::facts::Facts;
use crate::demo::land::Land;
use crate::demo::lines::Line;
use crate::demo::outcomes::Outcomes;
use crate::demo::random::Random;
use crate::demo::records::Tokens;
use crate::model::Position;
use crate::model::Provenance;
use crate::model::Row;
use crate::model::RowId;
use crate::model::lifecycle::IllegalTransition;

/// 1 November 2019, when the set begins: a day since 1970.
pub const START: i32 = 18_201;
/// 30 April 2024, the present of the set.
pub const PRESENT: i32 = 19_843;
/// The seed of the set that everybody sees.
pub const SEED: u64 = 20_240_430;
/// The collections that the set fills.
pub const COLLECTIONS: [&str; 9] =
    ["exposures", "lines", "legs", "numbers", "addresses", "sightings", "closures", "seizures", "referrals"];

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Another seed is another country of the same kind.
    pub seed: u64,
    /// How many times as many lines as in the country.
    pub scale: f64,
}

/// A row with where it belongs.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The collection.
    pub collection: &'static str,
    /// Names of its fields, in the order of the row's values.
    pub fields: &'static [&'static str],
    /// The row, with its id.
    pub row: Row,
    /// Who holds it, and how it may be handled.
    pub provenance: Provenance,
}

/// What is true of one record of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// The record.
    pub record: RowId,
    /// The record of the same line that closures and addresses hang on.
    pub line: RowId,
    /// What is wrong with the record.
    pub dirt: Vec<&'static str>,
}

/// Why the set could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A committed fact cannot be read.
    #[error("data/reference/{file}: {what}")]
    Fact {
        /// The file.
        file: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// A step that the lifecycle forbids.
    #[error(transparent)]
    Lifecycle(#[from] IllegalTransition),
    /// The token function refused its key, which has the right length.
    #[error("the key for number tokens is refused")]
    Key(#[from] hmac::digest::InvalidLength),
    /// Who takes the rows gave up.
    #[error("{0}")]
    Refused(String),
}

/// The key of released rows' ids, so that the same set is released alike: what it would hide is invented.
#[must_use]
pub fn release_key(settings: &Settings) -> [u8; 32] {
    blake3::derive_key("throughline demo 2026 released ids", &settings.seed.to_be_bytes())
}

/// Makes the set: every row goes to `each`, in an order that depends on the settings only. `taken` says where no
/// invented address may stand.
///
/// # Errors
/// [`DemoError`], also [`DemoError::Refused`] with the words of `each`.
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
    let mut refused = None;
    let mut sink = |record: Record| {
        if refused.is_none() {
            refused = each(record).err();
        }
    };
    let patrols = events::patrols(settings, &facts, &mut sink);
    let mut truth = Vec::with_capacity(register.lines.len());
    for held in register.lines.chunk_by(|a, b| a.life == b.life) {
        let held: Vec<&Line> = held.iter().collect();
        let Some(&primary) = held.first() else { continue };
        let stream = |name: &str| Random::new(settings.seed, name, primary.life as u64);
        let mut random = stream("rows");
        for line in &held {
            records::line(line, &facts, &mut random, &mut sink);
            truth.push(Truth { record: line.id, line: primary.id, dirt: line.dirt.clone() });
        }
        let knowing: Vec<&Line> =
            held.iter().copied().filter(|line| line.primary || line.dirt.contains(&"same number")).collect();
        records::numbers(&knowing, &tokens, &mut stream("numbers"), &mut sink)?;
        records::addresses(primary, &points, &facts, &mut stream("addresses"), &mut sink)?;
        let mut random = stream("sightings");
        for leg in &primary.legs {
            events::sightings(primary, leg, &patrols, &points, &facts, &mut random, &mut sink);
        }
        outcomes::of_line(primary, &register, &outcomes, &facts, &mut stream("closures"), &mut sink)?;
    }
    match refused {
        Some(words) => Err(DemoError::Refused(words)),
        None => Ok(truth),
    }
}
