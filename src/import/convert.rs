//! Converts cell values to values of a field's type.

use crate::import::CellValue;
use crate::import::report::Fault;
use crate::model::FieldSchema;
use crate::model::FieldType;
use crate::model::Value;
use crate::model::feature::format_number;
use crate::model::time;

/// Converts a cell value to the type of a field.
///
/// `exact` is for fields with a type that was learned from a file: a number there must write back as the text of its CSV
/// cell, so that codes of a later file do not become numbers. For fields of a built-in schema, numbers may be written in
/// other ways too (`007.50`).
///
/// # Errors
/// [`Fault`] `wrong-type` if the value is not of that type.
pub fn convert(cell: CellValue, field: &FieldSchema, exact: bool) -> Result<Value, Fault> {
    let field_type = field.field_type;
    let found = match (cell, field_type) {
        (CellValue::Null, _) => return Ok(Value::Null),
        (CellValue::Bool(value), FieldType::Boolean) => return Ok(Value::Bool(value)),
        (CellValue::Int(value), FieldType::Integer) => return Ok(Value::Int(value)),
        (CellValue::Int(value), FieldType::Number) if value.unsigned_abs() <= 1 << 53 => {
            return Ok(Value::Float(value as f64));
        }
        (CellValue::Float(value), FieldType::Number) => return Ok(number(value)),
        (CellValue::Text(text) | CellValue::Word(text), FieldType::Text) => return Ok(Value::Text(text)),
        (CellValue::Bool(value), FieldType::Text) => return Ok(Value::Text(value.to_string())),
        (CellValue::Int(value), FieldType::Text) => return Ok(Value::Text(value.to_string())),
        (CellValue::Float(value), FieldType::Text) => return Ok(Value::Text(format_number(value))),
        (CellValue::Json(text), FieldType::Json) => return Ok(Value::Json(text)),
        (cell, FieldType::Json) => return Ok(Value::Json(as_json(cell))),
        (cell, FieldType::List) => match list(cell) {
            Ok(value) => return Ok(value),
            Err(text) => text,
        },
        (CellValue::Text(text) | CellValue::Word(text), field_type) => match parse(&text, field_type) {
            Some(value) if !exact || says_the_same(&value, &text) => return Ok(value),
            _ => text,
        },
        (CellValue::Bool(value), _) => value.to_string(),
        (CellValue::Int(value), _) => value.to_string(),
        (CellValue::Float(value), _) => value.to_string(),
        (CellValue::Json(text), _) => text,
    };
    let shown: String = found.chars().take(60).collect();
    let fix = match field_type {
        FieldType::Boolean => "give true or false",
        FieldType::Integer => {
            "give a whole number without leading zeros or a plus sign, or import codes into another collection"
        }
        FieldType::Number => {
            "give a decimal number in its shortest form, or import codes into another collection"
        }
        FieldType::Date => "give a date like 2031-03-01",
        FieldType::Timestamp => "give a date-time with offset like 2031-03-01T12:00:00Z",
        FieldType::List => "give texts with semicolons between them, or a JSON array of texts",
        FieldType::Text | FieldType::Json => "give text",
    };
    let message = format!("{}: {shown:?} is not of the type {}", field.name, field_type.as_str());
    Err(Fault::new("wrong-type", message, fix))
}

/// Minus zero becomes zero: the store does not distinguish them.
fn number(value: f64) -> Value {
    Value::Float(value + 0.0)
}

/// Whether a number writes back as the text that it was read from. Other types may be written in several ways.
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
fn list(cell: CellValue) -> Result<Value, String> {
    let array = |text: String| serde_json::from_str::<Vec<String>>(&text).ok().ok_or(text);
    let texts = match cell {
        CellValue::Json(text) => array(text)?,
        CellValue::Text(text) | CellValue::Word(text) if text.trim_start().starts_with('[') => array(text)?,
        CellValue::Text(text) | CellValue::Word(text) => {
            text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        }
        other => return Err(as_json(other)),
    };
    Ok(Value::Json(serde_json::Value::from(texts).to_string()))
}

fn as_json(cell: CellValue) -> String {
    match cell {
        CellValue::Null => "null".to_owned(),
        CellValue::Bool(value) => value.to_string(),
        CellValue::Int(value) => value.to_string(),
        CellValue::Float(value) => format_number(value),
        CellValue::Text(text) | CellValue::Word(text) => serde_json::Value::String(text).to_string(),
        CellValue::Json(text) => text,
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
    fn codes_of_a_later_file_do_not_become_numbers() {
        let take = |text: &str, field_type: &str, exact: bool| {
            convert(CellValue::Word(text.into()), &field(field_type), exact)
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
        let Value::Float(value) = convert(CellValue::Float(-0.0), &field("number"), true).unwrap() else {
            unreachable!("a number stays one")
        };
        assert!(value.is_sign_positive());
    }
    #[test]
    fn a_list_is_a_json_array_or_texts_with_semicolons() {
        let take = |cell: CellValue| convert(cell, &field("list"), true);
        let list = |json: &str| Value::Json(json.to_owned());
        assert_eq!(take(CellValue::Word("heroin; crack;".into())).unwrap(), list("[\"heroin\",\"crack\"]"));
        assert_eq!(take(CellValue::Text("[\"a;b\", \"c\"]".into())).unwrap(), list("[\"a;b\",\"c\"]"));
        assert_eq!(take(CellValue::Json("[]".into())).unwrap(), list("[]"));
        assert_eq!(take(CellValue::Null).unwrap(), Value::Null);
        for cell in [
            CellValue::Json("[1]".into()),
            CellValue::Json("{}".into()),
            CellValue::Text("[1".into()),
            CellValue::Int(7),
        ] {
            assert_eq!(take(cell).unwrap_err().code, "wrong-type");
        }
    }
}
