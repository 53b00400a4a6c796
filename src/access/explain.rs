//! What the policy means for a principal, in words.

use crate::access::Policy;
use crate::access::Principal;
use crate::access::entitlement::Entitlement;
use crate::access::entitlement::Regions;
use crate::access::entitlement::RowRule;
use crate::access::policy::PartyEach;
use crate::access::policy::PartyOf;
use crate::access::policy::PartyRule;
use crate::access::policy::PartyWhere;
use crate::model::CollectionSchema;
use crate::model::Provenance;
use crate::model::RowRights;
use crate::model::Sensitivity;

/// What `principal` sees of a collection and why, and whether a row that `owner` holds is among it: one line each.
#[must_use]
pub fn explain(
    policy: &Policy,
    principal: &Principal,
    schema: &CollectionSchema,
    regions: &Regions,
    owner: Option<&str>,
) -> Vec<String> {
    let id = &schema.id;
    let entitlement = policy.entitlement(principal, schema, regions);
    let mut lines = vec![format!("{id} for {principal}, by the policy {:?}", policy.name())];
    if policy.wants_reason(principal, schema) {
        lines.push("rows: none without a reason; the collection does not exist for them".to_owned());
        lines.push("with a reason:".to_owned());
        let with = principal.clone().with_reason();
        lines.extend(rows_and_fields(policy, &policy.entitlement(&with, schema, regions), schema, owner));
        return lines;
    }
    lines.extend(rows_and_fields(policy, &entitlement, schema, owner));
    lines
}

fn rows_and_fields(
    policy: &Policy,
    entitlement: &Entitlement,
    schema: &CollectionSchema,
    owner: Option<&str>,
) -> Vec<String> {
    let rows = match &entitlement.rows {
        RowRule::Nothing => return vec!["rows: none; the collection does not exist for them".to_owned()],
        RowRule::All => "all".to_owned(),
        RowRule::UpTo(Sensitivity::Open) => "those that are open to anyone".to_owned(),
        RowRule::UpTo(most) => format!("those that are {} or less", most.as_str()),
        RowRule::Owner(force) => format!("those that {force} holds"),
        RowRule::OwnerOrOpen(force) => format!("those that {force} holds, and those that are open to anyone"),
        RowRule::Party(forces) | RowRule::Others(forces) if forces.is_empty() => {
            "none: there are no forces of that region".to_owned()
        }
        RowRule::Others(forces) => {
            let none = forces.join(" nor ");
            format!("those that do not concern {none}: it {}", where_parties_stand(policy, schema))
        }
        RowRule::Areas(areas) => {
            // Who holds them is no area.
            let held = "holds them, or ";
            let places = where_parties_stand(policy, schema);
            format!("those of {}: it {}", areas.join(" or "), places.strip_prefix(held).unwrap_or(&places))
        }
        RowRule::Party(forces) => {
            format!("those that concern {}: it {}", forces.join(" or "), where_parties_stand(policy, schema))
        }
    };
    let mut lines = vec![format!("rows: {rows}")];
    lines.push(match entitlement.fields.of(schema) {
        None => format!("fields: all {}", schema.fields.len()),
        Some(shown) => {
            let hidden = (0..schema.fields.len()).filter(|place| !shown.contains(place));
            let hidden: Vec<&str> = hidden.map(|place| schema.fields[place].name.as_str()).collect();
            format!("fields: {} of {}, without {}", shown.len(), schema.fields.len(), hidden.join(", "))
        }
    });
    if let Some(owner) = owner {
        let held = RowRights::new(Provenance::open(owner), std::iter::empty());
        let mut secret = held.clone();
        secret.provenance.sensitivity = Sensitivity::Restricted;
        lines.push(match (entitlement.admits(&held), entitlement.admits(&secret)) {
            (true, false) => format!("a row that {owner} holds: seen if it is open to anyone"),
            (true, true) if matches!(entitlement.rows, RowRule::Others(_)) => {
                format!("a row that {owner} holds: seen unless it concerns them otherwise")
            }
            (true, true) => format!("a row that {owner} holds: seen"),
            (false, _)
                if matches!(entitlement.rows, RowRule::Party(_))
                    && !policy.parties(&schema.id).is_empty() =>
            {
                format!("a row that {owner} holds: seen only if it concerns them otherwise")
            }
            (false, _) => format!("a row that {owner} holds: not seen"),
        });
    }
    lines
}

fn where_parties_stand(policy: &Policy, schema: &CollectionSchema) -> String {
    let mut places = vec!["holds them".to_owned()];
    for rule in policy.parties(&schema.id) {
        places.push(match rule {
            PartyRule::Field(field) => format!("stands in {field}"),
            PartyRule::Each(PartyEach { each, .. }) => format!("stands among {each}"),
            PartyRule::Where(PartyWhere { field, is, force }) => format!("is {force} and {field} is {is}"),
            PartyRule::Of(PartyOf { collection, by }) => {
                format!("is party to a row of {collection} that names theirs in {by}")
            }
        });
    }
    places.join(", or ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::collections::built_in;

    fn said(who: &str, collection: &str, owner: Option<&str>) -> String {
        let regions = Regions::new([("kent", "south-east")].into_iter());
        let schema = built_in(collection).unwrap().unwrap();
        explain(&Policy::built_in().unwrap(), &Principal::parse(who).unwrap(), &schema, &regions, owner)
            .join("\n")
    }

    #[test]
    fn it_says_what_and_why() {
        let text = said("force-analyst:kent", "lines", Some("metropolitan"));
        assert!(
            text.contains("exporting_force") && text.contains("legs") && text.contains("otherwise"),
            "{text}"
        );
        assert!(said("force-analyst:kent", "lines", Some("kent")).ends_with("a row that kent holds: seen"));
        let text = said("force-analyst:kent", "addresses", None);
        assert!(text.contains("without a reason") && text.contains("those that concern kent"), "{text}");
        let text = said("partner:E06000044", "council-figures", None);
        assert!(text.contains("those of E06000044: it stands in council"), "{text}");
        let text = said("force-analyst:kent", "address-counts", Some("kent"));
        assert!(
            text.contains("do not concern kent") && text.ends_with("a row that kent holds: not seen"),
            "{text}"
        );
        assert!(said("btp-planner", "addresses", Some("btp")).ends_with("does not exist for them"));
        assert!(said("btp-planner", "lines", None).contains("without brand"));
        assert!(said("public", "stations", Some("network-rail")).contains("seen if it is open"));
        assert!(said("regional-analyst:atlantis", "lines", None).contains("no forces of that region"));
    }
}
