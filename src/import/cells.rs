//! Properties of a GeoJSON feature to cells: nothing rounded in silence, nothing of any size.

use crate::import::Cell;
use crate::import::report::Fault;

/// The most bytes one property may have.
const MAX_PROPERTY_BYTES: usize = 1 << 20;
/// Two to the power of 64: whole numbers from here on have no integer type.
const BEYOND_INTEGERS: f64 = 18_446_744_073_709_551_616.0;

/// The cell of a property.
pub(super) fn cell(value: serde_json::Value, warnings: &mut Vec<Fault>) -> Result<Cell, Fault> {
    Ok(match value {
        serde_json::Value::Null => Cell::Null,
        serde_json::Value::Bool(value) => Cell::Bool(value),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => Cell::Int(value),
            // Between 63 and 64 bits: kept as written, never rounded.
            (None, _) if number.is_u64() => Cell::Json(number.to_string()),
            (None, Some(value)) => {
                if value.abs() >= BEYOND_INTEGERS {
                    let message = format!("the number {value:e} is beyond 64 bits and is kept to 17 digits");
                    warnings.push(Fault::new("number-rounded", message, "give longer numbers as text"));
                }
                Cell::Float(value)
            }
            (None, None) => Cell::Json(number.to_string()),
        },
        serde_json::Value::String(text) => Cell::Text(within_size(text)?),
        nested @ (serde_json::Value::Array(_) | serde_json::Value::Object(_)) => {
            Cell::Json(within_size(nested.to_string())?)
        }
    })
}

fn within_size(text: String) -> Result<String, Fault> {
    if text.len() > MAX_PROPERTY_BYTES {
        let message = format!("a property has {} bytes and may have {MAX_PROPERTY_BYTES}", text.len());
        return Err(Fault::new("too-large", message, "shorten the value"));
    }
    Ok(text)
}
