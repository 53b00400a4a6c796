//! Checks `data/schema/*.toml` with the parser the program uses and writes a typed handle for every field; embeds the
//! web part as it finds it in `static/dist`, and nothing if it is not built.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

#[path = "src/model/schema.rs"]
#[expect(dead_code, reason = "the build reads schemas; it makes none")]
mod schema;

use schema::{CollectionSchema, FieldType};

fn main() -> ExitCode {
    println!("cargo:rerun-if-changed=data/schema");
    println!("cargo:rerun-if-changed=src/model/schema.rs");
    match generate().and_then(|()| embed_site()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<(), String> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(|error| error.to_string())?;
    let folder = Path::new(&root).join("data/schema");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    let mut code = String::new();
    let mut table = String::new();
    for path in &files {
        println!("cargo:rerun-if-changed={}", path.display());
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = format!("data/schema/{}", path.file_name().unwrap_or_default().to_string_lossy());
        let schema = CollectionSchema::parse_file(&name, &text)?;
        write_module(&mut code, &schema).map_err(|error| error.to_string())?;
        writeln!(table, "    ({:?}, include_str!({:?})),", schema.id, path.display().to_string())
            .map_err(|error| error.to_string())?;
    }
    write!(code, "/// Every built-in schema: id and TOML text, by id.\npub const BUILT_IN: &[(&str, &str)] = &[\n{table}];\n")
        .map_err(|error| error.to_string())?;
    let out = env::var("OUT_DIR").map_err(|error| error.to_string())?;
    fs::write(Path::new(&out).join("collections.rs"), code).map_err(|error| error.to_string())
}

/// A table of the files in `static/dist`, each with its `.gz` and `.br` if they are there.
fn embed_site() -> Result<(), String> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(|error| error.to_string())?;
    let dist = Path::new(&root).join("static/dist");
    // A missing folder would make every build look changed: then its parent is watched.
    let watched = if dist.exists() { "static/dist" } else { "static" };
    println!("cargo:rerun-if-changed={watched}");
    let mut files = Vec::new();
    for folder in ["", "assets", "help"] {
        let Ok(entries) = fs::read_dir(dist.join(folder)) else { continue };
        for entry in entries {
            let path = entry.map_err(|error| format!("{}: {error}", dist.display()))?.path();
            let ending = path.extension().unwrap_or_default();
            if path.is_file() && ending != "gz" && ending != "br" {
                let name = path.strip_prefix(&dist).map_err(|error| error.to_string())?.display().to_string();
                files.push((name, path));
            }
        }
    }
    files.sort();
    let mut code = String::from("const EMBEDDED: &[Embedded] = &[\n");
    for (name, path) in files {
        let bytes = |ending: &str| {
            let variant = format!("{}{ending}", path.display());
            if Path::new(&variant).exists() {
                format!("Some(include_bytes!({variant:?}))")
            } else {
                "None".to_owned()
            }
        };
        let (gzip, brotli, plain) = (bytes(".gz"), bytes(".br"), path.display().to_string());
        let entry = format!(
            "    Embedded {{ name: {name:?}, plain: include_bytes!({plain:?}), gzip: {gzip}, brotli: {brotli} }},\n"
        );
        code.push_str(&entry);
    }
    code.push_str("];\n");
    let out = env::var("OUT_DIR").map_err(|error| error.to_string())?;
    fs::write(Path::new(&out).join("site.rs"), code).map_err(|error| error.to_string())
}

fn write_module(code: &mut String, schema: &CollectionSchema) -> std::fmt::Result {
    writeln!(
        code,
        "/// Handles of the fields of `{}`.\n#[allow(clippy::doc_markdown, reason = \"descriptions are written for people\")]\npub mod {} {{",
        schema.id,
        schema.id.replace('-', "_")
    )?;
    writeln!(
        code,
        "    use super::Field;\n    /// The collection id.\n    pub const COLLECTION: &str = {:?};",
        schema.id
    )?;
    writeln!(
        code,
        "    /// Names of the fields that a stored row has, in the order of the schema file.\n    pub const FIELDS: &[&str] = &{:?};",
        schema.stored().fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>()
    )?;
    for field in &schema.fields {
        let rust_type = match field.field_type {
            FieldType::Boolean => "bool",
            FieldType::Integer | FieldType::Date | FieldType::Timestamp => "i64",
            FieldType::Number => "f64",
            FieldType::Text | FieldType::List | FieldType::Json => "str",
        };
        let constant: String = field
            .name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
            .collect();
        writeln!(code, "    /// {}", field.description.as_deref().unwrap_or(&field.name).replace('\n', " "))?;
        writeln!(code, "    pub const {constant}: Field<{rust_type}> = Field::new({:?});", field.name)?;
    }
    writeln!(code, "}}")
}
