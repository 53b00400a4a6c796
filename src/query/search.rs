//! Search by name over a view: exact names first, then whole words, then beginnings, then near misses.
//!
//! Names are compared folded: without case, accents and punctuation (Unicode NFKD). A near miss is at most one letter
//! off from four letters on, two from eight on (optimal string alignment: a swap of neighbours counts once).

use std::cmp::Reverse;
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::access::CollectionView;
use crate::access::HeldBytes;
use crate::filter::without_case;
use crate::model::Position;
use crate::model::ValueRef;
use crate::model::collections::forces;
use crate::model::collections::hubs;
use crate::model::collections::places;
use crate::model::collections::regions;
use crate::model::collections::towns;
use crate::query::RowRef;

/// Near misses are looked for among this many names of a collection; beginnings and words among all.
const MOST_NEAR: usize = 200_000;

/// Collections of which a feature is better than the plain place of the same name.
const BETTER: [&str; 4] = [hubs::COLLECTION, towns::COLLECTION, regions::COLLECTION, forces::COLLECTION];

/// From this many letters on, a whole word is thought to be meant as one.
const LEAST_WHOLE: usize = 5;

/// A row found by its name.
#[derive(Debug)]
pub struct SearchHit<'a> {
    /// Its collection.
    pub collection: &'a CollectionView,
    /// Where it is.
    pub at: RowRef,
    /// Its name.
    pub label: String,
}

/// How well a name fits; the less, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Code,
    Exact,
    /// The name begins with the words asked for.
    WholeBeginning,
    /// They stand elsewhere in it.
    WholeWord,
    /// The name begins with the letters asked for.
    Beginning,
    /// A later word of it does.
    Word,
    Near(usize),
}

/// Names of a collection's rows, folded and sorted.
#[derive(Debug)]
struct Names {
    /// Folded names one after the other, with where each ends.
    text: String,
    ends: Vec<u32>,
    rows: Vec<RowRef>,
    /// Words of names: place of the name and of the word in it, sorted by the text from there on.
    words: Vec<(u32, u32)>,
    /// Folded codes with the place of their name, sorted.
    codes: Vec<(String, u32)>,
    /// How much a row counts among equals (`population`), by the place of its name.
    weights: Vec<i64>,
}

impl HeldBytes for Names {
    fn held_bytes(&self) -> usize {
        let codes: usize = self.codes.iter().map(|(code, _)| size_of::<(String, u32)>() + code.len()).sum();
        self.text.len() + self.rows.len() * (4 + size_of::<RowRef>() + 8) + self.words.len() * 8 + codes
    }
}

impl Names {
    fn new(collection: &CollectionView) -> Self {
        let schema = collection.schema();
        let mut names = Self {
            text: String::new(),
            ends: Vec::new(),
            rows: Vec::new(),
            words: Vec::new(),
            codes: Vec::new(),
            weights: Vec::new(),
        };
        let Some(label) = schema.label_field() else { return names };
        let code = schema.identifier.as_deref().and_then(|name| schema.position(name));
        let weight = schema.position("population");
        // In canonical order: how rows are partitioned into groups may depend on rows that the view does not have.
        let groups = collection.groups();
        let row_at = |group: usize, row: usize| RowRef { group: group as u32, row: row as u32 };
        let mut rows: Vec<RowRef> = (0..groups.len())
            .flat_map(|group| (0..groups[group].len()).map(move |row| row_at(group, row)))
            .collect();
        if groups.len() > 1 {
            rows.sort_unstable_by_key(|at| groups[at.group as usize].key(at.row as usize));
        }
        for at in rows {
            let (rows, row) = (&groups[at.group as usize], at.row as usize);
            let ValueRef::Text(name) = rows.value(label, row) else { continue };
            let folded = fold(name);
            // Row numbers and text ends are 32 bits; 4 GB of names are no search any more.
            if folded.is_empty() || names.text.len() + folded.len() > u32::MAX as usize {
                continue;
            }
            let place = names.rows.len() as u32;
            names.words.extend(word_starts(&folded).map(|start| (place, start as u32)));
            names.text.push_str(&folded);
            names.ends.push(names.text.len() as u32);
            names.rows.push(at);
            if let Some(ValueRef::Text(code)) = code.map(|code| rows.value(code, row)) {
                names.codes.push((fold(code), place));
            }
            names.weights.push(match weight.map(|field| rows.value(field, row)) {
                Some(ValueRef::Int(value)) => value,
                _ => 0,
            });
        }
        let mut words = std::mem::take(&mut names.words);
        words.sort_unstable_by(|a, b| names.tail(*a).cmp(names.tail(*b)).then(a.cmp(b)));
        names.words = words;
        names.codes.sort_unstable();
        names
    }

    fn name(&self, place: u32) -> &str {
        let start = if place == 0 { 0 } else { self.ends[place as usize - 1] };
        &self.text[start as usize..self.ends[place as usize] as usize]
    }

    fn tail(&self, (place, start): (u32, u32)) -> &str {
        &self.name(place)[start as usize..]
    }

    /// Places of names that fit, with how well; `limit` of them are enough.
    fn matches(&self, wanted: &str, limit: usize) -> Vec<(Fit, u32)> {
        let mut out = Vec::new();
        let first = self.codes.partition_point(|(code, _)| code.as_str() < wanted);
        out.extend(
            self.codes[first..]
                .iter()
                .take_while(|(code, _)| code == wanted)
                .map(|(_, place)| (Fit::Code, *place)),
        );
        let letters = wanted.chars().count();
        let first = self.words.partition_point(|word| self.tail(*word) < wanted);
        for word in self.words[first..].iter().take_while(|word| self.tail(**word).starts_with(wanted)) {
            let rest = &self.tail(*word)[wanted.len()..];
            // Who types `port` is on the way to Portsmouth; who types `waterloo` has arrived.
            let whole = letters >= LEAST_WHOLE && (rest.is_empty() || rest.starts_with(' '));
            let fit = match (word.1, rest.is_empty()) {
                (0, true) => Fit::Exact,
                (0, false) if whole => Fit::WholeBeginning,
                (0, false) => Fit::Beginning,
                _ if whole => Fit::WholeWord,
                _ => Fit::Word,
            };
            out.push((fit, word.0));
        }
        let allowed = match letters {
            0..4 => 0,
            4..8 => 1,
            _ => 2,
        };
        if out.len() < limit && allowed > 0 {
            for place in 0..self.rows.len().min(MOST_NEAR) as u32 {
                let off = near(self.name(place), wanted, letters, allowed);
                out.extend(off.map(|off| (Fit::Near(off), place)));
            }
        }
        out
    }
}

/// How many letters a name, or its beginning, is off, if not more than allowed.
fn near(name: &str, wanted: &str, letters: usize, allowed: usize) -> Option<usize> {
    // A first letter that is off too makes nearly every name a candidate: one of the first two must agree.
    let mut first_two = wanted.chars().take(2);
    if !name.chars().take(2).any(|c| first_two.any(|known| known == c)) {
        return None;
    }
    (letters.saturating_sub(allowed)..=letters + allowed)
        .filter_map(|length| {
            let end = name.char_indices().nth(length).map_or(name.len(), |(at, _)| at);
            let off = strsim::osa_distance(&name[..end], wanted);
            (off <= allowed).then_some(off)
        })
        .min()
}

/// Rows whose names or codes fit `text`, best first, at most `limit`. Of equal fits the greater `population` comes
/// first, then the shorter name, then the collection's id, then canonical order.
#[must_use]
pub fn search<'a>(
    collections: impl Iterator<Item = &'a CollectionView>,
    text: &str,
    limit: usize,
) -> Vec<SearchHit<'a>> {
    let wanted = fold(text);
    if wanted.is_empty() || limit == 0 {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (order, collection) in collections.enumerate() {
        let names: Arc<Names> = collection.derive(Names::new);
        let mut own: Vec<(Fit, u32)> = names.matches(&wanted, limit);
        own.sort_unstable_by_key(|(fit, place)| (*place, *fit));
        own.dedup_by_key(|(_, place)| *place);
        let key = |(fit, place): (Fit, u32)| {
            (fit, Reverse(names.weights[place as usize]), names.name(place).len(), order, place)
        };
        let mut keys: Vec<_> = own.into_iter().map(key).collect();
        if keys.len() > limit {
            keys.select_nth_unstable(limit - 1);
            keys.truncate(limit);
        }
        all.extend(keys.into_iter().map(|key| (key, collection, names.rows[key.4 as usize])));
    }
    all.sort_unstable_by_key(|(key, ..)| *key);
    drop_doubles(&mut all);
    all.truncate(limit);
    all.into_iter()
        .map(|(_, collection, at)| SearchHit { collection, at, label: label(collection, at) })
        .collect()
}

/// How far apart two things of one name are the same place, in units of 1e-7 degree: about 15 km.
const SAME_PLACE: u32 = 2_000_000;

/// A place that is also a hub, a town, a region or a force of that name is listed as that only.
fn drop_doubles<K>(found: &mut Vec<(K, &CollectionView, RowRef)>) {
    let centre = |collection: &CollectionView, at: &RowRef| {
        let geometry = collection.groups()[at.group as usize].geometry(at.row as usize)?;
        Some(geometry.bounds().centre())
    };
    let is_place = |collection: &CollectionView| collection.schema().id == places::COLLECTION;
    let better: Vec<(String, Position)> = found
        .iter()
        .filter(|(_, collection, _)| BETTER.contains(&collection.schema().id.as_str()))
        .filter_map(|(_, collection, at)| Some((fold(&label(collection, *at)), centre(collection, at)?)))
        .collect();
    found.retain(|(_, collection, at)| {
        let Some(here) = centre(collection, at).filter(|_| is_place(collection)) else { return true };
        let name = fold(&label(collection, *at));
        let near = |there: &Position| {
            there.lon.abs_diff(here.lon) < SAME_PLACE && there.lat.abs_diff(here.lat) < SAME_PLACE
        };
        !better.iter().any(|(known, there)| *known == name && near(there))
    });
}

fn label(collection: &CollectionView, at: RowRef) -> String {
    let field = collection.schema().label_field().unwrap_or(usize::MAX);
    match collection.groups()[at.group as usize].value(field, at.row as usize) {
        ValueRef::Text(text) => text.to_owned(),
        _ => String::new(),
    }
}

/// Small letters and digits, words with one space between them; `&` is `and`.
fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace('&', " and ").nfkd().flat_map(without_case).filter(|c| !is_combining_mark(*c)) {
        if c.is_alphanumeric() {
            out.push(c);
        } else if c != '\'' && c != '\u{2019}' && !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn word_starts(folded: &str) -> impl Iterator<Item = usize> + '_ {
    std::iter::once(0).chain(folded.match_indices(' ').map(|(at, _)| at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_marks() {
        assert_eq!(fold("King's Cross  St. Pancras"), "kings cross st pancras");
        assert_eq!(fold("T\u{177}-du"), "ty du");
        assert_eq!(fold("Portsmouth & Southsea"), "portsmouth and southsea");
        assert_eq!(fold(" - "), "");
    }

    #[test]
    fn names_are_compared_without_case_in_every_script() {
        for (one, other) in [
            ("STRASSE", "Stra\u{df}e"),
            ("STRA\u{1e9e}E", "strasse"),
            ("\u{39f}\u{394}\u{39f}\u{3a3}", "\u{3bf}\u{3b4}\u{3bf}\u{3c2}"),
            ("\u{fb01}eld", "FIELD"),
            ("\u{130}stanbul", "istanbul"),
            ("\u{c5}lesund", "alesund"),
            ("\u{158}EKA", "r\u{30c}eka"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        // A letter, its small and its large form are the same to search, and folding twice changes nothing.
        for c in '\0'..=char::MAX {
            let folded = fold(&c.to_string());
            assert_eq!(fold(&folded), folded, "{c:?}");
            let small: String = c.to_lowercase().collect();
            let large: String = c.to_uppercase().collect();
            assert_eq!((fold(&small), fold(&large)), (folded.clone(), folded), "{c:?}");
        }
    }

    #[test]
    fn near_misses() {
        let off = |name: &str, wanted: &str| {
            near(&fold(name), wanted, wanted.chars().count(), 1 + wanted.len() / 8)
        };
        assert_eq!(off("Portsmouth Harbour", "portsmuoth"), Some(1));
        assert_eq!(off("Leicester", "leciester"), Some(1));
        assert_eq!(off("Leeds", "leads"), Some(1));
        assert_eq!(off("Crewe", "leads"), None);
    }
}
