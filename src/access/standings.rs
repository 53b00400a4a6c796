//! The forces that each row concerns, by the policy's rules, while rows are read.

use std::collections::HashMap;
use std::sync::Arc;

use crate::access::policy::PartyEach;
use crate::access::policy::PartyOf;
use crate::access::policy::PartyRule;
use crate::access::policy::PartyWhere;
use crate::model::CollectionSchema;
use crate::model::Provenance;
use crate::model::RowId;
use crate::model::Standing;
use crate::model::ValueRef;
use crate::snapshot::Collection;

/// Forces by the row they are party to.
pub type PartiesOf = HashMap<RowId, Vec<String>>;

/// Gives each row its standing: equal ones once.
#[derive(Debug)]
pub struct Standings<'a> {
    rules: Vec<Rule<'a>>,
    /// By provenance, and then by the parties.
    known: Vec<(Arc<Provenance>, Vec<Known>)>,
}

type Known = (Vec<String>, Arc<Standing>);

#[derive(Debug, Clone)]
enum Rule<'a> {
    Field(usize),
    Each(usize, char),
    Where(usize, &'a str, &'a str),
    Of(&'a PartiesOf),
}

impl<'a> Standings<'a> {
    /// For rows of a collection; `others` has the forces that rows of another one name.
    pub fn new(rules: &'a [PartyRule], schema: &CollectionSchema, others: &'a PartiesOf) -> Self {
        let rule = |rule: &'a PartyRule| {
            Some(match rule {
                PartyRule::Field(field) => Rule::Field(schema.position(field)?),
                PartyRule::Each(PartyEach { each, between }) => Rule::Each(schema.position(each)?, *between),
                PartyRule::Where(PartyWhere { field, is, force }) => {
                    Rule::Where(schema.position(field)?, is, force)
                }
                PartyRule::Of(_) => Rule::Of(others),
            })
        };
        Self { rules: rules.iter().filter_map(rule).collect(), known: Vec::new() }
    }

    /// The standing of a row.
    pub fn of(&mut self, provenance: &Arc<Provenance>, id: RowId, values: &[ValueRef<'_>]) -> Arc<Standing> {
        let text = |field: usize| match values.get(field) {
            Some(ValueRef::Text(text)) => Some(*text),
            _ => None,
        };
        let mut parties: Vec<&str> = Vec::new();
        for rule in &self.rules {
            match rule {
                Rule::Field(field) => parties.extend(text(*field)),
                Rule::Each(field, between) => {
                    let all = text(*field).into_iter().flat_map(|text| text.split(*between));
                    parties.extend(all.filter(|force| !force.is_empty()));
                }
                Rule::Where(field, is, force) => {
                    parties.extend((text(*field) == Some(*is)).then_some(*force));
                }
                Rule::Of(others) => {
                    parties.extend(others.get(&id).into_iter().flatten().map(String::as_str));
                }
            }
        }
        let place =
            self.known.iter().position(|(known, _)| Arc::ptr_eq(known, provenance)).unwrap_or_else(|| {
                self.known.push((Arc::clone(provenance), Vec::new()));
                self.known.len() - 1
            });
        let (_, known) = &mut self.known[place];
        if let Some((_, standing)) = known.iter().find(|(of, _)| of.iter().eq(&parties)) {
            return Arc::clone(standing);
        }
        let standing = Arc::new(Standing::new((**provenance).clone(), parties.iter().copied()));
        known.push((parties.into_iter().map(str::to_owned).collect(), Arc::clone(&standing)));
        standing
    }
}

/// The other collection that says which forces the rows of one concern, if the rules name one, and its field with their
/// ids.
pub fn other_of(rules: &[PartyRule]) -> Option<(&str, &str)> {
    rules.iter().find_map(|rule| match rule {
        PartyRule::Of(PartyOf { collection, by }) => Some((collection.as_str(), by.as_str())),
        PartyRule::Field(_) | PartyRule::Each(_) | PartyRule::Where(_) => None,
    })
}

/// The forces that a collection's rows concern, by the row that they name in a field.
pub fn parties_of(collection: &Collection, by: &str) -> PartiesOf {
    let mut parties = PartiesOf::new();
    let Some(field) = collection.schema.position(by) else { return parties };
    for group in &collection.groups {
        for row in 0..group.len() {
            let ValueRef::Text(text) = group.value(field, row) else { continue };
            // A row that came with an id of its own is named by that.
            let id = RowId::parse(text).unwrap_or_else(|| RowId::from_public(text));
            let known = parties.entry(id).or_default();
            for force in group.standing(row).forces() {
                if !known.iter().any(|known| known == force) {
                    known.push(force.to_owned());
                }
            }
        }
    }
    parties
}
