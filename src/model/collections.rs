//! The built-in collections: typed handles made from `data/schema/*.toml` at build time.
//!
//! A field that is renamed or retyped in a schema file breaks every use of its handle at compile time.

use std::marker::PhantomData;

use crate::model::schema::CollectionSchema;
use crate::model::schema::SchemaError;

/// A field of a built-in collection whose values have the type `T`
/// (`bool`, `i64` for integers, days and microseconds, `f64`, `str`).
#[derive(Debug)]
pub struct Field<T: ?Sized> {
    name: &'static str,
    index: usize,
    value: PhantomData<fn() -> Box<T>>,
}

impl<T: ?Sized> Field<T> {
    const fn new(name: &'static str, index: usize) -> Self {
        Self { name, index, value: PhantomData }
    }

    /// The public name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The place among the schema's fields.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
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
        assert_eq!(stations.position(stations::CRS.name()), Some(stations::CRS.index()));
        assert!(built_in("no-such").unwrap().is_none());
    }
}
