//! The type of each column, learned from all of its values, and the columns that hold times.

use crate::import::CellValue;
use crate::model::FieldType;
use crate::model::feature::format_number;
use crate::model::time;

/// All whole numbers up to this one are exact as doubles.
const EXACT_INTEGER: u64 = 1 << 53;

/// The types that are still possible for a column.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "one flag for each type that is still possible")]
pub struct Guess {
    declared: Option<FieldType>,
    boolean: bool,
    integer: bool,
    number: bool,
    only_text: bool,
    /// The number of values without nulls, then the numbers of those that are dates, instants and months.
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
    /// Sets the type that the file declares for the column.
    pub fn declare(&mut self, declared: Option<FieldType>) {
        self.declared = declared;
    }

    /// Adds a value.
    pub fn see(&mut self, cell: &CellValue) {
        match cell {
            CellValue::Null => return,
            CellValue::Bool(_) => self.narrow(true, false, false),
            CellValue::Int(value) => self.narrow(false, true, value.unsigned_abs() <= EXACT_INTEGER),
            CellValue::Float(_) => self.narrow(false, false, true),
            CellValue::Json(_) => self.narrow(false, false, false),
            CellValue::Text(text) => {
                self.boolean = false;
                self.integer = false;
                self.number = false;
                self.see_text(text);
            }
            CellValue::Word(text) => {
                self.boolean = self.boolean && matches!(text.as_str(), "true" | "false");
                self.integer =
                    self.integer && text.parse::<i64>().is_ok_and(|value| value.to_string() == *text);
                // A text is a number only if writing the number gives the same text, so that codes stay text.
                self.number = self.number
                    && text
                        .parse::<f64>()
                        .is_ok_and(|value| value.is_finite() && format_number(value + 0.0) == *text);
                self.see_text(text);
            }
        }
        self.values += 1;
    }

    fn narrow(&mut self, boolean: bool, integer: bool, number: bool) {
        self.boolean &= boolean;
        self.integer &= integer;
        self.number &= number;
        self.only_text = false;
    }

    fn see_text(&mut self, text: &str) {
        // All times begin with a digit; most texts do not.
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

    /// The type that the file declares, or else the narrowest type that writes every value back as it was.
    ///
    /// A declared date or date-time is used if more than half of the values are of that type; the others are faults of
    /// their rows.
    pub fn field_type(&self) -> FieldType {
        let is_most = |count: u64| self.values == 0 || count * 2 > self.values;
        match self.declared {
            Some(FieldType::Timestamp) if is_most(self.instants) => return FieldType::Timestamp,
            Some(FieldType::Date) if is_most(self.dates) => return FieldType::Date,
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

    /// Whether the column holds times.
    ///
    /// It does if at least nine in ten of its values are RFC 3339 dates or date-times. More than half are enough if the file
    /// declares the column as a date or date-time or if its name suggests times. Months (`2019-01`) count only if the name
    /// contains "month" or "period": in other columns they may be codes. Values that are not times are faults of their
    /// rows.
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

/// Whether a column's name, in lower case, suggests that it holds times.
fn speaks_of_time(name: &str) -> bool {
    const PARTS: [&str; 7] = ["date", "time", "when", "seen", "month", "period", "since"];
    const WORDS: [&str; 17] = [
        "at", "on", "day", "start", "starts", "started", "end", "ends", "ended", "from", "to", "until",
        "begin", "opened", "closed", "created", "recorded",
    ];
    PARTS.iter().any(|part| name.contains(part))
        || name.split(|letter: char| !letter.is_alphanumeric()).any(|word| WORDS.contains(&word))
}

/// Names of two columns that hold the start and the end of one time.
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

/// The columns that `datetime` is compared with: a pair of [`PAIRS`], else the only column of times, else none.
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
            guess.see(&CellValue::Word((*word).to_owned()));
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
        guess.see(&CellValue::Int(5));
        guess.see(&CellValue::Text("five".into()));
        assert_eq!(guess.field_type(), FieldType::Json);
        let mut large = Guess::default();
        large.see(&CellValue::Int(i64::MAX));
        assert_eq!(large.field_type(), FieldType::Integer);
        large.see(&CellValue::Float(0.5));
        assert_eq!(large.field_type(), FieldType::Json, "the integer would lose digits as a double");
    }

    fn guess(values: &[&str], declared: Option<FieldType>) -> Guess {
        let mut guess = Guess::default();
        guess.declare(declared);
        for value in values {
            guess.see(&CellValue::Text((*value).to_owned()));
        }
        guess
    }

    const AT: &str = "2024-03-31T00:30:00Z";
    const LOCAL: &str = "2024-03-31T12:00:00";

    #[test]
    fn one_odd_value_does_not_change_a_declared_type() {
        let declared = Some(FieldType::Timestamp);
        let mixed = guess(&[AT, AT, LOCAL], declared);
        assert_eq!((mixed.field_type(), mixed.is_time("x")), (FieldType::Timestamp, true));
        let offsets = guess(&["2024-03-31T01:30:00+01:00", LOCAL, AT], declared);
        assert_eq!(offsets.field_type(), FieldType::Timestamp);
        // With half of the values or fewer, the declared type is not used: too many rows would lose their value.
        let local = guess(&[AT, LOCAL], declared);
        assert_eq!((local.field_type(), local.is_time("seen")), (FieldType::Text, false));
        let days = guess(&["2024-03-31", "2024-04-01", "1/4/2024"], Some(FieldType::Date));
        assert_eq!((days.field_type(), days.is_time("x")), (FieldType::Date, true));
        let empty = guess(&[], declared);
        assert_eq!((empty.field_type(), empty.is_time("x")), (FieldType::Timestamp, true));
    }

    #[test]
    fn nine_in_ten_times_are_enough_and_over_half_if_the_name_suggests_times() {
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
        // The type of an undeclared column must hold every value, so one odd value makes it text.
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
        mixed.see(&CellValue::Int(0));
        assert_eq!((mixed.field_type(), mixed.is_time("seen")), (FieldType::Json, true));
    }

    #[test]
    fn the_time_columns_are_a_known_pair_or_the_only_one() {
        let axis = |columns: &[(&str, bool)]| time_axis(columns.iter().copied());
        assert_eq!(axis(&[("Start", true), ("end", true), ("seen", true)]), ["Start", "end"]);
        assert_eq!(axis(&[("seen", true), ("name", false)]), ["seen"]);
        assert_eq!(axis(&[("a", true), ("b", true)]), Vec::<String>::new());
        assert_eq!(axis(&[("start", true), ("end", false)]), ["start"]);
    }
}
