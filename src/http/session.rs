//! The session: what the page needs to know of its caller before it shows anything.

use std::sync::Arc;

use serde_json::Value;
use serde_json::json;

use crate::access::Role;
use crate::http::Cost;
use crate::http::Ctx;
use crate::http::Work;
use crate::http::problem::Problem;
use crate::http::response::Response;
use crate::model::collections::built_in;
use crate::store::Register;

/// `GET /api/session`: the caller's role and what is their own, collections that would be there if they gave a reason,
/// roles they may play instead, the names of areas of their own, what the register holds, the day its picture is drawn for (null: today), and the text of
/// the marking bar: the highest marking among the rows that the caller sees.
///
/// # Errors
/// None.
pub fn session(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    // Names of forces, regions and areas are looked through.
    let named = ["forces", "regions", "areas"].into_iter().filter_map(|id| ctx.view.collection(id));
    let cost = named.map(|collection| Cost::rows_summed(collection)).sum();
    let ctx = Arc::clone(ctx);
    Ok(Work::new(cost, move || Ok(Response::json(&describe(&ctx)))))
}

fn describe(ctx: &Ctx) -> Value {
    let (register, synthetic) = match ctx.app.gate.register() {
        Register::Synthetic => ("synthetic", true),
        Register::Operational => ("operational", false),
    };
    let marking = ctx.view.marking();
    // What could be played here: where roles are played there is no row that anyone may not see.
    let roles: &[&str] = if ctx.in_demo { &Role::ALL.map(Role::as_str) } else { &[] };
    // What a role can name as its own, of the reference facts that the caller sees.
    let own_choices = |id: &str| if ctx.in_demo { named(ctx, id, "id", &[]) } else { Vec::new() };
    let areas: &[String] =
        if ctx.principal.role() == Some(Role::Partner) { ctx.principal.own() } else { &[] };
    json!({
        "role": ctx.principal.role().unwrap_or(Role::Public).as_str(),
        "own": ctx.principal.own(),
        "reason_given": ctx.principal.has_reason(),
        "reason_wanted_for": wanted_for(ctx),
        "roles": roles,
        "forces": own_choices("forces"),
        "regions": own_choices("regions"),
        "areas": if areas.is_empty() { Vec::new() } else { named(ctx, "areas", "code", areas) },
        "register": register,
        "synthetic": synthetic,
        "reference_date": ctx.view.reference_date(),
        "marking": if synthetic { format!("{marking} · SYNTHETIC DATA") } else { marking.to_owned() },
    })
}

/// Ids and titles of collections that would be there with a reason: of the program's own descriptions, not of what the
/// store has.
fn wanted_for(ctx: &Ctx) -> Vec<Value> {
    let title = |id: &str| built_in(id).ok().flatten().map_or_else(|| id.to_owned(), |schema| schema.title);
    let wanting = ctx.app.gate.wanting_reason(&ctx.principal);
    wanting.into_iter().map(|id| json!({"id": id, "title": title(id)})).collect()
}

/// Ids and names of a collection's rows, by name: of all, or of those that are asked for.
fn named(ctx: &Ctx, id: &str, key: &str, wanted: &[String]) -> Vec<Value> {
    let Some(collection) = ctx.view.collection(id) else { return Vec::new() };
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
