//! Cells to values of a field's type, or the reason why not.

use crate::import::Cell;
use crate::import::report::Fault;
use crate::model::FieldSchema;
use crate::model::FieldType;
use crate::model::Value;
use crate::model::feature::format_number;
use crate::model::time;

/// The value of a cell in a field.
///
/// `exact` is for columns whose type was learned from a file: a CSV cell must write back as the same text there, so
/// that codes of a later file don't turn into numbers. A schema's own numbers may be written as people write them.
///
/// # Errors
/// [`Fault`] `wrong-type`.
pub fn convert(cell: Cell, field: &FieldSchema, exact: bool) -> Result<Value, Fault> {
    let field_type = field.field_type;
    let found = match (cell, field_type) {
        (Cell::Null, _) => return Ok(Value::Null),
        (Cell::Bool(value), FieldType::Boolean) => return Ok(Value::Bool(value)),
        (Cell::Int(value), FieldType::Integer) => return Ok(Value::Int(value)),
        (Cell::Int(value), FieldType::Number) if value.unsigned_abs() <= 1 << 53 => {
            return Ok(Value::Float(value as f64));
        }
        (Cell::Float(value), FieldType::Number) => return Ok(number(value)),
        (Cell::Text(text) | Cell::Word(text), FieldType::Text) => return Ok(Value::Text(text)),
        (Cell::Bool(value), FieldType::Text) => return Ok(Value::Text(value.to_string())),
        (Cell::Int(value), FieldType::Text) => return Ok(Value::Text(value.to_string())),
        (Cell::Float(value), FieldType::Text) => return Ok(Value::Text(format_number(value))),
        (Cell::Json(text), FieldType::Json) => return Ok(Value::Json(text)),
        (cell, FieldType::Json) => return Ok(Value::Json(as_json(cell))),
        (cell, FieldType::List) => match list(cell) {
            Ok(value) => return Ok(value),
            Err(text) => text,
        },
        (Cell::Text(text) | Cell::Word(text), field_type) => match parse(&text, field_type) {
            Some(value) if !exact || says_the_same(&value, &text) => return Ok(value),
            _ => text,
        },
        (Cell::Bool(value), _) => value.to_string(),
        (Cell::Int(value), _) => value.to_string(),
        (Cell::Float(value), _) => value.to_string(),
        (Cell::Json(text), _) => text,
    };
    let shown: String = found.chars().take(60).collect();
    let fix = match field_type {
        FieldType::Boolean => "give true or false",
        FieldType::Integer => {
            "give a whole number without leading zeros or plus, or import codes into another collection"
        }
        FieldType::Number => {
            "give a decimal number in its shortest form, or import codes into another collection"
        }
        FieldType::Date => "give a date like 2031-03-01",
        FieldType::Timestamp => "give a date-time with offset like 2031-03-01T12:00:00Z",
        FieldType::List => "give texts with semicolons between them, or a JSON array of texts",
        FieldType::Text | FieldType::Json => "give text",
    };
    Err(Fault::new("wrong-type", format!("{}: {shown:?} is no {}", field.name, field_type.as_str()), fix))
}

/// Minus zero is zero: the store does not tell them apart.
fn number(value: f64) -> Value {
    Value::Float(value + 0.0)
}

/// Whether a number writes back as the text it came from. Times are the same instant however they are written.
fn says_the_same(value: &Value, text: &str) -> bool {
    match value {
        Value::Int(value) => value.to_string() == text,
        Value::Float(value) => format_number(*value) == text,
        _ => true,
    }
}

fn parse(text: &str, field_type: FieldType) -> Option<Value> {
    match field_type {
        FieldType::Boolean => text.parse().ok().map(Value::Bool),
        FieldType::Integer => text.parse().ok().map(Value::Int),
        FieldType::Number => text.parse().ok().filter(|value: &f64| value.is_finite()).map(number),
        FieldType::Date => time::parse_date(text).map(Value::Date),
        FieldType::Timestamp => time::parse_instant(text).map(Value::Timestamp),
        FieldType::Text | FieldType::List | FieldType::Json => None,
    }
}

/// A list of texts as compact JSON: from a JSON array of texts, or from texts with semicolons between them.
///
/// # Errors
/// What was found instead.
fn list(cell: Cell) -> Result<Value, String> {
    let array = |text: String| serde_json::from_str::<Vec<String>>(&text).ok().ok_or(text);
    let texts = match cell {
        Cell::Json(text) => array(text)?,
        Cell::Text(text) | Cell::Word(text) if text.trim_start().starts_with('[') => array(text)?,
        Cell::Text(text) | Cell::Word(text) => {
            text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        }
        other => return Err(as_json(other)),
    };
    Ok(Value::Json(serde_json::Value::from(texts).to_string()))
}

fn as_json(cell: Cell) -> String {
    match cell {
        Cell::Null => "null".to_owned(),
        Cell::Bool(value) => value.to_string(),
        Cell::Int(value) => value.to_string(),
        Cell::Float(value) => format_number(value),
        Cell::Text(text) | Cell::Word(text) => serde_json::Value::String(text).to_string(),
        Cell::Json(text) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CollectionSchema;

    fn field(field_type: &str) -> FieldSchema {
        let text =
            format!("id='x'\nclass='layer'\ngeometry='any'\n[[field]]\nname='f'\ntype='{field_type}'\n");
        CollectionSchema::parse(&text).unwrap().fields.remove(0)
    }

    #[test]
    fn codes_of_a_later_file_are_no_numbers() {
        let take = |text: &str, field_type: &str, exact: bool| {
            convert(Cell::Word(text.into()), &field(field_type), exact)
        };
        for (text, field_type) in [
            ("0012", "integer"),
            ("+44", "integer"),
            ("1E3", "number"),
            ("007.50", "number"),
            ("-0", "number"),
        ] {
            assert_eq!(take(text, field_type, true).unwrap_err().code, "wrong-type", "{text}");
        }
        assert_eq!(take("007.50", "number", false).unwrap(), Value::Float(7.5));
        assert_eq!(take("12", "integer", true).unwrap(), Value::Int(12));
    }

    #[test]
    fn minus_zero_is_zero() {
        let Value::Float(value) = convert(Cell::Float(-0.0), &field("number"), true).unwrap() else {
            unreachable!("a number stays one")
        };
        assert!(value.is_sign_positive());
    }
    #[test]
    fn a_list_is_a_json_array_or_texts_with_semicolons() {
        let take = |cell: Cell| convert(cell, &field("list"), true);
        let list = |json: &str| Value::Json(json.to_owned());
        assert_eq!(take(Cell::Word("heroin; crack;".into())).unwrap(), list("[\"heroin\",\"crack\"]"));
        assert_eq!(take(Cell::Text("[\"a;b\", \"c\"]".into())).unwrap(), list("[\"a;b\",\"c\"]"));
        assert_eq!(take(Cell::Json("[]".into())).unwrap(), list("[]"));
        assert_eq!(take(Cell::Null).unwrap(), Value::Null);
        for cell in [Cell::Json("[1]".into()), Cell::Json("{}".into()), Cell::Text("[1".into()), Cell::Int(7)]
        {
            assert_eq!(take(cell).unwrap_err().code, "wrong-type");
        }
    }
}
