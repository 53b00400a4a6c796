//! What every computed answer says of itself: the day, the rows and the marking that it rests on.
//!
//! In: a view and the collections that were read. Out: members of a JSON object, and their one schema.
//! Not here: the members of an answer's own.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::access::View;

/// The members that all computed answers have.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// The day that the store's picture is drawn for (`2024-04-30`); `None`: today.
    pub reference_date: Option<String>,
    /// The time as of which the register was read; `None`: as it is now known.
    pub as_at: Option<String>,
    /// A version that is equal where the visible rows that were read are equal, on any machine.
    pub data_version: String,
    /// The parameters, those that were not given too.
    pub params: Value,
    /// How many records the answer rests on.
    pub n_records: u64,
    /// The highest protective marking among the collections read.
    pub marking: String,
    /// Whether any of their rows is invented.
    pub synthetic: bool,
}

impl Envelope {
    /// Of an answer made of these collections of a view; those that are not there are passed over. Rows may have to be
    /// hashed for the version.
    #[must_use]
    pub fn of(view: &View, reads: &[&str], params: Value, n_records: u64) -> Self {
        let read: Vec<_> = reads.iter().filter_map(|id| view.collection(id)).collect();
        let versions: Vec<&str> = read.iter().map(|collection| collection.data_version()).collect();
        Self {
            reference_date: view.reference_date().map(str::to_owned),
            as_at: None,
            data_version: versions.join("-"),
            params,
            n_records,
            marking: view.marking_among(reads).to_owned(),
            synthetic: read.iter().any(|collection| collection.is_synthetic()),
        }
    }

    /// An object with the envelope's members, then those of the answer.
    #[must_use]
    pub fn around(self, answer: Map<String, Value>) -> Value {
        let Self { reference_date, as_at, data_version, params, n_records, marking, synthetic } = self;
        let mut out = json!({
            "reference_date": reference_date,
            "as_at": as_at,
            "data_version": data_version,
            "params": params,
            "n_records": n_records,
            "marking": marking,
            "synthetic": synthetic,
        });
        if let Some(members) = out.as_object_mut() {
            members.extend(answer);
        }
        out
    }

    /// The JSON Schema of the members, as OpenAPI 3.0 writes it.
    #[must_use]
    pub fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["reference_date", "as_at", "data_version", "params", "n_records", "marking", "synthetic"],
            "properties": {
                "reference_date": {"type": "string", "format": "date", "nullable": true, "description": "The day that the picture is drawn for; null: today."},
                "as_at": {"type": "string", "format": "date-time", "nullable": true, "description": "The time as of which the register was read; null: as it is now known."},
                "data_version": {"type": "string", "description": "Equal where the visible rows that were read are equal, on any machine."},
                "params": {"type": "object", "description": "The parameters, those that were not given too."},
                "n_records": {"type": "integer", "minimum": 0, "description": "How many records the answer rests on."},
                "marking": {"type": "string", "description": "The highest protective marking among the collections read."},
                "synthetic": {"type": "boolean", "description": "Whether any of the rows read is invented."},
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_is_in_the_schema_and_required() {
        let envelope = Envelope::of(&View::default(), &["hubs"], json!({"limit": 3}), 7);
        let Value::Object(own) = json!({"totals": 1}) else { unreachable!() };
        let said = envelope.around(own);
        let schema = Envelope::schema();
        let required: Vec<&str> =
            schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let members: Vec<&str> = said.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, [&required[..], &["totals"]].concat());
        let described: Vec<&str> =
            schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(described, required);
        assert_eq!((&said["marking"], &said["n_records"]), (&json!("OFFICIAL"), &json!(7)));
    }
}
