//! What a column's values have in common, learned from every row.

use crate::import::Cell;
use crate::model::FieldType;
use crate::model::feature::format_number;
use crate::model::time;

/// Whole numbers up to here survive as doubles.
const EXACT_INTEGER: u64 = 1 << 53;

/// What is still possible for a column.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "one flag for each type that is still possible")]
pub struct Guess {
    any: bool,
    boolean: bool,
    integer: bool,
    number: bool,
    date: bool,
    timestamp: bool,
    moment: bool,
    month: bool,
    only_text: bool,
}

impl Default for Guess {
    fn default() -> Self {
        Self {
            any: false,
            boolean: true,
            integer: true,
            number: true,
            date: true,
            timestamp: true,
            moment: true,
            month: true,
            only_text: true,
        }
    }
}

impl Guess {
    /// Takes a value into account.
    pub fn see(&mut self, cell: &Cell) {
        match cell {
            Cell::Null => return,
            Cell::Bool(_) => self.keep(true, false, false),
            Cell::Int(value) => self.keep(false, true, value.unsigned_abs() <= EXACT_INTEGER),
            Cell::Float(_) => self.keep(false, false, true),
            Cell::Json(_) => self.keep(false, false, false),
            Cell::Text(text) => {
                self.boolean = false;
                self.integer = false;
                self.number = false;
                self.see_text(text);
            }
            Cell::Word(text) => {
                self.boolean = self.boolean && matches!(text.as_str(), "true" | "false");
                self.integer =
                    self.integer && text.parse::<i64>().is_ok_and(|value| value.to_string() == *text);
                // A number is one only if writing it back gives the same text: codes stay codes.
                self.number = self.number
                    && text
                        .parse::<f64>()
                        .is_ok_and(|value| value.is_finite() && format_number(value + 0.0) == *text);
                self.see_text(text);
            }
        }
        self.any = true;
    }

    fn keep(&mut self, boolean: bool, integer: bool, number: bool) {
        self.boolean &= boolean;
        self.integer &= integer;
        self.number &= number;
        self.date = false;
        self.timestamp = false;
        self.moment = false;
        self.month = false;
        self.only_text = false;
    }

    fn see_text(&mut self, text: &str) {
        self.date = self.date && time::parse_date(text).is_some();
        self.timestamp = self.timestamp
            && time::parse_instant(text).is_some_and(|micros| time::format_instant(micros) == text);
        self.moment = self.moment && time::parse_moment(text).is_some();
        self.month = self.month && time::parse_month(text).is_some();
    }

    /// The narrowest type that gives every value back as it was.
    pub fn field_type(&self) -> FieldType {
        if !self.any {
            FieldType::Text
        } else if self.boolean {
            FieldType::Boolean
        } else if self.integer {
            FieldType::Integer
        } else if self.number {
            FieldType::Number
        } else if self.date {
            FieldType::Date
        } else if self.timestamp {
            FieldType::Timestamp
        } else if self.only_text {
            FieldType::Text
        } else {
            FieldType::Json
        }
    }

    /// Whether every value says when.
    pub fn is_time(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        // `2019-01` may be a code, unless the column says that it is a month.
        let month = self.month && (name.contains("month") || name.contains("period"));
        self.any && self.only_text && (self.moment || month)
    }
}

/// Pairs of columns that are the start and the end of something.
const PAIRS: [(&str, &str); 9] = [
    ("start", "end"),
    ("from", "to"),
    ("first_seen", "last_seen"),
    ("begin", "end"),
    ("start_date", "end_date"),
    ("start_time", "end_time"),
    ("date_from", "date_to"),
    ("opened", "closed"),
    ("starts", "ends"),
];

/// The columns that answer `datetime`: a pair by its names, else the only one that says when, else none.
pub fn time_axis<'a>(columns: impl Iterator<Item = (&'a str, bool)> + Clone) -> Vec<String> {
    let times = columns.filter(|(_, is_time)| *is_time).map(|(name, _)| name);
    for (start, end) in PAIRS {
        let find = |wanted: &str| times.clone().find(|name| name.eq_ignore_ascii_case(wanted));
        if let (Some(start), Some(end)) = (find(start), find(end)) {
            return vec![start.to_owned(), end.to_owned()];
        }
    }
    let mut only = times.map(str::to_owned);
    match (only.next(), only.next()) {
        (Some(name), None) => vec![name],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> FieldType {
        let mut guess = Guess::default();
        for word in words {
            guess.see(&Cell::Word((*word).to_owned()));
        }
        guess.field_type()
    }

    #[test]
    fn codes_stay_text() {
        for codes in [
            &["0012", "0457"][..],
            &["+447700900123"],
            &["1E3", "2D4"],
            &["Nan"],
            &["Inf", "1"],
            &["1.50"],
            &["1e3"],
        ] {
            assert_eq!(words(codes), FieldType::Text, "{codes:?}");
        }
        assert_eq!(words(&["2", "11", "-4"]), FieldType::Integer);
        assert_eq!(words(&["2", "1.5"]), FieldType::Number);
        assert_eq!(words(&["true", "false"]), FieldType::Boolean);
        assert_eq!(words(&["9223372036854775808"]), FieldType::Text);
        assert_eq!(words(&["2031-03-01"]), FieldType::Date);
        assert_eq!(words(&["2031-03-01T12:00:00Z"]), FieldType::Timestamp);
        assert_eq!(words(&["2031-03-01T12:00:00Z", "2031-03-01"]), FieldType::Text);
        assert_eq!(words(&[]), FieldType::Text);
    }

    #[test]
    fn mixed_json_stays_json() {
        let mut guess = Guess::default();
        guess.see(&Cell::Int(5));
        guess.see(&Cell::Text("five".into()));
        assert_eq!(guess.field_type(), FieldType::Json);
        let mut large = Guess::default();
        large.see(&Cell::Int(i64::MAX));
        assert_eq!(large.field_type(), FieldType::Integer);
        large.see(&Cell::Float(0.5));
        assert_eq!(large.field_type(), FieldType::Json, "the integer would lose digits as a double");
    }

    #[test]
    fn the_axis_is_a_pair_or_the_only_one() {
        let axis = |columns: &[(&str, bool)]| time_axis(columns.iter().copied());
        assert_eq!(axis(&[("Start", true), ("end", true), ("seen", true)]), ["Start", "end"]);
        assert_eq!(axis(&[("seen", true), ("name", false)]), ["seen"]);
        assert_eq!(axis(&[("a", true), ("b", true)]), Vec::<String>::new());
        assert_eq!(axis(&[("start", true), ("end", false)]), ["start"]);
    }
}
