//! Who asks: what the page needs to know before it shows anything.

use serde_json::json;

use crate::access::Role;
use crate::http::Answer;
use crate::http::Call;
use crate::http::problem::Problem;
use crate::model::collections::built_in;
use crate::store::Register;

/// `GET /api/session`: the caller's role and what is their own, collections that would be there if they gave a reason,
/// roles they may play instead, the names of areas of their own, what the register holds, the day its picture is drawn for (null: today), and the text of
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
    // What could be played here: where roles are played there is no row that anyone may not see.
    let roles: &[&str] = if call.in_demo { &Role::ALL.map(Role::as_str) } else { &[] };
    // What a role can name as its own, of the reference facts that the caller sees.
    let own_choices = |id: &str| if call.in_demo { named(call, id, "id", &[]) } else { Vec::new() };
    let areas: &[String] =
        if call.principal.role() == Some(Role::Partner) { call.principal.own() } else { &[] };
    Ok(Answer::json(&json!({
        "role": call.principal.role().unwrap_or(Role::Public).as_str(),
        "own": call.principal.own(),
        "reason_given": call.principal.has_reason(),
        "reason_wanted_for": wanted_for(call),
        "roles": roles,
        "forces": own_choices("forces"),
        "regions": own_choices("regions"),
        "areas": if areas.is_empty() { Vec::new() } else { named(call, "areas", "code", areas) },
        "register": register,
        "synthetic": synthetic,
        "reference_date": call.view.reference_date(),
        "marking": if synthetic { format!("{marking} · SYNTHETIC DATA") } else { marking.to_owned() },
    })))
}

/// Ids and titles of collections that would be there with a reason: of the program's own descriptions, not of what the
/// store has.
fn wanted_for(call: &Call) -> Vec<serde_json::Value> {
    let title = |id: &str| built_in(id).ok().flatten().map_or_else(|| id.to_owned(), |schema| schema.title);
    let wanting = call.app.gate.wanting_reason(&call.principal);
    wanting.into_iter().map(|id| json!({"id": id, "title": title(id)})).collect()
}

/// Ids and names of a collection's rows, by name: of all, or of those that are asked for.
fn named(call: &Call, id: &str, key: &str, wanted: &[String]) -> Vec<serde_json::Value> {
    let Some(collection) = call.view.collection(id) else { return Vec::new() };
    let schema = collection.schema();
    let (Some(id), Some(name)) = (schema.position(key), schema.position("name")) else { return Vec::new() };
    let mut rows: Vec<(String, String)> = collection
        .groups()
        .iter()
        .flat_map(|group| {
            (0..group.len()).map(|row| (group.value(name, row).to_text(), group.value(id, row).to_text()))
        })
        .collect();
    rows.retain(|(_, id)| wanted.is_empty() || wanted.contains(id));
    rows.sort();
    rows.into_iter().map(|(name, id)| json!({"id": id, "name": name})).collect()
}
