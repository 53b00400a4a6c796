//! Cells to values of a field's type, or the reason why not.

use crate::import::Cell;
use crate::import::report::Fault;
use crate::model::FieldSchema;
use crate::model::FieldType;
use crate::model::Value;
use crate::model::time;

/// The value of a cell in a field.
///
/// # Errors
/// [`Fault`] `wrong-type`.
pub fn convert(cell: Cell, field: &FieldSchema) -> Result<Value, Fault> {
    let field_type = field.field_type;
    let found = match (cell, field_type) {
        (Cell::Null, _) => return Ok(Value::Null),
        (Cell::Bool(value), FieldType::Boolean) => return Ok(Value::Bool(value)),
        (Cell::Int(value), FieldType::Integer) => return Ok(Value::Int(value)),
        (Cell::Int(value), FieldType::Number) if value.unsigned_abs() <= 1 << 53 => {
            return Ok(Value::Float(value as f64));
        }
        (Cell::Float(value), FieldType::Number) => return Ok(Value::Float(value)),
        (Cell::Text(text) | Cell::Word(text), FieldType::Text) => return Ok(Value::Text(text)),
        (Cell::Bool(value), FieldType::Text) => return Ok(Value::Text(value.to_string())),
        (Cell::Int(value), FieldType::Text) => return Ok(Value::Text(value.to_string())),
        (Cell::Float(value), FieldType::Text) => {
            return Ok(Value::Text(crate::model::feature::format_number(value)));
        }
        (Cell::Json(text), FieldType::Json) => return Ok(Value::Json(text)),
        (cell, FieldType::Json) => return Ok(Value::Json(as_json(cell))),
        (Cell::Text(text) | Cell::Word(text), field_type) => match parse(&text, field_type) {
            Some(value) => return Ok(value),
            None => text,
        },
        (Cell::Bool(value), _) => value.to_string(),
        (Cell::Int(value), _) => value.to_string(),
        (Cell::Float(value), _) => value.to_string(),
        (Cell::Json(text), _) => text,
    };
    let shown: String = found.chars().take(60).collect();
    let fix = match field_type {
        FieldType::Boolean => "give true or false",
        FieldType::Integer => "give a whole number",
        FieldType::Number => "give a finite decimal number",
        FieldType::Date => "give a date like 2031-03-01",
        FieldType::Timestamp => "give a date-time with offset like 2031-03-01T12:00:00Z",
        FieldType::Text | FieldType::Json => "give text",
    };
    Err(Fault::new("wrong-type", format!("{}: {shown:?} is no {}", field.name, field_type.as_str()), fix))
}

fn parse(text: &str, field_type: FieldType) -> Option<Value> {
    match field_type {
        FieldType::Boolean => text.parse().ok().map(Value::Bool),
        FieldType::Integer => text.parse().ok().map(Value::Int),
        FieldType::Number => text.parse().ok().filter(|value: &f64| value.is_finite()).map(Value::Float),
        FieldType::Date => time::parse_date(text).map(Value::Date),
        FieldType::Timestamp => time::parse_instant(text).map(Value::Timestamp),
        FieldType::Text | FieldType::Json => None,
    }
}

fn as_json(cell: Cell) -> String {
    match cell {
        Cell::Null => "null".to_owned(),
        Cell::Bool(value) => value.to_string(),
        Cell::Int(value) => value.to_string(),
        Cell::Float(value) => crate::model::feature::format_number(value),
        Cell::Text(text) | Cell::Word(text) => serde_json::Value::String(text).to_string(),
        Cell::Json(text) => text,
    }
}
