//! Who asks: what the page needs to know before it shows anything.

use serde_json::json;

use crate::access::Role;
use crate::http::Answer;
use crate::http::Call;
use crate::http::problem::Problem;
use crate::store::Register;

/// `GET /api/session`: the caller's role and what is their own, collections that would be there if they gave a reason,
/// roles they may play instead, what the register holds, the day its picture is drawn for (null: today), and the text of
/// the marking bar: the highest marking among the rows that the caller sees.
///
/// # Errors
/// None.
pub fn session(call: &Call) -> Result<Answer, Problem> {
    let (register, synthetic) = match call.app.gate.register() {
        Register::Synthetic => ("synthetic", true),
        Register::Operational => ("operational", false),
    };
    let marking = call.view.marking();
    // What could be played here: a function of the server, not of its rows.
    let roles: &[&str] = if call.at_the_machine { &Role::ALL.map(Role::as_str) } else { &[] };
    // What a role can name as its own, of the reference facts that the caller sees.
    let own_choices = |id: &str| if call.at_the_machine { named(call, id) } else { Vec::new() };
    Ok(Answer::json(&json!({
        "role": call.principal.role().map_or("local-operator", Role::as_str),
        "own": call.principal.own(),
        "reason_given": call.principal.has_reason(),
        "reason_wanted_for": call.app.gate.wanting_reason(&call.principal),
        "roles": roles,
        "forces": own_choices("forces"),
        "regions": own_choices("regions"),
        "register": register,
        "synthetic": synthetic,
        "as_at": call.view.as_at(),
        "marking": if synthetic { format!("{marking} · SYNTHETIC DATA") } else { marking.to_owned() },
    })))
}

/// Ids and names of a collection's rows, by name.
fn named(call: &Call, id: &str) -> Vec<serde_json::Value> {
    let Some(collection) = call.view.collection(id) else { return Vec::new() };
    let schema = collection.schema();
    let (Some(id), Some(name)) = (schema.position("id"), schema.position("name")) else { return Vec::new() };
    let mut rows: Vec<(String, String)> = collection
        .groups()
        .iter()
        .flat_map(|group| {
            (0..group.len()).map(|row| (group.value(name, row).to_text(), group.value(id, row).to_text()))
        })
        .collect();
    rows.sort();
    rows.into_iter().map(|(name, id)| json!({"id": id, "name": name})).collect()
}
