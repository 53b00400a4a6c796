//! Who asks: what the page needs to know before it shows anything.

use serde_json::json;

use crate::access::Principal;
use crate::http::Answer;
use crate::http::Call;
use crate::http::problem::Problem;
use crate::store::Register;

/// `GET /api/session`: the principal, what the register holds, the day its picture is drawn for (null: today), and the
/// text of the marking bar: the highest marking among the rows that the caller sees.
///
/// # Errors
/// None.
pub fn session(call: &Call) -> Result<Answer, Problem> {
    let (register, synthetic) = match call.app.gate.register() {
        Register::Synthetic => ("synthetic", true),
        Register::Operational => ("operational", false),
    };
    let marking = call.view.marking();
    Ok(Answer::json(&json!({
        "principal": match call.principal {
            Principal::LocalOperator => "local-operator",
            Principal::Anonymous => "anonymous",
        },
        "register": register,
        "synthetic": synthetic,
        "as_at": call.view.as_at(),
        "marking": if synthetic { format!("{marking} · SYNTHETIC DATA") } else { marking.to_owned() },
    })))
}
