//! What was left out of a tile that would be too large: a feature says which of its fields were, and of all texts it is
//! known how many would fit after all.

use std::hash::BuildHasher;

use hashbrown::HashMap;

use crate::model::FieldSchema;
use crate::model::ValueRef;
use crate::tile::encode::LayerWriter;
use crate::tile::values::TileValue;

/// The property that names the fields that were left out of a feature, with commas between them; `*` where their
/// names together are longer than 64 bytes, so that what is said never takes the room of what is drawn.
pub const LEFT_OUT: &str = "left_out";
/// More fields than are named.
const MANY: &str = "*";
/// The most bytes of names.
const MOST_NAMED_BYTES: usize = 64;

/// The most bytes of a text in the table of values but for its own, and of a tag.
const VALUE_BYTES: usize = 12;
const TAG_BYTES: usize = 10;

/// What was left out of a layer.
#[derive(Debug, Default)]
pub struct LeftOut {
    /// Texts by their hash.
    texts: HashMap<u64, LeftText>,
    /// Names of the fields that are left out of every feature.
    all: Option<String>,
    /// Index of the key, once used.
    key: Option<u32>,
    /// Of the row at hand: places of fields in the schema.
    of_row: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
struct LeftText {
    length: usize,
    features: usize,
}

impl LeftOut {
    /// Fields that are left out of every feature.
    pub fn all<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let names = said(&names.collect::<Vec<_>>());
        Self { all: (!names.is_empty()).then_some(names), ..Self::default() }
    }

    /// A field is left out of the row at hand.
    pub fn push(&mut self, field: usize) {
        self.of_row.push(field);
    }

    /// The tag that says what was left out of the row at hand; the next row is a new one.
    #[cold]
    pub fn say<'v>(
        &mut self,
        layer: &mut LayerWriter,
        fields: &[FieldSchema],
        value: impl Fn(usize) -> ValueRef<'v>,
    ) -> Option<(u32, u32)> {
        let Self { texts, all, key, of_row } = self;
        for place in of_row.iter() {
            let (ValueRef::Text(text) | ValueRef::Json(text)) = value(*place) else { continue };
            // Equal texts stand once in the table.
            let hash = texts.hasher().hash_one(text);
            let known = texts.entry(hash).or_insert(LeftText { length: text.len(), features: 0 });
            known.features += 1;
        }
        let names: Vec<&str> = of_row.drain(..).map(|place| fields[place].name.as_str()).collect();
        let text = match all {
            Some(all) => all.as_str(),
            None if names.is_empty() => return None,
            None => &said(&names),
        };
        let key = *key.get_or_insert_with(|| layer.key(LEFT_OUT));
        Some((key, layer.values().value(TileValue::Text(text))))
    }

    /// The greatest length such that all texts up to it take no more than `room` bytes; 0 if none do.
    pub fn longest_that_fit(&self, room: usize) -> usize {
        let mut texts: Vec<LeftText> = self.texts.values().copied().collect();
        texts.sort_unstable_by_key(|text| text.length);
        let (mut used, mut longest) = (0_usize, 0);
        for alike in texts.chunk_by(|one, two| one.length == two.length) {
            let bytes = |text: &LeftText| text.length + VALUE_BYTES + TAG_BYTES * text.features;
            used = used.saturating_add(alike.iter().map(bytes).sum());
            if used > room {
                break;
            }
            longest = alike[0].length;
        }
        longest
    }
}

/// Names of fields as they stand in a tile.
fn said(names: &[&str]) -> String {
    let said = names.join(",");
    if said.len() > MOST_NAMED_BYTES { MANY.to_owned() } else { said }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_stays_short() {
        assert_eq!(said(&["story", "notes"]), "story,notes");
        let long = "n".repeat(MOST_NAMED_BYTES);
        assert_eq!(said(&[&long]), long);
        assert_eq!(said(&[&long, ""]), MANY);
    }

    #[test]
    fn the_shortest_texts_fit_first_and_texts_alike_in_length_together() {
        let text = |length: usize, features: usize| LeftText { length, features };
        let texts = [text(100, 1), text(200, 2), text(200, 1), text(1_000, 1)];
        let left = LeftOut { texts: (0..).zip(texts).collect(), ..LeftOut::default() };
        // By hand: 100 + 12 + 10 = 122; the two of 200 have 232 and 222; that of 1,000 has 1,022.
        assert_eq!(
            [0, 121, 122, 575, 576, 1_597, 1_598].map(|room| left.longest_that_fit(room)),
            [0, 0, 100, 100, 200, 200, 1_000]
        );
    }
}
