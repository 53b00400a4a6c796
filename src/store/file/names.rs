//! Safe table and column names: any public name gets one, the same one every time.

use crate::model::schema::CollectionSchema;
use crate::model::schema::FieldType;

/// System columns that a scan reads, in its order.
pub(in crate::store) const SYSTEM_OF_SCAN: [&str; 10] = [
    "fid",
    "id",
    "public_id",
    "owner",
    "marking",
    "handling",
    "sensitivity",
    "synthetic",
    "geom",
    "row_hash",
];

/// System columns of every collection table, in their order. `fid` lives inside the file only.
pub(in crate::store) const SYSTEM_COLUMNS: [&str; 15] = [
    "fid",
    "geom",
    "id",
    "public_id",
    "owner",
    "marking",
    "handling",
    "sensitivity",
    "synthetic",
    "valid_from",
    "valid_to",
    "recorded_at",
    "superseded_at",
    "source_ref",
    "row_hash",
];

/// A name between double quotes, as SQL wants it.
#[must_use]
pub(in crate::store) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names that no field's column may have.
pub(in crate::store) fn taken() -> Vec<String> {
    SYSTEM_COLUMNS.iter().copied().chain(["rowid", "oid", "_rowid_"]).map(str::to_owned).collect()
}

/// The index of a table's current rows by id. No table of rows begins like this.
pub(in crate::store) fn id_index(table: &str) -> String {
    format!("throughline_id_{table}")
}

/// The index of a table's current rows without public id by the first bytes of their hashes.
pub(in crate::store) fn hash_index(table: &str) -> String {
    format!("throughline_hash_{table}")
}

/// The column for each field of a new table: lower-case letters, digits and underscores, none twice, none of the
/// system's. The store remembers them (`throughline_columns`).
#[must_use]
pub(in crate::store) fn columns(schema: &CollectionSchema) -> Vec<String> {
    let mut taken = taken();
    schema.fields.iter().map(|field| free_name(&field.name, &mut taken)).collect()
}

/// A name near `wanted` that is not in `taken` (compared without case); it is added there.
pub(in crate::store) fn free_name(wanted: &str, taken: &mut Vec<String>) -> String {
    let mut base: String = wanted
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .take(60)
        .collect();
    if !base.starts_with(|c: char| c.is_ascii_lowercase()) {
        base.insert_str(0, "f_");
    }
    let mut name = base.clone();
    let mut number = 2;
    while taken.contains(&name) {
        name = format!("{base}_{number}");
        number += 1;
    }
    taken.push(name.clone());
    name
}

/// The table of a new collection: its id where that is free and plain, else something near it.
#[must_use]
pub(in crate::store) fn table(id: &str, taken: &[String]) -> String {
    let mut taken: Vec<String> = taken.iter().map(|name| name.to_ascii_lowercase()).collect();
    let lower = id.to_ascii_lowercase();
    let reserved =
        ["gpkg_", "rtree_", "sqlite_", "throughline_"].iter().any(|prefix| lower.starts_with(prefix));
    let plain = lower.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain && !reserved && !taken.contains(&lower) && lower.starts_with(|c: char| c.is_ascii_lowercase()) {
        return lower;
    }
    free_name(&format!("layer_{lower}"), &mut taken)
}

/// The SQL type of a field's column, one that GIS programs know.
pub(in crate::store) fn sql_type(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::Boolean => "BOOLEAN",
        FieldType::Integer => "INTEGER",
        FieldType::Number => "DOUBLE",
        FieldType::Text | FieldType::List | FieldType::Json => "TEXT",
        FieldType::Date => "DATE",
        FieldType::Timestamp => "DATETIME",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_gets_its_own_column() {
        let fields = ["fid", "ID", "id", "owner", "a.b", "a b", "ä", "", "select", "7"];
        let mut schema = CollectionSchema::layer("x");
        let text: String = fields
            .iter()
            .filter(|name| !name.is_empty())
            .map(|name| format!("[[field]]\nname = \"{name}\"\ntype = \"text\"\n"))
            .collect();
        schema.fields = CollectionSchema::parse(&format!("id='x'\nclass='layer'\ngeometry='any'\n{text}"))
            .unwrap()
            .fields;
        let columns = columns(&schema);
        assert_eq!(columns, ["fid_2", "id_2", "id_3", "owner_2", "a_b", "a_b_2", "f__", "select", "f_7"]);
        assert_eq!(table("Hubs", &["hubs".into()]), "layer_hubs");
        assert_eq!(table("gpkg_contents", &[]), "layer_gpkg_contents");
        assert_eq!(quote("a\"b"), "\"a\"\"b\"");
    }
}
