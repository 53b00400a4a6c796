//! The built-in collections: typed handles made from `data/schema/*.toml` at build time.
//!
//! A field that is renamed or retyped in a schema file breaks every use of its handle at compile time. A handle knows the
//! field's name and not its place: a store may be older than the program, and a caller may not see every field, so that
//! the place is that in the schema of the rows at hand (`CollectionView::place`).

use std::marker::PhantomData;

use crate::model::schema::CollectionSchema;
use crate::model::schema::SchemaError;

/// A field of a built-in collection whose values have the type `T`
/// (`bool`, `i64` for integers, days and microseconds, `f64`, `str`).
#[derive(Debug)]
pub struct Field<T: ?Sized> {
    name: &'static str,
    value: PhantomData<fn() -> Box<T>>,
}

impl<T: ?Sized> Field<T> {
    const fn new(name: &'static str) -> Self {
        Self { name, value: PhantomData }
    }

    /// The public name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

include!(concat!(env!("OUT_DIR"), "/collections.rs"));

/// The schema of a built-in collection, or `None` if there is none of that id.
///
/// # Errors
/// [`SchemaError`] if the text is refused, which the build has ruled out.
pub fn built_in(id: &str) -> Result<Option<CollectionSchema>, SchemaError> {
    BUILT_IN.iter().find(|(name, _)| *name == id).map(|(_, text)| CollectionSchema::parse(text)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_and_run_time_descriptors_agree() {
        for (id, text) in BUILT_IN {
            assert_eq!(CollectionSchema::parse(text).unwrap().id, *id);
        }
        let stations = built_in("stations").unwrap().unwrap();
        assert!(stations.position(stations::CRS.name()).is_some());
        for id in ["stations", "hubs"] {
            let stored = built_in(id).unwrap().unwrap().stored();
            let names: Vec<&str> = stored.fields.iter().map(|field| &*field.name).collect();
            assert_eq!(names, if id == "hubs" { hubs::FIELDS } else { stations::FIELDS });
        }
        assert!(built_in("no-such").unwrap().is_none());
    }
}
