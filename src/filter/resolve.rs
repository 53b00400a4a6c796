//! Names of properties to places of fields, through references.

use std::sync::Arc;

use crate::access::CollectionView;
use crate::access::View;
use crate::filter::FilterError;
use crate::filter::MAX_HOPS;
use crate::filter::node::Hop;
use crate::filter::node::Path;
use crate::filter::text::short;
use crate::filter::value::Type;
use crate::model::FieldSchema;

/// The name of the row's geometry, where no field has it.
pub const GEOMETRY: &str = "geometry";
/// The most names that a message lists.
const MOST_NAMES: usize = 50;

/// What a name means.
#[derive(Debug)]
pub enum Resolved {
    /// A field, here or at the end of references.
    Field(Path, Type),
    /// The row's own geometry.
    Geometry,
    /// The geometry of a row at the end of references.
    GeometryOf(Path),
}

/// What a name means for rows of a collection. A field whose whole name it is comes before a path, and the shorter
/// first part of a path before a longer one.
///
/// # Errors
/// [`FilterError::UnknownProperty`], the same for a name that there is not and for one that may not be used;
/// [`FilterError::LongPath`].
pub fn resolve(view: &View, collection: &CollectionView, name: &str) -> Result<Resolved, FilterError> {
    if let Some((place, field)) = field(collection, name) {
        return Ok(Resolved::Field(
            Path { field: place, hops: Vec::new() },
            Type::of_field(field.field_type),
        ));
    }
    if name == GEOMETRY {
        return Ok(Resolved::Geometry);
    }
    let mut unknown = (String::new(), collection);
    for (dot, _) in name.match_indices('.') {
        let Some((place, target)) = reference(view, collection, &name[..dot]) else { continue };
        let mut hops = Vec::new();
        match follow(view, target, &name[dot + 1..], &mut hops) {
            Ok(End::Field(kind)) => return Ok(Resolved::Field(Path { field: place, hops }, kind)),
            Ok(End::Geometry) => return Ok(Resolved::GeometryOf(Path { field: place, hops })),
            Ok(End::TooFar) => return Err(FilterError::LongPath { name: short(name) }),
            Err(Unknown) => unknown = (name[..=dot].to_owned(), target),
        }
    }
    let (before, collection) = unknown;
    Err(FilterError::UnknownProperty { name: short(name), known: known(collection, &before) })
}

/// No such name.
struct Unknown;

/// Where a path ends.
enum End {
    Field(Type),
    Geometry,
    /// Beyond more references than there may be.
    TooFar,
}

/// Follows a path on from a collection.
fn follow(
    view: &View,
    target: &Arc<CollectionView>,
    name: &str,
    hops: &mut Vec<Hop>,
) -> Result<End, Unknown> {
    if hops.len() == MAX_HOPS {
        return Ok(End::TooFar);
    }
    let hop = |field| Hop { target: Arc::clone(target), field };
    if let Some((place, field)) = field(target, name) {
        hops.push(hop(Some(place)));
        return Ok(End::Field(Type::of_field(field.field_type)));
    }
    if name == GEOMETRY {
        hops.push(hop(None));
        return Ok(End::Geometry);
    }
    for (dot, _) in name.match_indices('.') {
        let Some((place, next)) = reference(view, target, &name[..dot]) else { continue };
        hops.push(hop(Some(place)));
        match follow(view, next, &name[dot + 1..], hops) {
            Err(Unknown) => drop(hops.pop()),
            found => return found,
        }
    }
    Err(Unknown)
}

/// A field that filters may use, and its place.
fn field<'a>(collection: &'a CollectionView, name: &str) -> Option<(usize, &'a FieldSchema)> {
    let place = collection.schema().position(name)?;
    let field = &collection.schema().fields[place];
    field.queryable.then_some((place, field))
}

/// The place of a field that refers to another collection, and the view's part of that.
fn reference<'a>(
    view: &'a View,
    collection: &CollectionView,
    name: &str,
) -> Option<(usize, &'a Arc<CollectionView>)> {
    let (place, field) = field(collection, name)?;
    Some((place, view.collection(field.references.as_deref()?)?))
}

/// Names that there are, with commas between them.
pub fn known(collection: &CollectionView, before: &str) -> String {
    let fields = collection.schema().fields.iter().filter(|field| field.queryable);
    let names: Vec<String> = fields.map(|field| format!("{before}{}", field.name)).collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    let more = if names.len() > MOST_NAMES {
        format!(" and {} more", names.len() - MOST_NAMES)
    } else {
        String::new()
    };
    names[..names.len().min(MOST_NAMES)].join(", ") + &more
}
