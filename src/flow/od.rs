//! Links added up by pairs of ends.

use std::collections::HashMap;

use crate::access::CollectionView;
use crate::access::View;
use crate::flow::ends::Ends;
use crate::flow::ends::Gazetteer;
use crate::flow::ends::Level;
use crate::flow::ends::Place;
use crate::flow::ends::names;
use crate::model::ValueRef;
use crate::model::collections::forces;
use crate::model::collections::hubs;
use crate::model::collections::legs;
use crate::model::collections::regions;
use crate::model::collections::towns;
use crate::model::time::Interval;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// How far origins are gathered.
    pub origin: Level,
    /// How far destinations are gathered.
    pub destination: Level,
    /// Only links that ran in this time.
    pub during: Option<Interval>,
    /// Only links from this hub, or from a hub in this force or region: collection and id.
    pub from: Option<(String, String)>,
    /// Only links to this town, or to a town in this force or region: collection and id.
    pub to: Option<(String, String)>,
    /// How many pairs at most, the strongest first.
    pub limit: usize,
}

/// Why a question was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// The caller has no links, hubs or towns.
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

/// What a number of links adds up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Pairs of ends.
    pub flows: u64,
    /// Lines, each counted once.
    pub lines: u64,
    /// Links.
    pub legs: u64,
    /// Journeys in ten weeks: whole numbers, so that the order of adding does not matter.
    pub trips_in_ten_weeks: i64,
}

/// One pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Place of the origin in [`Flows::places`].
    pub origin: usize,
    /// Place of the destination there.
    pub destination: usize,
    /// What it adds up to.
    pub sums: Sums,
    /// Rail minutes from door to door, the middle of its links.
    pub minutes: i64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Flows {
    /// Ends of the listed pairs.
    pub places: Vec<Place>,
    /// Pairs, the strongest first: by lines, then journeys, then names.
    pub flows: Vec<Flow>,
    /// All links that match.
    pub totals: Sums,
    /// Those of the listed pairs.
    pub shown: Sums,
}

/// Links in the form they are added up in, made once for the visible rows.
#[derive(Debug)]
struct Links {
    hubs: Vec<String>,
    towns: Vec<String>,
    rows: Vec<Link>,
}

#[derive(Debug)]
struct Link {
    hub: u32,
    town: u32,
    line: u32,
    minutes: i32,
    trips_in_ten_weeks: i64,
    from: i64,
    to: i64,
}

impl Links {
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
                    Some(ValueRef::Int(number)) => number as f64,
                    Some(ValueRef::Float(number)) => number,
                    _ => 0.0,
                };
                let (Some(hub), Some(town)) = (text(hub), text(town)) else { continue };
                let (from, to) = group.time(row);
                rows.push(Link {
                    hub: hubs.number(hub),
                    town: towns.number(town),
                    line: lines.number(text(line).unwrap_or_default()),
                    minutes: number(minutes) as i32,
                    trips_in_ten_weeks: (number(trips) * 10.0).round() as i64,
                    from,
                    to,
                });
            }
        }
        Self { hubs: hubs.words, towns: towns.words, rows }
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

/// One link of the answer on its way: ends, line, then what is added up.
type Part = (u32, u32, u32, i64, i32);

/// Adds up the visible links.
///
/// # Errors
/// [`FlowError`].
pub fn flows(view: &View, request: &Request) -> Result<Flows, FlowError> {
    let get = |id: &str| view.collection(id).ok_or(FlowError::NoFlows);
    let (legs, hubs, towns) = (get(legs::COLLECTION)?, get(hubs::COLLECTION)?, get(towns::COLLECTION)?);
    let links = legs.derive(Links::new);
    let (hubs, towns) = (hubs.derive(Gazetteer::of_hubs), towns.derive(Gazetteer::of_towns));
    let titles = [
        names(view.collection(forces::COLLECTION).map(AsRef::as_ref)),
        names(view.collection(regions::COLLECTION).map(AsRef::as_ref)),
    ];
    check_end("from", request.from.as_ref(), hubs::COLLECTION, &hubs, &titles)?;
    check_end("to", request.to.as_ref(), towns::COLLECTION, &towns, &titles)?;
    let within = |gazetteer: &Gazetteer, id: &str, end: Option<&(String, String)>| {
        end.is_none_or(|(collection, name)| gazetteer.lies_in(id, collection, name))
    };
    let mut origins = Ends::new(&hubs, request.origin, true);
    let mut destinations = Ends::new(&towns, request.destination, false);
    let number_all =
        |ends: &mut Ends<'_>, words: &[String], end: Option<&(String, String)>, of: &Gazetteer| {
            let number = |id: &String| within(of, id, end).then(|| ends.number(id, &titles)).flatten();
            words.iter().map(number).collect::<Vec<Option<u32>>>()
        };
    let of_hub = number_all(&mut origins, &links.hubs, request.from.as_ref(), &hubs);
    let of_town = number_all(&mut destinations, &links.towns, request.to.as_ref(), &towns);
    let mut parts: Vec<Part> = links
        .rows
        .iter()
        .filter(|link| request.during.is_none_or(|during| during.intersects(link.from, link.to)))
        .filter_map(|link| {
            let (origin, destination) = (of_hub[link.hub as usize]?, of_town[link.town as usize]?);
            Some((origin, destination, link.line, link.trips_in_ten_weeks, link.minutes))
        })
        .collect();
    parts.sort_unstable();
    let mut pairs: Vec<(&[Part], Sums)> = parts
        .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
        .map(|pair| (pair, Sums { flows: 1, ..sums(pair) }))
        .collect();
    let name = |pair: &[Part]| {
        let end = |place: &Place| (place.collection, place.id.clone());
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
    let mut places: Vec<Place> = Vec::new();
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
            let mut minutes: Vec<i32> = pair.iter().map(|part| part.4).collect();
            minutes.sort_unstable();
            let minutes = i64::from(minutes[minutes.len() / 2]);
            Some(Flow { origin, destination, sums: *sums, minutes })
        })
        .collect();
    Ok(Flows { places, flows, totals, shown })
}

fn check_end(
    param: &'static str,
    end: Option<&(String, String)>,
    own: &'static str,
    gazetteer: &Gazetteer,
    titles: &[HashMap<String, String>; 2],
) -> Result<(), FlowError> {
    let Some((collection, id)) = end else { return Ok(()) };
    // A force without a hub is there, and sends nothing out.
    let there = match collection.as_str() {
        forces::COLLECTION => titles[0].contains_key(id) || gazetteer.has_force(id),
        regions::COLLECTION => titles[1].contains_key(id) || gazetteer.has_region(id),
        other => other == own && gazetteer.has(id),
    };
    if there {
        return Ok(());
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
    let mut lines: Vec<u32> = parts.iter().map(|part| part.2).collect();
    lines.sort_unstable();
    lines.dedup();
    Sums {
        flows: 0,
        lines: lines.len() as u64,
        legs: parts.len() as u64,
        trips_in_ten_weeks: parts.iter().map(|part| part.3).sum(),
    }
}
