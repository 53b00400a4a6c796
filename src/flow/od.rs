//! Legs added up by pairs of ends.

use std::collections::HashMap;

use crate::access::CollectionView;
use crate::access::HeldBytes;
use crate::access::View;
use crate::filter::Bound;
use crate::flow::ends::Ends;
use crate::flow::ends::FlowEnd;
use crate::flow::ends::FlowLevel;
use crate::flow::ends::Gazetteer;
use crate::flow::ends::Titles;
use crate::model::RowId;
use crate::model::ValueRef;
use crate::model::collections::forces;
use crate::model::collections::hubs;
use crate::model::collections::legs;
use crate::model::collections::regions;
use crate::model::collections::towns;
use crate::model::reference::Reference;
use crate::model::reference::rows_named;

/// What is asked.
#[derive(Debug, Clone)]
pub struct FlowRequest {
    /// How far origins are gathered.
    pub origin: FlowLevel,
    /// How far destinations are gathered.
    pub destination: FlowLevel,
    /// Only legs from this hub, or from a hub in this force or region: collection and id.
    pub from: Option<(String, String)>,
    /// Only legs to this town, or to a town in this force or region: collection and id.
    pub to: Option<(String, String)>,
    /// How many pairs at most, the strongest first.
    pub limit: usize,
}

/// Why a question was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// The caller has no legs, hubs or towns.
    #[error("there are no flows")]
    NoFlows,
    /// `from` or `to` names nothing that there is.
    #[error(
        "{end:?} names nothing that there is: give {collections}, then a colon and an id, such as {example}"
    )]
    NoSuchEnd {
        /// The parameter.
        param: &'static str,
        /// What it was.
        end: String,
        /// Which collections can be named.
        collections: &'static str,
        /// One that would be right.
        example: &'static str,
    },
}

/// What a number of legs adds up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Pairs of ends.
    pub flows: u64,
    /// Lines, each counted once, by whichever of its ids it is named.
    pub lines: u64,
    /// Legs.
    pub legs: u64,
    /// Journeys in ten weeks of the legs where they are known: whole numbers, so that the order of adding does not
    /// matter. `None` if there are legs and of none of them they are known.
    pub trips_in_ten_weeks: Option<i64>,
}

/// One pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Index of the origin in [`Flows::places`].
    pub origin: usize,
    /// Index of the destination there.
    pub destination: usize,
    /// What it adds up to.
    pub sums: Sums,
    /// Rail minutes from door to door, the middle of those legs where they are known; `None` if of none.
    pub minutes: Option<i64>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Flows {
    /// Ends of the listed pairs.
    pub places: Vec<FlowEnd>,
    /// Pairs, the strongest first: by lines, then journeys, then names.
    pub flows: Vec<Flow>,
    /// All legs that match.
    pub totals: Sums,
    /// Those of the listed pairs.
    pub shown: Sums,
    /// Legs that match otherwise and are in no pair: their hub or town is not known, or has no position.
    pub without_ends: u64,
}

/// Legs in the form they are added up in, made once for the visible rows.
#[derive(Debug)]
struct Legs {
    hubs: Vec<Reference>,
    towns: Vec<Reference>,
    /// Group after group, in the order of the view.
    rows: Vec<Leg>,
}

#[derive(Debug)]
struct Leg {
    hub: Option<u32>,
    town: Option<u32>,
    line: Option<u32>,
    minutes: Option<i32>,
    trips_in_ten_weeks: Option<i64>,
}

impl HeldBytes for Legs {
    fn held_bytes(&self) -> usize {
        (self.hubs.len() + self.towns.len()) * size_of::<Reference>() + self.rows.len() * size_of::<Leg>()
    }
}

impl Legs {
    fn new(collection: &CollectionView) -> Self {
        let (mut hubs, mut towns, mut lines) =
            (Interned::default(), Interned::default(), Interned::default());
        let mut rows = Vec::with_capacity(collection.rows() as usize);
        // A view may lack some of the fields.
        let [hub, town, line] = [&legs::HUB, &legs::TOWN, &legs::LINE].map(|field| collection.place(field));
        let (minutes, trips) =
            (collection.place(&legs::RAIL_MINUTES), collection.place(&legs::TRIPS_PER_WEEK));
        for group in collection.groups() {
            for row in 0..group.len() {
                let text = |field: Option<usize>| match group.value(field?, row) {
                    ValueRef::Text(text) => Some(text),
                    _ => None,
                };
                let number = |field: Option<usize>| match field.map(|field| group.value(field, row)) {
                    Some(ValueRef::Int(number)) => Some(number as f64),
                    Some(ValueRef::Float(number)) => Some(number),
                    _ => None,
                };
                rows.push(Leg {
                    hub: text(hub).map(|hub| hubs.number(hub)),
                    town: text(town).map(|town| towns.number(town)),
                    line: text(line).map(|line| lines.number(line)),
                    minutes: number(minutes).map(|minutes| minutes as i32),
                    trips_in_ten_weeks: number(trips).map(|trips| (trips * 10.0).round() as i64),
                });
            }
        }
        // A line may be named by its public id here and by its internal one there.
        let mut numbers: HashMap<RowId, u32> = HashMap::new();
        let mut number_of = |(row, number): (RowId, u32)| *numbers.entry(row).or_insert(number);
        let of_line: Vec<u32> = rows_named(lines.words.iter().map(String::as_str))
            .into_iter()
            .zip(0..)
            .map(&mut number_of)
            .collect();
        for leg in &mut rows {
            leg.line = leg.line.map(|line| of_line[line as usize]);
        }
        let references = |words: &[String]| words.iter().map(|word| Reference::of(word)).collect();
        Self { hubs: references(&hubs.words), towns: references(&towns.words), rows }
    }
}

/// Words by number.
#[derive(Default)]
struct Interned {
    numbers: HashMap<String, u32>,
    words: Vec<String>,
}

impl Interned {
    fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = self.words.len() as u32;
        self.numbers.insert(word.to_owned(), number);
        self.words.push(word.to_owned());
        number
    }
}

/// One leg of the answer on its way: ends, line, then what is added up.
type Part = (u32, u32, Option<u32>, Option<i64>, Option<i32>);

/// What became of one end of a leg.
#[derive(Clone, Copy)]
enum End {
    /// The number of the end it belongs to.
    At(u32),
    /// It is known and not the one asked for, or not known while one is asked for.
    Elsewhere,
    /// It is not known, or has no position.
    NotKnown,
}

/// Adds up the visible legs that match `filter`, which is bound to the view's legs.
///
/// # Errors
/// [`FlowError`].
pub fn flows(view: &View, filter: &Bound, request: &FlowRequest) -> Result<Flows, FlowError> {
    let get = |id: &str| view.collection(id).ok_or(FlowError::NoFlows);
    let (rows, hubs, towns) = (get(legs::COLLECTION)?, get(hubs::COLLECTION)?, get(towns::COLLECTION)?);
    let legs = rows.derive(Legs::new);
    let get = |id: &str| view.collection(id).map(AsRef::as_ref);
    let titles = Titles::of(get(forces::COLLECTION), get(regions::COLLECTION));
    let hubs = hubs.derive(Gazetteer::of_hubs).under(&titles);
    let towns = towns.derive(Gazetteer::of_towns).under(&titles);
    let from = check_end("from", request.from.as_ref(), hubs::COLLECTION, &hubs, &titles)?;
    let to = check_end("to", request.to.as_ref(), towns::COLLECTION, &towns, &titles)?;
    let mut origins = Ends::new(&hubs, request.origin, true);
    let mut destinations = Ends::new(&towns, request.destination, false);
    let number_all = |ends: &mut Ends<'_>, references: &[Reference], asked: WantedEnd<'_>, of: &Gazetteer| {
        let number = |reference: &Reference| {
            let row = of.find(*reference);
            match (row.and_then(|row| ends.number(row, &titles)), row, asked) {
                (Some(number), _, None) => End::At(number),
                (Some(number), Some(row), Some((within, name))) if of.lies_in(row, within, name) => {
                    End::At(number)
                }
                (None, _, None) => End::NotKnown,
                _ => End::Elsewhere,
            }
        };
        references.iter().map(number).collect::<Vec<End>>()
    };
    let of_hub = number_all(&mut origins, &legs.hubs, from, &hubs);
    let of_town = number_all(&mut destinations, &legs.towns, to, &towns);
    let end_of = |ends: &[End], number: Option<u32>, asked: WantedEnd<'_>| match number {
        Some(number) => ends[number as usize],
        None if asked.is_some() => End::Elsewhere,
        None => End::NotKnown,
    };
    let (mut parts, mut without_ends): (Vec<Part>, u64) = (Vec::new(), 0);
    let mut starts = Vec::with_capacity(rows.groups().len());
    rows.groups().iter().fold(0, |start, group| {
        starts.push(start);
        start + group.len()
    });
    for (group, row) in filter.rows(rows) {
        let leg = &legs.rows[starts[group] + row];
        match (end_of(&of_hub, leg.hub, from), end_of(&of_town, leg.town, to)) {
            (End::At(origin), End::At(destination)) => {
                parts.push((origin, destination, leg.line, leg.trips_in_ten_weeks, leg.minutes));
            }
            (End::Elsewhere, _) | (_, End::Elsewhere) => {}
            (End::NotKnown, _) | (_, End::NotKnown) => without_ends += 1,
        }
    }
    parts.sort_unstable();
    let mut pairs: Vec<(&[Part], Sums)> = parts
        .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
        .map(|pair| (pair, Sums { flows: 1, ..sums(pair) }))
        .collect();
    let name = |pair: &[Part]| {
        let end = |place: &FlowEnd| (place.collection, place.id.clone());
        pair.first().map(|(origin, destination, ..)| {
            (end(&origins.places()[*origin as usize]), end(&destinations.places()[*destination as usize]))
        })
    };
    pairs.sort_by(|(a, x), (b, y)| {
        (y.lines, y.trips_in_ten_weeks)
            .cmp(&(x.lines, x.trips_in_ten_weeks))
            .then_with(|| name(a).cmp(&name(b)))
    });
    let totals = Sums { flows: pairs.len() as u64, ..sums(&parts) };
    pairs.truncate(request.limit);
    let listed: Vec<Part> = pairs.iter().flat_map(|(pair, _)| pair.iter().copied()).collect();
    let shown = Sums { flows: pairs.len() as u64, ..sums(&listed) };
    let mut places: Vec<FlowEnd> = Vec::new();
    let mut numbers: HashMap<(bool, u32), usize> = HashMap::new();
    let mut place = |is_origin: bool, number: u32| {
        *numbers.entry((is_origin, number)).or_insert_with(|| {
            let ends = if is_origin { &origins } else { &destinations };
            places.push(ends.places()[number as usize].clone());
            places.len() - 1
        })
    };
    let flows = pairs
        .iter()
        .filter_map(|(pair, sums)| {
            let (origin, destination, ..) = *pair.first()?;
            let (origin, destination) = (place(true, origin), place(false, destination));
            let mut minutes: Vec<i32> = pair.iter().filter_map(|part| part.4).collect();
            minutes.sort_unstable();
            let minutes = minutes.get(minutes.len() / 2).copied().map(i64::from);
            Some(Flow { origin, destination, sums: *sums, minutes })
        })
        .collect();
    Ok(Flows { places, flows, totals, shown, without_ends })
}

/// The collection of the end that is asked for, and its public id there.
type WantedEnd<'a> = Option<(&'a str, &'a str)>;

fn check_end<'a>(
    param: &'static str,
    end: Option<&'a (String, String)>,
    own: &'static str,
    gazetteer: &'a Gazetteer,
    titles: &'a Titles,
) -> Result<WantedEnd<'a>, FlowError> {
    let Some((collection, id)) = end else { return Ok(None) };
    // A force without a hub is there, and sends nothing out.
    let named = titles.find(collection, id);
    let there = match collection.as_str() {
        forces::COLLECTION => named.or_else(|| gazetteer.has_force(id).then_some(id)),
        regions::COLLECTION => named.or_else(|| gazetteer.has_region(id).then_some(id)),
        other if other == own => gazetteer.find(Reference::of(id)).and_then(|row| gazetteer.id(row)),
        _ => None,
    };
    if let Some(id) = there {
        return Ok(Some((collection, id)));
    }
    let (collections, example) = if own == hubs::COLLECTION {
        ("hubs, forces or regions", "hubs:liverpool")
    } else {
        ("towns, forces or regions", "towns:portsmouth")
    };
    let end: String = format!("{collection}:{id}").chars().take(100).collect();
    Err(FlowError::NoSuchEnd { param, end, collections, example })
}

fn sums(parts: &[Part]) -> Sums {
    let mut lines: Vec<u32> = parts.iter().filter_map(|part| part.2).collect();
    lines.sort_unstable();
    lines.dedup();
    // Absurd numbers of journeys stay the greatest number there is.
    let journeys = parts.iter().filter_map(|part| part.3).fold(0_i64, i64::saturating_add);
    let known = parts.is_empty() || parts.iter().any(|part| part.3.is_some());
    Sums {
        flows: 0,
        lines: lines.len() as u64,
        legs: parts.len() as u64,
        trips_in_ten_weeks: known.then_some(journeys),
    }
}
