//! What a column's values have in common, learned from every row, and which columns say when.

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
    declared: Option<FieldType>,
    boolean: bool,
    integer: bool,
    number: bool,
    only_text: bool,
    /// How many values there are, nulls aside, and how many of them are times of each kind.
    values: u64,
    dates: u64,
    instants: u64,
    /// Instants that write back as the same text.
    exact: u64,
    months: u64,
}

impl Default for Guess {
    fn default() -> Self {
        Self {
            declared: None,
            boolean: true,
            integer: true,
            number: true,
            only_text: true,
            values: 0,
            dates: 0,
            instants: 0,
            exact: 0,
            months: 0,
        }
    }
}

impl Guess {
    /// Takes what the file itself says of the column's type.
    pub fn declare(&mut self, declared: Option<FieldType>) {
        self.declared = declared;
    }

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
        self.values += 1;
    }

    fn keep(&mut self, boolean: bool, integer: bool, number: bool) {
        self.boolean &= boolean;
        self.integer &= integer;
        self.number &= number;
        self.only_text = false;
    }

    fn see_text(&mut self, text: &str) {
        // No time begins otherwise, and most texts are none.
        if !text.as_bytes().first().is_some_and(u8::is_ascii_digit) {
            return;
        }
        if time::parse_date(text).is_some() {
            self.dates += 1;
        } else if let Some(micros) = time::parse_instant(text) {
            self.instants += 1;
            self.exact += u64::from(time::format_instant(micros) == text);
        } else if time::parse_month(text).is_some() {
            self.months += 1;
        }
    }

    /// The type that the file declares, or else the narrowest one that gives every value back as it was.
    ///
    /// A declared date or date-time stays one while more than half of its values are: the others are those rows' fault.
    pub fn field_type(&self) -> FieldType {
        let most = |count: u64| self.values == 0 || count * 2 > self.values;
        match self.declared {
            Some(FieldType::Timestamp) if most(self.instants) => return FieldType::Timestamp,
            Some(FieldType::Date) if most(self.dates) => return FieldType::Date,
            _ => {}
        }
        if self.values == 0 {
            FieldType::Text
        } else if self.boolean {
            FieldType::Boolean
        } else if self.integer {
            FieldType::Integer
        } else if self.number {
            FieldType::Number
        } else if self.dates == self.values {
            FieldType::Date
        } else if self.exact == self.values {
            FieldType::Timestamp
        } else if self.only_text {
            FieldType::Text
        } else {
            FieldType::Json
        }
    }

    /// Whether the column says when.
    ///
    /// It does if at least nine in ten of its values are RFC 3339 dates or date-times, or if more than half are and the
    /// column says so itself: the file declares it a date or date-time, or its name speaks of time. Months (`2019-01`)
    /// count only where the name speaks of months or periods: elsewhere they may be codes. A value that is no time does
    /// not change what the column is; it is the fault of its row.
    pub fn is_time(&self, name: &str) -> bool {
        let declared = matches!(self.declared, Some(FieldType::Timestamp | FieldType::Date));
        if self.values == 0 {
            return declared;
        }
        let lower = name.to_lowercase();
        let months = if lower.contains("month") || lower.contains("period") { self.months } else { 0 };
        let times = self.dates + self.instants + months;
        times * 10 >= self.values * 9 || ((declared || speaks_of_time(&lower)) && times * 2 > self.values)
    }
}

/// Whether a column's name, in lower case, says that it holds times.
fn speaks_of_time(name: &str) -> bool {
    const PARTS: [&str; 7] = ["date", "time", "when", "seen", "month", "period", "since"];
    const WORDS: [&str; 17] = [
        "at", "on", "day", "start", "starts", "started", "end", "ends", "ended", "from", "to", "until",
        "begin", "opened", "closed", "created", "recorded",
    ];
    PARTS.iter().any(|part| name.contains(part))
        || name.split(|letter: char| !letter.is_alphanumeric()).any(|word| WORDS.contains(&word))
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

    fn guess(values: &[&str], declared: Option<FieldType>) -> Guess {
        let mut guess = Guess::default();
        guess.declare(declared);
        for value in values {
            guess.see(&Cell::Text((*value).to_owned()));
        }
        guess
    }

    const AT: &str = "2024-03-31T00:30:00Z";
    const LOCAL: &str = "2024-03-31T12:00:00";

    #[test]
    fn one_odd_value_does_not_change_what_a_declared_column_is() {
        let declared = Some(FieldType::Timestamp);
        let mixed = guess(&[AT, AT, LOCAL], declared);
        assert_eq!((mixed.field_type(), mixed.is_time("x")), (FieldType::Timestamp, true));
        let offsets = guess(&["2024-03-31T01:30:00+01:00", LOCAL, AT], declared);
        assert_eq!(offsets.field_type(), FieldType::Timestamp);
        // Half of them or fewer: nothing is taken away from so many rows.
        let local = guess(&[AT, LOCAL], declared);
        assert_eq!((local.field_type(), local.is_time("seen")), (FieldType::Text, false));
        let days = guess(&["2024-03-31", "2024-04-01", "1/4/2024"], Some(FieldType::Date));
        assert_eq!((days.field_type(), days.is_time("x")), (FieldType::Date, true));
        let empty = guess(&[], declared);
        assert_eq!((empty.field_type(), empty.is_time("x")), (FieldType::Timestamp, true));
    }

    #[test]
    fn nine_in_ten_are_enough_and_half_where_the_name_says_so() {
        let ten = |odd: usize| {
            let values: Vec<&str> = (0..10).map(|number| if number < odd { "unknown" } else { AT }).collect();
            guess(&values, None)
        };
        assert!(ten(1).is_time("x") && !ten(2).is_time("x"));
        for name in ["seen", "Date of birth", "created_at", "start", "TO", "period"] {
            assert!(ten(4).is_time(name) && !ten(5).is_time(name), "{name}");
        }
        for name in ["x", "tone", "category", "friend", "code"] {
            assert!(!ten(4).is_time(name), "{name}");
        }
        // The type gives every value back: an odd one among undeclared ones is kept as text.
        assert_eq!(ten(1).field_type(), FieldType::Text);
        assert_eq!(ten(0).field_type(), FieldType::Timestamp);
        // Text, codes and numbers are never times.
        for values in [
            &["2019-01", "2019-02"][..],
            &["20190101", "20190102"],
            &["12:00", "13:00"],
            &["2031-02-30", "2031-13-01"],
            &["on 2031-03-01 at noon", "2031-03-01T12:00:00Z, perhaps"],
            &["0012", "A1"],
        ] {
            assert!(!guess(values, None).is_time("date"), "{values:?}");
        }
        assert!(guess(&["2019-01", "2019-02", "?"], None).is_time("Month"));
        let mut mixed = guess(&[AT, AT, AT], None);
        mixed.see(&Cell::Int(0));
        assert_eq!((mixed.field_type(), mixed.is_time("seen")), (FieldType::Json, true));
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
