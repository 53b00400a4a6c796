//! The policy: who may see what, as a versioned TOML file. `data/policy/default.toml` is the one that comes with the
//! program and says how such a file is written.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::access::entitlement::Entitlement;
use crate::access::entitlement::Regions;
use crate::access::entitlement::RowRule;
use crate::access::policy_rule::PolicyRule;
use crate::access::policy_rule::RowsWord;
use crate::access::principal::LOCAL_OWNER;
use crate::access::principal::OwnKind;
use crate::access::principal::Principal;
use crate::access::principal::RAILWAY_FORCE;
use crate::access::principal::Role;
use crate::model::CollectionClass;
use crate::model::CollectionSchema;
use crate::model::Sensitivity;

/// The version of the file's form that this program reads.
const VERSION: u32 = 1;
const DEFAULT: &str = include_str!("../../data/policy/default.toml");

/// A policy that was read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    name: String,
    reference: Rules,
    layers: Rules,
    collections: BTreeMap<String, Entry>,
}

/// A rule for each role, in the order of [`Role::ALL`].
type Rules = Vec<PolicyRule>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    parties: Vec<PartyRule>,
    people: bool,
    rules: Rules,
}

/// Where a force stands that a row concerns.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum PartyRule {
    /// In a field.
    Field(String),
    /// Several in a field, with a separator.
    Each(PartyEach),
    /// This force, where a field has a value.
    Where(PartyWhere),
    /// In the rows of another collection that name this one in a field.
    Of(PartyOf),
}

/// See [`PartyRule::Each`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyEach {
    /// The field.
    pub each: String,
    /// What stands between two.
    pub between: char,
}

/// See [`PartyRule::Where`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyWhere {
    /// The field.
    pub field: String,
    /// Its value.
    pub is: String,
    /// The force.
    pub force: String,
}

/// See [`PartyRule::Of`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyOf {
    /// The other collection.
    pub collection: String,
    /// Its field that holds the id of a row here.
    pub by: String,
}

/// Why a policy was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// The file is not as it should be.
    #[error("policy line {line}: {message}")]
    File {
        /// One-based.
        line: usize,
        /// What is wrong and what would be right.
        message: String,
    },
    /// It does not fit the store.
    #[error("the policy {name:?}: {message}")]
    Store {
        /// The policy's name.
        name: String,
        /// What is missing.
        message: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    name: String,
    reference: RawEntry,
    layers: RawEntry,
    #[serde(default)]
    collections: BTreeMap<String, RawEntry>,
}

#[derive(Deserialize)]
struct RawEntry {
    #[serde(default)]
    parties: Vec<PartyRule>,
    #[serde(default)]
    about_people: bool,
    #[serde(flatten)]
    rules: BTreeMap<String, toml::Value>,
}

impl Policy {
    /// The policy that comes with the program.
    ///
    /// # Errors
    /// [`PolicyError`], which a test rules out.
    pub fn built_in() -> Result<Self, PolicyError> {
        Self::parse(DEFAULT)
    }

    /// Reads and checks a policy.
    ///
    /// # Errors
    /// [`PolicyError::File`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let file: File = toml::from_str(text).map_err(|error| PolicyError::File {
            line: error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count()),
            message: error.message().to_owned(),
        })?;
        if file.version != VERSION {
            let message =
                format!("version = {} is not known here: this program reads {VERSION}", file.version);
            return Err(PolicyError::File { line: line_of(text, "version"), message });
        }
        let mut collections = BTreeMap::new();
        for (id, raw) in file.collections {
            let head = format!("[collections.{id}]");
            let (parties, people) = (raw.parties.clone(), raw.about_people);
            let rules = rules(raw).map_err(|message| PolicyError::File {
                line: line_of(text, &head),
                message: format!("{head}: {message}"),
            })?;
            collections.insert(id, Entry { parties, people, rules });
        }
        for (id, entry) in &collections {
            let others = entry.parties.iter().filter(|rule| matches!(rule, PartyRule::Of(_)));
            if others.count() > 1 {
                return Err(PolicyError::File {
                    line: line_of(text, &format!("[collections.{id}]")),
                    message: format!("[collections.{id}]: parties come from one other collection at most"),
                });
            }
            for rule in &entry.parties {
                if let PartyRule::Of(PartyOf { collection, .. }) = rule
                    && collections.get(collection).is_none_or(Entry::takes_from_another)
                {
                    return Err(PolicyError::File {
                        line: line_of(text, &format!("[collections.{id}]")),
                        message: format!(
                            "[collections.{id}]: its parties are those of {collection:?}, which must be a collection here whose own come from its fields"
                        ),
                    });
                }
            }
        }
        let whole = |head: &str, raw: RawEntry| {
            if !raw.parties.is_empty() || raw.about_people {
                return Err(PolicyError::File {
                    line: line_of(text, head),
                    message: format!(
                        "{head}: parties and about_people stand under a collection of the register"
                    ),
                });
            }
            rules(raw).map_err(|message| PolicyError::File {
                line: line_of(text, head),
                message: format!("{head}: {message}"),
            })
        };
        Ok(Self {
            name: file.name,
            reference: whole("[reference]", file.reference)?,
            layers: whole("[layers]", file.layers)?,
            collections,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has rules for every collection of a store, and names only fields that there are.
    ///
    /// # Errors
    /// [`PolicyError::Store`].
    pub fn check<'a>(&self, schemas: impl Iterator<Item = &'a CollectionSchema>) -> Result<(), PolicyError> {
        let fault = |message| Err(PolicyError::Store { name: self.name.clone(), message });
        let schemas: Vec<&CollectionSchema> = schemas.collect();
        for schema in &schemas {
            let id = &schema.id;
            if !matches!(schema.class, CollectionClass::Register | CollectionClass::Release) {
                if self.collections.contains_key(id) {
                    let head =
                        if schema.class == CollectionClass::Reference { "reference" } else { "layers" };
                    return fault(format!(
                        "[collections.{id}] speaks of a collection that is none of the register: [{head}] decides who sees it"
                    ));
                }
                continue;
            }
            let Some(entry) = self.collections.get(id) else {
                return fault(format!(
                    "the store's register has the collection {id:?}, for which it has no rules: add [collections.{id}] with one for each of {}",
                    Role::ALL.map(Role::as_str).join(", ")
                ));
            };
            let own = entry.parties.iter().filter_map(|rule| match rule {
                PartyRule::Field(field)
                | PartyRule::Each(PartyEach { each: field, .. })
                | PartyRule::Where(PartyWhere { field, .. }) => Some(field),
                PartyRule::Of(_) => None,
            });
            for rule in &entry.parties {
                if let PartyRule::Of(PartyOf { collection, by }) = rule
                    && let Some(other) = schemas.iter().find(|other| other.id == *collection)
                    && other.position(by).is_none()
                {
                    return fault(format!(
                        "[collections.{id}] names the field {by:?}, which {collection:?} has not"
                    ));
                }
            }
            let without = entry.rules.iter().flat_map(|rule| rule.fields.without.iter());
            if let Some(field) = own.chain(without).find(|field| schema.position(field).is_none()) {
                return fault(format!(
                    "[collections.{id}] names the field {field:?}, which that collection has not"
                ));
            }
        }
        Ok(())
    }

    /// Where the forces stand that a collection's rows concern.
    #[must_use]
    pub fn parties(&self, id: &str) -> &[PartyRule] {
        self.collections.get(id).map_or(&[], |entry| &entry.parties)
    }

    /// Whether a collection is about people: no cache may hold answers with its rows.
    #[must_use]
    pub fn is_about_people(&self, id: &str) -> bool {
        self.collections.get(id).is_some_and(|entry| entry.people)
    }

    /// What `principal` sees of a collection.
    #[must_use]
    pub fn entitlement(
        &self,
        principal: &Principal,
        schema: &CollectionSchema,
        regions: &Regions,
    ) -> Entitlement {
        let Some(role) = principal.role() else { return Entitlement::everything() };
        let Some(rule) = self.rule(role, schema) else { return Entitlement::nothing() };
        if rule.reason && !principal.has_reason() {
            return Entitlement::nothing();
        }
        let rows = match (rule.rows, role.own(), principal.own()) {
            (RowsWord::All, ..) => RowRule::All,
            (RowsWord::Open, ..) => RowRule::UpTo(Sensitivity::Open),
            (RowsWord::Party, OwnKind::Force, forces) => RowRule::Party(forces.into()),
            (RowsWord::Party, OwnKind::Nothing, _) if role == Role::BtpPlanner => {
                RowRule::Party([RAILWAY_FORCE.to_owned()].into())
            }
            (RowsWord::Region, OwnKind::Region, [region]) => RowRule::Party(regions.forces(region)),
            (RowsWord::Others, OwnKind::Force, forces) => RowRule::Others(forces.into()),
            (RowsWord::Others, OwnKind::Region, [region]) => RowRule::Others(regions.forces(region)),
            (RowsWord::Areas, OwnKind::Areas, areas) => RowRule::Areas(areas.into()),
            (RowsWord::Owner, OwnKind::Force, [force]) => RowRule::Owner(force.clone()),
            (RowsWord::Owner, ..) if role == Role::NationalAnalyst => RowRule::Owner(LOCAL_OWNER.to_owned()),
            (RowsWord::Owner, ..) if role == Role::BtpPlanner => RowRule::Owner(RAILWAY_FORCE.to_owned()),
            // Who has no force or region holds nothing and is party to nothing.
            (
                RowsWord::None
                | RowsWord::Party
                | RowsWord::Region
                | RowsWord::Owner
                | RowsWord::Others
                | RowsWord::Areas,
                ..,
            ) => RowRule::Nothing,
        };
        // An imported layer is open to anyone only if its import said so.
        let rows = match (rule.rows, rows) {
            (RowsWord::Open, _) if schema.class == CollectionClass::Layer && !schema.open => RowRule::Nothing,
            (RowsWord::Owner, RowRule::Owner(owner)) if schema.open => RowRule::OwnerOrOpen(owner),
            (RowsWord::Owner, RowRule::Nothing) if schema.open => RowRule::UpTo(Sensitivity::Open),
            (_, rows) => rows,
        };
        if rows == RowRule::Nothing {
            return Entitlement::nothing();
        }
        Entitlement { rows, fields: rule.fields.clone() }
    }

    /// Whether a collection would be there for `principal` if they gave a reason, and is not without one.
    #[must_use]
    pub fn wants_reason(&self, principal: &Principal, schema: &CollectionSchema) -> bool {
        let rule = principal.role().and_then(|role| self.rule(role, schema));
        rule.is_some_and(|rule| rule.reason && rule.rows != RowsWord::None) && !principal.has_reason()
    }

    /// The register's collections for which that is so, whether a store has them or not.
    #[must_use]
    pub fn wanting_reason(&self, principal: &Principal) -> Vec<&str> {
        let place = Role::ALL.iter().position(|role| Some(*role) == principal.role());
        let Some(place) = place.filter(|_| !principal.has_reason()) else { return Vec::new() };
        let wants = |entry: &Entry| entry.rules[place].reason && entry.rules[place].rows != RowsWord::None;
        self.collections.iter().filter(|(_, entry)| wants(entry)).map(|(id, _)| id.as_str()).collect()
    }

    fn rule(&self, role: Role, schema: &CollectionSchema) -> Option<&PolicyRule> {
        let rules = match schema.class {
            CollectionClass::Reference => &self.reference,
            CollectionClass::Layer => &self.layers,
            CollectionClass::Register | CollectionClass::Release => &self.collections.get(&schema.id)?.rules,
        };
        Role::ALL.iter().position(|known| *known == role).map(|place| &rules[place])
    }
}

impl Entry {
    fn takes_from_another(&self) -> bool {
        self.parties.iter().any(|rule| matches!(rule, PartyRule::Of(_)))
    }
}

/// The line of the first text like `wanted`, one-based.
fn line_of(text: &str, wanted: &str) -> usize {
    text.lines().position(|line| line.trim_start().starts_with(wanted)).map_or(1, |place| place + 1)
}

/// The rules of every role, or what is wrong with them.
fn rules(raw: RawEntry) -> Result<Rules, String> {
    let RawEntry { mut rules, .. } = raw;
    let mut read = Vec::with_capacity(Role::ALL.len());
    for role in Role::ALL {
        let word = role.as_str();
        let rule = rules.remove(word).ok_or_else(|| format!("there is no rule for {word}"))?;
        let rule = PolicyRule::of(rule).map_err(|message| format!("{word}: {message}"))?;
        if !rule.rows.fits(role) {
            return Err(format!("{word}: this role has nothing that the word speaks of: say \"none\""));
        }
        if rule.reason && role == Role::Public {
            return Err(format!(
                "{word}: a public caller has no name to give a reason under: leave out reason = true"
            ));
        }
        read.push(rule);
    }
    if let Some(word) = rules.keys().next() {
        let known = Role::ALL.map(Role::as_str).join(", ");
        return Err(format!("{word:?} is no role: there are {known}"));
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Provenance;
    use crate::model::RowRights;
    use crate::model::collections::built_in;

    fn regions() -> Regions {
        Regions::new([("kent", "south-east"), ("essex", "eastern"), ("sussex", "south-east")].into_iter())
    }

    fn of(who: &str, collection: &str) -> Entitlement {
        let schema = built_in(collection).unwrap().unwrap();
        Policy::built_in().unwrap().entitlement(&Principal::parse(who).unwrap(), &schema, &regions())
    }

    #[test]
    fn the_policy_that_comes_with_the_program_has_a_line_for_all_that_comes_with_it() {
        let policy = Policy::built_in().unwrap();
        let schemas: Vec<CollectionSchema> = crate::model::collections::BUILT_IN
            .iter()
            .map(|(id, _)| built_in(id).unwrap().unwrap())
            .collect();
        assert_eq!(policy.check(schemas.iter()), Ok(()));
        let mut new = schemas[0].clone();
        (new.id, new.class) = ("informants".to_owned(), CollectionClass::Register);
        let fault = policy.check([&new].into_iter()).unwrap_err().to_string();
        assert!(fault.contains("informants") && fault.contains("btp-planner"), "{fault}");
    }

    /// Table 3.2 of the specification, as far as it speaks of rows that are exact.
    #[test]
    fn roles_see_what_the_table_says() {
        let row =
            |owner: &str, parties: &[&str]| RowRights::new(Provenance::open(owner), parties.iter().copied());
        let (own, theirs) = (row("kent", &[]), row("essex", &[]));
        let (ours_too, rail) = (row("essex", &["kent"]), row("essex", &["btp"]));
        let seen = |who: &str, collection: &str| {
            let entitlement = of(who, collection);
            [&own, &theirs, &ours_too, &rail].map(|row| entitlement.admits(row))
        };
        let nothing = [false; 4];
        for collection in ["lines", "legs", "sightings", "exposures"] {
            assert_eq!(seen("public", collection), nothing);
            assert_eq!(seen("partner:E10000016", collection), nothing);
            assert_eq!(seen("force-analyst:kent", collection), [true, false, true, false], "{collection}");
            assert_eq!(seen("regional-analyst:south-east", collection), [true, false, true, false]);
            assert_eq!(seen("regional-analyst:eastern", collection), [false, true, true, true]);
            assert_eq!(seen("btp-planner", collection), [false, false, false, true]);
            assert_eq!(seen("admin", collection), nothing);
            assert_eq!(seen("auditor", collection), nothing);
        }
        assert_eq!(seen("national-analyst", "lines"), [true; 4]);
        assert_eq!(seen("national-analyst", "addresses"), nothing);
        assert_eq!(seen("btp-planner", "numbers"), nothing);
        assert_eq!(seen("force-analyst:kent", "numbers"), [true, false, false, false], "own holdings only");
        for role in ["public", "partner:x", "force-analyst:kent", "national-analyst", "btp-planner", "admin"]
        {
            assert_eq!(of(role, "stations").rows, RowRule::UpTo(Sensitivity::Open), "{role}");
        }
        assert_eq!(of("auditor", "stations"), Entitlement::nothing(), "the auditor sees no map");
    }

    #[test]
    fn a_layer_is_its_owner_s_or_everyone_s() {
        let policy = Policy::built_in().unwrap();
        let mut schema = CollectionSchema::layer("mine");
        let row = |owner: &str| RowRights::new(Provenance::open(owner), [].into_iter());
        let mut secret = row("kent");
        secret.provenance.sensitivity = Sensitivity::Limited;
        let seen = |who: &str, schema: &CollectionSchema| {
            let entitlement = policy.entitlement(&Principal::parse(who).unwrap(), schema, &regions());
            [row("kent"), row(LOCAL_OWNER), secret.clone()].map(|row| entitlement.admits(&row))
        };
        for (who, own, open) in [
            ("public", [false; 3], [true, true, false]),
            ("partner:E10000016", [false; 3], [true, true, false]),
            ("force-analyst:kent", [true, false, true], [true; 3]),
            ("force-analyst:essex", [false; 3], [true, true, false]),
            ("regional-analyst:south-east", [false; 3], [true, true, false]),
            ("national-analyst", [false, true, false], [true, true, false]),
            ("btp-planner", [false; 3], [true, true, false]),
            ("admin", [false; 3], [true, true, false]),
            ("auditor", [false; 3], [false; 3]),
        ] {
            schema.open = false;
            assert_eq!(seen(who, &schema), own, "{who}");
            schema.open = true;
            assert_eq!(seen(who, &schema), open, "{who}");
        }
        let none = DEFAULT.replace("[layers]\npublic = \"open\"", "[layers]\npublic = \"none\"");
        assert_ne!(none, DEFAULT);
        let strict = Policy::parse(&none).unwrap();
        let entitlement = strict.entitlement(&Principal::Anonymous, &schema, &regions());
        assert_eq!(entitlement, Entitlement::nothing(), "a policy may say that no layer is for everyone");
    }

    #[test]
    fn homes_are_shown_for_a_reason_only() {
        let (policy, schema) = (Policy::built_in().unwrap(), built_in("addresses").unwrap().unwrap());
        let analyst = Principal::parse("force-analyst:kent").unwrap();
        assert_eq!(policy.entitlement(&analyst, &schema, &regions()), Entitlement::nothing());
        assert!(policy.wants_reason(&analyst, &schema));
        let with = analyst.with_reason();
        assert!(!policy.wants_reason(&with, &schema));
        assert!(
            policy
                .entitlement(&with, &schema, &regions())
                .admits(&RowRights::new(Provenance::open("kent"), [].into_iter()))
        );
        let planner = Principal::parse("btp-planner").unwrap().with_reason();
        assert_eq!(
            policy.entitlement(&planner, &schema, &regions()),
            Entitlement::nothing(),
            "no reason is enough for some"
        );
    }

    #[test]
    fn the_railway_s_lines_have_no_names() {
        let names = |who: &str| {
            let schema = built_in("lines").unwrap().unwrap();
            let shown = of(who, "lines").fields.of(&schema);
            shown.map(|places| {
                places.iter().map(|place| schema.fields[*place].name.clone()).collect::<Vec<_>>()
            })
        };
        assert_eq!(names("national-analyst"), None);
        let planner = names("btp-planner").unwrap();
        assert!(planner.contains(&"hub".to_owned()) && !planner.contains(&"brand".to_owned()));
    }

    #[test]
    fn faults_name_their_line_and_what_would_be_right() {
        let line = DEFAULT.lines().position(|line| line == "[collections.legs]").unwrap() + 1;
        for (from, to, wanted, words) in [
            ("version = 1", "version = 2", None, vec!["version = 2", "reads 1"]),
            ("name = \"default\"", "nam = \"default\"", None, vec!["nam"]),
            (
                "[collections.legs]\n",
                "[collections.legs]\nchief = \"all\"\n",
                Some(line),
                vec!["chief", "force-analyst"],
            ),
            ("[collections.legs]\n", "[collections.legs]\nrows = 1\n", Some(line), vec!["rows", "no role"]),
            ("\"party\"", "\"everything\"", None, vec!["everything", "party"]),
            ("reason = true", "raeson = true", None, vec!["raeson"]),
            ("collection = \"legs\"", "collection = \"links\"", None, vec!["links"]),
        ] {
            assert!(DEFAULT.contains(from), "{from}");
            let error = Policy::parse(&DEFAULT.replace(from, to)).unwrap_err();
            let text = error.to_string();
            assert!(words.iter().all(|word| text.contains(word)), "{text}");
            if let (Some(wanted), PolicyError::File { line, .. }) = (wanted, &error) {
                assert_eq!(*line, wanted, "{text}");
            }
        }
        for (from, to, word) in [
            ("[layers]\n", "[layers]\nabout_people = true\n", "under a collection"),
            (
                "{ collection = \"legs\", by = \"line\" }",
                "{ collection = \"legs\", by = \"line\" }, { collection = \"closures\", by = \"line\" }",
                "one other",
            ),
            ("public = \"none\"", "public = \"party\"", "speaks of"),
            ("national-analyst = \"all\"", "national-analyst = \"others\"", "speaks of"),
            (
                "public = \"none\"\npartner = \"none\"\nforce",
                "public = { rows = \"all\", reason = true }\npartner = \"none\"\nforce",
                "no name",
            ),
        ] {
            let error = Policy::parse(&DEFAULT.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
        let schemas: Vec<CollectionSchema> = crate::model::collections::BUILT_IN
            .iter()
            .map(|(id, _)| built_in(id).unwrap().unwrap())
            .collect();
        for (from, to, word) in [
            ("by = \"line\"", "by = \"lien\"", "lien"),
            ("without = [\"grade\"]", "without = [\"grad\"]", "grad"),
            ("[collections.legs]", "[collections.hubs]\nCELLS\n[collections.legs]", "none of the register"),
        ] {
            let cells = Role::ALL.map(|role| format!("{} = \"none\"", role.as_str())).join("\n");
            let policy = Policy::parse(&DEFAULT.replacen(from, &to.replace("CELLS", &cells), 1)).unwrap();
            let fault = policy.check(schemas.iter()).unwrap_err().to_string();
            assert!(fault.contains(word), "{fault}");
        }
        let missing = DEFAULT.replacen("auditor = \"none\"\n", "", 1);
        assert!(Policy::parse(&missing).unwrap_err().to_string().contains("no rule for auditor"));
    }
}
