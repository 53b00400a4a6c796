//! Query parameters: each known to its route or to the collection, given once, read strictly.

use std::sync::Arc;

use crate::access::CollectionView;
use crate::access::View;
use crate::http::percent::decode;
use crate::http::percent::encode;
use crate::http::problem::Problem;
use crate::http::reads::Reads;
use crate::http::router::PathValues;
use crate::model::Position;
use crate::model::crs::Crs;
use crate::query::Cursor;
use crate::query::DEFAULT_LIMIT;
use crate::query::MAX_LIMIT;

/// A query parameter that a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Param {
    /// `bbox=west,south,east,north`
    Bbox,
    /// `datetime=instant` or `start/end`
    Datetime,
    /// `limit=10`
    Limit,
    /// `next=` cursor
    Next,
    /// `nearest=lon,lat`
    Nearest,
    /// `within=lon,lat,metres`
    Within,
    /// `crs=` URI
    Crs,
    /// `properties=name,name`
    Properties,
    /// `q=` words
    Q,
    /// `level=auto`
    Level,
    /// `zoom=7`
    Zoom,
    /// `from=hubs:liverpool`
    From,
    /// `to=towns:portsmouth`
    To,
}

impl Param {
    /// The name in addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bbox => "bbox",
            Self::Datetime => "datetime",
            Self::Limit => "limit",
            Self::Next => "next",
            Self::Nearest => "nearest",
            Self::Within => "within",
            Self::Crs => "crs",
            Self::Properties => "properties",
            Self::Q => "q",
            Self::Level => "level",
            Self::Zoom => "zoom",
            Self::From => "from",
            Self::To => "to",
        }
    }

    /// What it does, for the OpenAPI document.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Bbox => {
                "Features that share a position with the box west,south,east,north (CRS84 degrees; west > east crosses the antimeridian), and features without geometry."
            }
            Self::Datetime => {
                "Features whose time meets an RFC 3339 instant or interval (start/end, either end may be ..), and features without time."
            }
            Self::Limit => "How many features at most; more than 10,000 is lowered to that.",
            Self::Next => "Where a further page goes on: the opaque value of a next link.",
            Self::Nearest => {
                "The features nearest to lon,lat by geodesic distance, nearest first; adds distance_m."
            }
            Self::Within => "Features within a geodesic distance: lon,lat,metres.",
            Self::Crs => "The coordinate system of the answer, as an OGC URI.",
            Self::Properties => {
                "Names of the properties that features carry, comma-separated; empty for none, all if it is not given."
            }
            Self::Level => {
                "How far ends are gathered: place (hubs and towns), area (exporting areas and towns), force, region, or auto by zoom."
            }
            Self::Zoom => "The zoom of the map, for level=auto: below 8 exporting areas, from 8 on hubs.",
            Self::From => "Only what sets out from here: hubs:ID, forces:ID or regions:ID.",
            Self::To => "Only what leads here: towns:ID, forces:ID or regions:ID.",
            Self::Q => {
                "A name, its beginning or words of it, a station code, or an Ordnance Survey grid reference."
            }
        }
    }

    /// Its JSON Schema.
    #[must_use]
    pub fn schema(self) -> serde_json::Value {
        match self {
            Self::Bbox => serde_json::json!({
                "type": "array", "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
                "items": {"type": "number"}
            }),
            Self::Level => {
                serde_json::json!({"type": "string", "enum": ["auto", "place", "area", "force", "region"], "default": "auto"})
            }
            Self::Zoom => serde_json::json!({"type": "integer", "minimum": 0, "maximum": 24}),
            Self::Datetime | Self::Next | Self::Q | Self::From | Self::To => {
                serde_json::json!({"type": "string"})
            }
            Self::Limit => {
                serde_json::json!({"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT})
            }
            Self::Properties => serde_json::json!({"type": "array", "items": {"type": "string"}}),
            Self::Nearest => {
                serde_json::json!({"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}})
            }
            Self::Within => {
                serde_json::json!({"type": "array", "minItems": 3, "maxItems": 3, "items": {"type": "number"}})
            }
            Self::Crs => serde_json::json!({"type": "string", "format": "uri", "enum": [
                Crs::Crs84.uri(), Crs::BritishNationalGrid.uri()
            ], "default": Crs::Crs84.uri()}),
        }
    }

    /// Whether its value is a list in the address (`explode: false`).
    #[must_use]
    pub fn is_list(self) -> bool {
        matches!(self, Self::Bbox | Self::Nearest | Self::Within | Self::Properties)
    }
}

/// The most names of properties that a refusal lists.
const MOST_LISTED: usize = 100;

/// The names that an address takes.
#[derive(Debug)]
pub struct Names<'a> {
    /// Parameters of ours.
    pub ours: &'static [Param],
    /// Where further names come from: queryable properties that all of the collections have that the route reads.
    pub of: Option<(Reads, &'a View, &'a PathValues)>,
}

impl Names<'_> {
    /// Whether a property has this name. Where it is also the name of a parameter of ours, the parameter is meant.
    fn has_property(&self, name: &str) -> Result<bool, Problem> {
        let collections = self.collections()?;
        let has = |collection: &&Arc<CollectionView>| {
            let schema = collection.schema();
            schema.position(name).is_some_and(|place| schema.fields[place].queryable)
        };
        Ok(!collections.is_empty() && collections.iter().all(has))
    }

    fn collections(&self) -> Result<Vec<&Arc<CollectionView>>, Problem> {
        let Some((reads, view, path)) = self.of else { return Ok(Vec::new()) };
        let collections = reads.collections(view, path);
        // Hidden or not there: then it takes no parameter at all.
        if collections.is_empty() { Err(Problem::NotFound) } else { Ok(collections) }
    }

    fn unknown(&self, name: String) -> Problem {
        let mut all: Vec<&str> = self.ours.iter().map(|param| param.name()).collect();
        let mut more = 0;
        if let Ok(collections) = self.collections()
            && let Some(first) = collections.first()
        {
            let fields = first.schema().fields.iter().map(|field| field.name.as_str());
            let properties: Vec<&str> =
                fields.filter(|name| self.has_property(name) == Ok(true) && !all.contains(name)).collect();
            more = properties.len().saturating_sub(MOST_LISTED);
            all.extend(properties.into_iter().take(MOST_LISTED));
        }
        let mut allowed = if all.is_empty() { "no parameters".to_owned() } else { all.join(", ") };
        if more > 0 {
            allowed.push_str(&format!(" and {more} more properties (see its queryables)"));
        }
        Problem::UnknownParameter { name, allowed }
    }
}

/// The name of a parameter that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Ours(Param),
    Property(String),
}

impl Name {
    fn text(&self) -> &str {
        match self {
            Self::Ours(param) => param.name(),
            Self::Property(name) => name,
        }
    }
}

/// The parameters of one request, in the order in which they were given.
#[derive(Debug, Clone, Default)]
pub struct Params(Vec<(Name, String)>);

impl Params {
    /// Reads a query string for an address that takes these names.
    ///
    /// # Errors
    /// [`Problem`] for a parameter that is unknown, given twice or not UTF-8.
    pub fn parse(query: &str, names: &Names<'_>) -> Result<Self, Problem> {
        let mut given: Vec<(Name, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name), decode(value));
            let ours = name.as_deref().and_then(|name| names.ours.iter().find(|param| param.name() == name));
            let name = match (ours, name) {
                (Some(param), _) => Name::Ours(*param),
                (None, Some(name)) if names.has_property(&name)? => Name::Property(name),
                (None, name) => {
                    return Err(names.unknown(name.unwrap_or_default().chars().take(100).collect()));
                }
            };
            if given.iter().any(|(known, _)| *known == name) {
                return Err(Problem::bad(name.text().to_owned(), "given twice: give it once"));
            }
            let Some(value) = value else {
                return Err(Problem::bad(name.text().to_owned(), "the value is not UTF-8"));
            };
            given.push((name, value));
        }
        Ok(Self(given))
    }

    /// Properties with the values they are to have.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| match name {
            Name::Ours(_) => None,
            Name::Property(name) => Some((name.as_str(), value.as_str())),
        })
    }

    /// The text of a parameter.
    #[must_use]
    pub fn get(&self, param: Param) -> Option<&str> {
        let is = |name: &Name| matches!(name, Name::Ours(known) if *known == param);
        self.0.iter().find(|(name, _)| is(name)).map(|(_, value)| value.as_str())
    }

    /// The query string of the same question, with another cursor; starts with `?` unless it is empty.
    #[must_use]
    pub fn query_string(&self, next: Option<&str>) -> String {
        let mut out = String::new();
        let pairs = self.0.iter().filter(|(name, _)| *name != Name::Ours(Param::Next) || next.is_none());
        let pairs = pairs.map(|(name, value)| (name.text(), value.as_str()));
        for (name, value) in pairs.chain(next.map(|cursor| ("next", cursor))) {
            out.push(if out.is_empty() { '?' } else { '&' });
            out.push_str(&encode(name));
            out.push('=');
            out.push_str(&encode(value));
        }
        out
    }

    /// `limit`, lowered to the greatest; the default where it is not given.
    ///
    /// # Errors
    /// [`Problem`].
    pub fn limit(&self) -> Result<usize, Problem> {
        let Some(text) = self.get(Param::Limit) else { return Ok(DEFAULT_LIMIT) };
        let whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // A number too long for any integer type is still a number above the maximum.
        let number = whole.then(|| text.parse().unwrap_or(usize::MAX));
        match number {
            Some(number) if number > 0 => Ok(number.min(MAX_LIMIT)),
            _ => Err(Problem::bad(
                "limit",
                format!("{text:?} is no positive whole number: give 1 to {MAX_LIMIT}"),
            )),
        }
    }

    /// `zoom`, a whole number from 0 to 24.
    ///
    /// # Errors
    /// [`Problem`].
    pub fn zoom(&self) -> Result<Option<u8>, Problem> {
        let Some(text) = self.get(Param::Zoom) else { return Ok(None) };
        let whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse::<u8>() {
            Ok(zoom) if whole && zoom <= 24 => Ok(Some(zoom)),
            _ => {
                let text: String = text.chars().take(40).collect();
                Err(Problem::bad("zoom", format!("{text:?} is no zoom: give a whole number from 0 to 24")))
            }
        }
    }

    /// `from` or `to`: a collection and an id.
    ///
    /// # Errors
    /// [`Problem`].
    pub fn end(&self, param: Param) -> Result<Option<(String, String)>, Problem> {
        let Some(text) = self.get(param) else { return Ok(None) };
        match text.split_once(':') {
            Some((collection, id)) if !id.is_empty() => Ok(Some((collection.to_owned(), id.to_owned()))),
            _ => {
                let text: String = text.chars().take(100).collect();
                let reason = format!("{text:?} is no collection:id, such as forces:metropolitan");
                Err(Problem::bad(param.name(), reason))
            }
        }
    }

    /// `next`.
    ///
    /// # Errors
    /// [`Problem`].
    pub fn next(&self) -> Result<Option<Cursor>, Problem> {
        let Some(text) = self.get(Param::Next) else { return Ok(None) };
        Cursor::decode(text)
            .map(Some)
            .ok_or_else(|| Problem::bad("next", "no cursor of ours: follow a next link"))
    }

    /// `nearest`.
    ///
    /// # Errors
    /// [`Problem`].
    pub fn nearest(&self) -> Result<Option<(f64, f64)>, Problem> {
        let Some(text) = self.get(Param::Nearest) else { return Ok(None) };
        let form = "give two numbers: longitude,latitude in degrees";
        match numbers("nearest", text, form)?.as_slice() {
            [lon, lat] => match Position::from_degrees(*lon, *lat) {
                Ok(_) => Ok(Some((*lon, *lat))),
                Err(fault) => Err(Problem::bad("nearest", fault.to_string())),
            },
            other => Err(Problem::bad("nearest", format!("{} numbers; {form}", other.len()))),
        }
    }

    /// `crs`, CRS84 where it is not given.
    ///
    /// # Errors
    /// [`Problem`] for a system that collections don't list.
    pub fn crs(&self) -> Result<Crs, Problem> {
        let Some(text) = self.get(Param::Crs) else { return Ok(Crs::Crs84) };
        Crs::from_uri(text).ok_or_else(|| {
            let known = [Crs::Crs84.uri(), Crs::BritishNationalGrid.uri()].join(" or ");
            Problem::bad("crs", format!("{text:?} is not among the collection's systems: give {known}"))
        })
    }
}

fn numbers(name: &'static str, text: &str, form: &str) -> Result<Vec<f64>, Problem> {
    let mut out = Vec::new();
    for part in text.split(',') {
        let number = part.trim().parse().ok().filter(|number: &f64| number.is_finite());
        let Some(number) = number else {
            let part: String = part.chars().take(40).collect();
            return Err(Problem::bad(name, format!("{part:?} is no finite number; {form}")));
        };
        out.push(number);
        if out.len() > 6 {
            return Err(Problem::bad(name, format!("too many numbers; {form}")));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: &[Param] =
        &[Param::Bbox, Param::Datetime, Param::Limit, Param::Next, Param::Nearest, Param::Within, Param::Crs];

    const NAMES: Names<'_> = Names { ours: ALL, of: None };

    fn parse(query: &str) -> Params {
        Params::parse(query, &NAMES).unwrap()
    }

    #[test]
    fn limits_are_lowered_and_only_nonsense_is_refused() {
        for (text, limit) in [
            ("10000", 10_000),
            ("10001", 10_000),
            ("4294967296", 10_000),
            ("99999999999999999999999", 10_000),
            ("1", 1),
        ] {
            assert_eq!(parse(&format!("limit={text}")).limit().unwrap(), limit);
        }
        assert_eq!(parse("").limit().unwrap(), 10);
        for text in ["-1", "0", "1.5", "", "unlimited", "1e3", "%2B5"] {
            let problem = parse(&format!("limit={text}")).limit().unwrap_err();
            assert!(problem.to_string().contains("limit"), "{problem}");
        }
    }

    #[test]
    fn unknown_and_doubled_parameters_are_named() {
        let unknown = Params::parse("limit=5&colour=red", &NAMES).unwrap_err();
        assert!(unknown.to_string().contains("colour") && unknown.to_string().contains("bbox"));
        assert!(Params::parse("limit=5&limit=7", &NAMES).unwrap_err().to_string().contains("limit"));
        assert!(Params::parse("limit=%zz", &NAMES).is_err());
    }

    #[test]
    fn next_carries_the_whole_question() {
        let params = parse("bbox=1,2,3,4&datetime=2031-01-01T00%3A00%3A00%2B01%3A00%2F..&limit=3");
        let next = params.query_string(Some("abc"));
        assert_eq!(next, "?bbox=1,2,3,4&datetime=2031-01-01T00:00:00%2B01:00%2F..&limit=3&next=abc");
        assert_eq!(parse(&next[1..]).query_string(Some("abc")), next);
    }

    proptest! {
        #[test]
        fn any_query_is_read_or_refused(query in ".{0,200}") {
            if let Ok(params) = Params::parse(&query, &NAMES) {
                let _ = (params.limit(), params.next(), params.nearest(), params.crs());
            }
        }
    }
}
