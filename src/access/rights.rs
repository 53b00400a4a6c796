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
use crate::model::RowRights;
use crate::model::ValueRef;
use crate::model::reference::Reference;
use crate::snapshot::Collection;
use crate::snapshot::RowGroup;

/// Forces by the row they are party to.
#[derive(Debug, Default)]
pub struct PartiesOf {
    /// By the row that a text names as its public id.
    public: HashMap<RowId, Vec<String>>,
    /// By the row that a UUID names as its internal id, with the row that has this UUID as public id, if there is one.
    internal: HashMap<RowId, (RowId, Vec<String>)>,
}

impl PartiesOf {
    fn of(&self, id: RowId) -> impl Iterator<Item = &str> {
        let public = self.public.get(&id).into_iter().flatten();
        public.chain(self.internal.get(&id).into_iter().flat_map(|(_, forces)| forces)).map(String::as_str)
    }

    /// Takes back what was said of rows by their internal id where `rows`, all those there are, have another row with
    /// that text as public id. Whether there was any.
    pub fn settle(&mut self, rows: impl Iterator<Item = RowId>) -> bool {
        if self.internal.is_empty() {
            return false;
        }
        let texts: HashMap<RowId, RowId> =
            self.internal.iter().map(|(internal, (public, _))| (*public, *internal)).collect();
        let mut any = false;
        for row in rows {
            any |= texts.get(&row).is_some_and(|internal| self.internal.remove(internal).is_some());
        }
        any
    }
}

/// Gives each row its rights: equal ones once.
#[derive(Debug)]
pub struct RightsBuilder<'a> {
    rules: Vec<Rule<'a>>,
    /// How many fields rows have.
    fields: usize,
    /// By provenance, and then by the parties.
    known: Vec<(Arc<Provenance>, Vec<Known>)>,
}

type Known = (Vec<String>, Arc<RowRights>);

#[derive(Debug, Clone)]
enum Rule<'a> {
    Field(usize),
    Each(usize, char),
    Where(usize, &'a str, &'a str),
    Of(&'a PartiesOf),
}

impl<'a> RightsBuilder<'a> {
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
        let fields = schema.fields.len();
        Self { rules: rules.iter().filter_map(rule).collect(), fields, known: Vec::new() }
    }

    /// The rights of a group's rows as they are now, if those of any of them were others.
    pub fn of_group(&mut self, group: &RowGroup) -> Option<Vec<Arc<RowRights>>> {
        let provenances: Vec<Arc<Provenance>> =
            group.row_rights().iter().map(|rights| Arc::new(rights.provenance.clone())).collect();
        let mut values = Vec::new();
        let mut differ = false;
        let rights = (0..group.len())
            .map(|row| {
                values.clear();
                values.extend((0..self.fields).map(|field| group.value(field, row)));
                let rights = self.of(&provenances[group.rights_code(row)], group.id(row), &values);
                differ |= *rights != *group.rights(row);
                rights
            })
            .collect();
        differ.then_some(rights)
    }

    /// The rights of a row.
    pub fn of(&mut self, provenance: &Arc<Provenance>, id: RowId, values: &[ValueRef<'_>]) -> Arc<RowRights> {
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
                    parties.extend(others.of(id));
                }
            }
        }
        let place =
            self.known.iter().position(|(known, _)| Arc::ptr_eq(known, provenance)).unwrap_or_else(|| {
                self.known.push((Arc::clone(provenance), Vec::new()));
                self.known.len() - 1
            });
        let (_, known) = &mut self.known[place];
        if let Some((_, rights)) = known.iter().find(|(of, _)| of.iter().eq(&parties)) {
            return Arc::clone(rights);
        }
        let rights = Arc::new(RowRights::new((**provenance).clone(), parties.iter().copied()));
        known.push((parties.into_iter().map(str::to_owned).collect(), Arc::clone(&rights)));
        rights
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
    let mut parties = PartiesOf::default();
    let Some(field) = collection.schema.position(by) else { return parties };
    for group in &collection.groups {
        for row in 0..group.len() {
            let ValueRef::Text(text) = group.value(field, row) else { continue };
            let reference = Reference::of(text);
            // Which of the two it is shows once the rows are read.
            let internal = reference.internal().map(|id| {
                &mut parties.internal.entry(id).or_insert_with(|| (reference.public(), Vec::new())).1
            });
            let public = parties.public.entry(reference.public()).or_default();
            for known in std::iter::once(public).chain(internal) {
                for force in group.rights(row).forces() {
                    if !known.iter().any(|known| known == force) {
                        known.push(force.to_owned());
                    }
                }
            }
        }
    }
    parties
}
