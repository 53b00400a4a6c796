//! Small worlds for the tests of this room.

use std::sync::Arc;

use crate::access::Gate;
use crate::access::Policy;
use crate::access::Principal;
use crate::access::View;
use crate::model::CollectionClass;
use crate::model::GeometryType;
use crate::model::Provenance;
use crate::model::Row;
use crate::model::Value;
use crate::model::collections::built_in;
use crate::model::collections::hubs;
use crate::model::collections::legs;
use crate::model::collections::lines;
use crate::model::collections::towns;
use crate::model::geometry::GeometryBuilder;
use crate::snapshot::HeldBytes;
use crate::store::Store;

/// The id of a force.
pub fn force(number: usize) -> String {
    format!("force-{number}")
}

/// Named fields, a point or a line, the public id, the owner.
pub type Made = (Vec<(&'static str, Value)>, Vec<(f64, f64)>, String, String);

/// Adds rows to a built-in collection; those of the register are synthetic.
pub fn add(store: &Store, id: &'static str, rows: Vec<Made>) {
    store
        .write(move |transaction| {
            let schema = built_in(id).unwrap().unwrap().stored();
            let mut appender = transaction.appender(
                schema.clone(),
                Provenance {
                    synthetic: schema.class == CollectionClass::Register,
                    ..Provenance::open("reference")
                },
            )?;
            for (named, path, public_id, owner) in rows {
                let mut values = vec![Value::Null; schema.fields.len()];
                for (name, value) in named {
                    values[schema.position(name).unwrap()] = value;
                }
                let kind = if path.len() == 1 { GeometryType::Point } else { GeometryType::LineString };
                let mut geometry = GeometryBuilder::new(kind);
                for (lon, lat) in path {
                    geometry.position(lon, lat).unwrap();
                }
                let _ = geometry.end_ring();
                geometry.end_part();
                let row = Row { id: None, public_id: Some(public_id), geometry: geometry.finish(), values };
                let provenance = Provenance {
                    synthetic: schema.class == CollectionClass::Register,
                    ..Provenance::open(&owner)
                };
                appender.append_as(&row, &provenance)?;
            }
            appender.finish("test")?;
            Ok(())
        })
        .unwrap();
}

/// A text as a value.
pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A line of each force with two legs, one of them over on the day of the picture; all from one hub to one town.
pub fn world(forces: usize) -> (tempfile::TempDir, Arc<Store>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open_or_create(&folder.path().join("s.gpkg")).unwrap());
    let place = |id: &'static str| {
        vec![(
            vec![("id", text(id)), ("name", text(id))],
            vec![(0.0, 52.0)],
            id.to_owned(),
            "reference".to_owned(),
        )]
    };
    add(&store, hubs::COLLECTION, place("hub"));
    add(&store, towns::COLLECTION, place("town"));
    let line =
        |number: usize| (vec![("brand", text("X"))], Vec::new(), format!("line-{number}"), force(number));
    add(&store, lines::COLLECTION, (0..forces).map(line).collect());
    let leg = |number: usize, over: bool| {
        let mut named = vec![
            ("line", text(&format!("line-{number}"))),
            ("hub", text("hub")),
            ("town", text("town")),
            ("active_from", Value::Date(19_000)),
        ];
        if over {
            named.push(("active_to", Value::Date(19_100)));
        }
        let to = (1.0 + number as f64 / 1_000.0, 51.0);
        (named, vec![(0.0, 52.0), to], format!("leg-{number}-{over}"), force(number))
    };
    let legs = (0..forces).flat_map(|number| [leg(number, false), leg(number, true)]);
    add(&store, legs::COLLECTION, legs.collect());
    // 30 April 2024 is day 19,843.
    store.write(|transaction| transaction.set_reference_date("2024-04-30")).unwrap();
    (folder, store)
}

/// With what is computed of legs.
pub fn open(store: &Arc<Store>) -> Gate {
    let policy = Policy::built_in().unwrap();
    Gate::with_derivations(policy, Arc::clone(store), &crate::flow::DERIVATIONS).unwrap()
}

/// The analyst of a force.
pub fn analyst(number: usize) -> Principal {
    Principal::parse(&format!("force-analyst:{}", force(number))).unwrap()
}

/// Values of a collection's field, and how many parts each geometry has.
pub fn seen(view: &View, id: &str, field: &str) -> Vec<(String, usize)> {
    let Some(part) = view.collection(id) else { return Vec::new() };
    let place = part.schema().position(field);
    let mut seen = Vec::new();
    for group in part.groups() {
        for row in 0..group.len() {
            let value = place.map_or_else(String::new, |place| group.value(place, row).to_text());
            seen.push((value, group.geometry(row).map_or(0, |geometry| geometry.parts().count())));
        }
    }
    seen
}

/// A value of as many bytes as it says.
#[derive(Debug)]
pub struct Wanted(pub usize);

impl HeldBytes for Wanted {
    fn held_bytes(&self) -> usize {
        self.0
    }
}
