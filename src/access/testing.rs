//! Views of made-up rows, for the tests of rooms that look at views.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::access::View;
use crate::access::view::CollectionView;
use crate::model::CollectionSchema;
use crate::model::Provenance;
use crate::model::Row;
use crate::model::RowId;
use crate::model::RowRights;
use crate::model::ValueRef;
use crate::snapshot::RawRows;
use crate::snapshot::Version;
use crate::snapshot::build_collection;

/// A view in which all rows are seen. Each list of rows becomes row groups of its own; rows without id and public id
/// are numbered.
pub fn view(collections: Vec<(CollectionSchema, Vec<Vec<Row>>)>) -> View {
    let rights = Arc::new(RowRights::new(Provenance::open("us"), std::iter::empty()));
    let version = Version { sequence: 1, parties: None };
    let mut number = 0;
    let mut part = |(schema, parts): (CollectionSchema, Vec<Vec<Row>>)| {
        let schema = Arc::new(schema);
        let mut groups = Vec::new();
        for rows in parts {
            let mut raw = RawRows::new(&schema);
            for row in rows {
                number += 1;
                let numbered = || RowId(number);
                let id = row.id.or(row.public_id.as_deref().map(RowId::from_public)).unwrap_or_else(numbered);
                let values: Vec<ValueRef<'_>> = row.values.iter().map(|value| value.as_ref()).collect();
                let geometry = row.geometry.as_ref().map(|geometry| geometry.as_ref());
                raw.push(id, row.public_id.as_deref(), &rights, geometry, &values, None);
            }
            groups.extend(build_collection(Arc::clone(&schema), &[raw], version, 0).groups);
        }
        let id = schema.id.clone();
        (id, Arc::new(CollectionView::new(schema, groups, false, &Arc::default())))
    };
    let parts: BTreeMap<String, Arc<CollectionView>> = collections.into_iter().map(&mut part).collect();
    View::of_parts(parts)
}
