//! Properties that were left out of a tile that would be too large.
//!
//! In: the fields that are left out of each feature. Out: the property that names them, and the length up to which
//! texts would still fit.

use std::hash::BuildHasher;

use hashbrown::HashMap;

use crate::model::FieldSchema;
use crate::model::ValueRef;
use crate::tile::encode::LayerWriter;
use crate::tile::values::TileValue;

/// The property that names the fields that were left out of a feature, separated by commas. It is `*` if the names have
/// more than 64 bytes together, so that they never displace geometry.
pub const LEFT_OUT: &str = "left_out";
/// Stands for names that would be too long.
const MANY: &str = "*";
/// The most bytes of names in [`LEFT_OUT`].
const MOST_NAMED_BYTES: usize = 64;

/// The most bytes that a text takes in the table of values besides its own, and the most bytes of a tag.
const VALUE_BYTES: usize = 12;
const TAG_BYTES: usize = 10;

/// The properties that were left out of a layer.
#[derive(Debug, Default)]
pub struct LeftOut {
    /// Texts that were left out, by their hash.
    texts: HashMap<u64, LeftText>,
    /// Names of the fields, if they are left out of every feature.
    all: Option<String>,
    /// The index of the key [`LEFT_OUT`], once it is used.
    key: Option<u32>,
    /// The fields that are left out of the current row, as indexes in the schema.
    of_row: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
struct LeftText {
    length: usize,
    features: usize,
}

impl LeftOut {
    /// For fields that are left out of every feature.
    pub fn all<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let names = said(&names.collect::<Vec<_>>());
        Self { all: (!names.is_empty()).then_some(names), ..Self::default() }
    }

    /// Notes that a field, by its index in the schema, is left out of the current row.
    pub fn push(&mut self, field: usize) {
        self.of_row.push(field);
    }

    /// Ends the current row: the tag that names its fields that were left out; `None` if there are none.
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
            // Equal texts stand once in the table, so their bytes count once.
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

    /// The greatest length such that all left-out texts up to that length take at most `room` bytes; 0 if not even the
    /// shortest fits.
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

/// The value of [`LEFT_OUT`] for fields with these names.
fn said(names: &[&str]) -> String {
    let said = names.join(",");
    if said.len() > MOST_NAMED_BYTES { MANY.to_owned() } else { said }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_more_than_64_bytes_are_replaced() {
        assert_eq!(said(&["story", "notes"]), "story,notes");
        let long = "n".repeat(MOST_NAMED_BYTES);
        assert_eq!(said(&[&long]), long);
        assert_eq!(said(&[&long, ""]), MANY);
    }

    #[test]
    fn shorter_texts_fit_first_and_texts_of_equal_length_fit_together() {
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
