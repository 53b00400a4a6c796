//! Texts compared without case or accents, and LIKE patterns.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::filter::FilterError;
use crate::filter::MAX_PATTERN;

/// What is taken out of a text before it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// Case.
    Case,
    /// Combining marks.
    Accents,
}

impl Fold {
    /// A text without it.
    pub fn apply(self, text: Cow<'_, str>) -> Cow<'_, str> {
        match self {
            // Most texts are ASCII: these have no marks, and one small letter for each large one.
            Self::Accents if text.is_ascii() => text,
            Self::Case if text.is_ascii() => match text {
                Cow::Borrowed(text) if !text.bytes().any(|byte| byte.is_ascii_uppercase()) => text.into(),
                text => text.to_ascii_lowercase().into(),
            },
            Self::Case => text.chars().flat_map(without_case).collect::<String>().into(),
            Self::Accents => {
                text.nfd().filter(|letter| !is_combining_mark(*letter)).nfc().collect::<String>().into()
            }
        }
    }
}

/// A letter without case, as one or several (`\u{df}` and `\u{1e9e}` are `ss`): small, large and small again, because
/// some small letters meet only as large ones.
pub fn without_case(letter: char) -> impl Iterator<Item = char> {
    letter.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// A LIKE pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// This character.
    Letter(char),
    /// Any one character: `_`.
    One,
    /// Any run of characters: `%`.
    Any,
}

impl Pattern {
    /// Of its text.
    ///
    /// # Errors
    /// [`FilterError::BadPattern`], [`FilterError::TooMany`].
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let mut pieces = Vec::new();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            let piece = match letter {
                '%' => Piece::Any,
                '_' => Piece::One,
                '\\' => Piece::Letter(letters.next().ok_or_else(|| FilterError::BadPattern(short(text)))?),
                other => Piece::Letter(other),
            };
            // Two runs in a row are one.
            if piece != Piece::Any || pieces.last() != Some(&Piece::Any) {
                pieces.push(piece);
            }
            if pieces.len() > MAX_PATTERN {
                return Err(FilterError::TooMany { what: "characters in a pattern", most: MAX_PATTERN });
            }
        }
        Ok(Self(pieces))
    }

    /// Whether the whole text fits.
    pub fn fits(&self, text: &str) -> bool {
        let pieces = &self.0;
        let mut rest = text.chars();
        let mut at = 0;
        // The last run met: where the pattern goes on behind it, and the text that it has not taken yet.
        let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            if pieces.get(at) == Some(&Piece::Any) {
                at += 1;
                retry = Some((at, rest.clone()));
                continue;
            }
            let fits = match (pieces.get(at), rest.next()) {
                (None, None) => return true,
                (Some(Piece::Letter(wanted)), Some(letter)) => *wanted == letter,
                (Some(Piece::One), Some(_)) => true,
                // The text is at its end and the pattern is not: a longer run would not help.
                (Some(_), None) => return false,
                (None | Some(Piece::Any), Some(_)) => false,
            };
            if fits {
                at += 1;
                continue;
            }
            match &mut retry {
                Some((after, taken)) => {
                    if taken.next().is_none() {
                        return false;
                    }
                    at = *after;
                    rest = taken.clone();
                }
                None => return false,
            }
        }
    }
}

/// The beginning of a text, for messages.
pub fn short(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// By the definition: every way to divide the text.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['%', rest @ ..] => (0..=text.len()).any(|cut| slow(rest, &text[cut..])),
            ['_', rest @ ..] => !text.is_empty() && slow(rest, &text[1..]),
            ['\\', letter, rest @ ..] | [letter, rest @ ..] => {
                text.first() == Some(letter) && slow(rest, &text[1..])
            }
        }
    }

    proptest! {
        #[test]
        fn patterns_are_read_by_their_definition(pattern in "[ab%_\u{e9}]{0,8}", text in "[ab\u{e9}_]{0,8}") {
            let letters = |text: &str| text.chars().collect::<Vec<char>>();
            let expected = slow(&letters(&pattern), &letters(&text));
            prop_assert_eq!(Pattern::parse(&pattern).unwrap().fits(&text), expected);
        }
    }

    #[test]
    fn a_backslash_takes_the_next_character_as_it_is() {
        for (pattern, text, fits) in [
            (r"10\%", "10%", true),
            (r"10\%", "100", false),
            (r"a\_b", "a_b", true),
            (r"a\_b", "axb", false),
            (r"\\", r"\", true),
            ("%", "", true),
            ("", "", true),
            ("_", "", false),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().fits(text), fits, "{pattern} {text}");
        }
        assert_eq!(Pattern::parse(r"a\"), Err(FilterError::BadPattern(r"a\".into())));
        assert!(Pattern::parse(&"a".repeat(MAX_PATTERN + 1)).is_err());
    }

    #[test]
    fn case_and_accents_are_two_things() {
        let fold = |fold: Fold, text: &str| fold.apply(text.to_owned().into()).into_owned();
        assert_eq!(fold(Fold::Case, "Stra\u{df}e"), fold(Fold::Case, "STRASSE"));
        assert_eq!(fold(Fold::Case, "\u{c9}a"), "\u{e9}a");
        assert_eq!(fold(Fold::Accents, "\u{c9}a"), "Ea");
        assert_eq!(fold(Fold::Accents, "e\u{301}"), "e");
        assert_eq!(fold(Fold::Accents, "abc"), "abc");
        assert_eq!(fold(Fold::Case, "ABC"), "abc");
    }
}
