//! Converts properties of a GeoJSON feature to [`CellValue`]s. Rounding gives a warning; the size is bounded.

use crate::import::CellValue;
use crate::import::report::Fault;

/// The most bytes of a property.
const MAX_PROPERTY_BYTES: usize = 1 << 20;
/// 2^64: no integer type holds whole numbers from this one on.
const BEYOND_INTEGERS: f64 = 18_446_744_073_709_551_616.0;

/// The cell value of a property.
///
/// # Errors
/// [`Fault`] `too-large` for a text or nested value of more than [`MAX_PROPERTY_BYTES`].
pub(super) fn cell(value: serde_json::Value, warnings: &mut Vec<Fault>) -> Result<CellValue, Fault> {
    Ok(match value {
        serde_json::Value::Null => CellValue::Null,
        serde_json::Value::Bool(value) => CellValue::Bool(value),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => CellValue::Int(value),
            // A number from 2^63 to 2^64 is stored as JSON, so that it is not rounded.
            (None, _) if number.is_u64() => CellValue::Json(number.to_string()),
            (None, Some(value)) => {
                if value.abs() >= BEYOND_INTEGERS {
                    let message =
                        format!("the number {value:e} has more than 64 bits and was rounded to 17 digits");
                    warnings.push(Fault::new("number-rounded", message, "give longer numbers as text"));
                }
                CellValue::Float(value)
            }
            (None, None) => CellValue::Json(number.to_string()),
        },
        serde_json::Value::String(text) => CellValue::Text(within_size(text)?),
        nested @ (serde_json::Value::Array(_) | serde_json::Value::Object(_)) => {
            CellValue::Json(within_size(nested.to_string())?)
        }
    })
}

fn within_size(text: String) -> Result<String, Fault> {
    if text.len() > MAX_PROPERTY_BYTES {
        let message =
            format!("a property has {} bytes, more than the {MAX_PROPERTY_BYTES} allowed", text.len());
        return Err(Fault::new("too-large", message, "shorten the value"));
    }
    Ok(text)
}
