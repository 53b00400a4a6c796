//! The house keeps its shape: which room may import which, and which outside crates live where.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources has failed")]

use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Each room and the rooms it may import.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("demo", &["model"]),
    ("store", &["model"]),
    ("snapshot", &["model"]),
    ("import", &["model", "store"]),
    ("access", &["model", "snapshot", "store"]),
    ("filter", &["model", "access"]),
    ("release", &["model", "access", "filter"]),
    ("query", &["model", "access", "filter"]),
    // GeoPackage files are written by the store's writer.
    ("format", &["model", "access", "query", "store"]),
    ("tile", &["model", "access", "filter", "query"]),
    ("rail", &["model", "access", "filter", "query"]),
    ("flow", &["model", "access", "filter", "query"]),
    ("plan", &["model", "access", "filter", "query", "rail", "flow"]),
    ("analyse", &["model", "access", "filter", "query", "rail", "flow"]),
    (
        "ops",
        &[
            "model", "demo", "store", "import", "access", "filter", "query", "format", "release", "tile",
            "rail", "flow", "plan", "analyse",
        ],
    ),
    // Never the command line: both call the same operations.
    (
        "http",
        &[
            "model", "demo", "store", "import", "access", "filter", "query", "format", "tile", "rail",
            "flow", "plan", "analyse", "ops",
        ],
    ),
];

/// Crates and the only rooms that may name them.
const CRATES: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("rstar", &["snapshot"]),
    ("arc_swap", &["access"]),
    ("actix_web", &["http", "cli"]),
    ("geojson", &["import", "format"]),
    ("csv", &["import", "format", "demo", "ops", "cli"]),
    ("toml", &["model", "config", "access"]),
    ("clap", &["cli"]),
    ("anyhow", &["cli", "config", "telemetry", "main"]),
    ("tracing_subscriber", &["telemetry"]),
    ("lonlat_bng", &["model"]),
    ("encoding_rs", &["import"]),
    ("flate2", &["import", "http"]),
    ("indicatif", &["cli"]),
    ("moka", &["http"]),
    ("rustix", &["http", "store"]),
    ("matchit", &["http"]),
    ("twox_hash", &["http"]),
    ("zmij", &["model"]),
    ("i_overlay", &["tile"]),
    ("strsim", &["query"]),
    ("unicode_normalization", &["filter", "query"]),
    ("rand_chacha", &["demo"]),
    ("hmac", &["demo"]),
    ("sha2", &["demo"]),
];

/// Rooms that must be pure: no clock, environment, file, lock or randomness.
const PURE: &[&str] = &["filter", "release", "query", "tile", "rail", "flow", "plan"];
const IMPURE: &[&str] =
    &["std::time", "std::env", "std::fs", "std::net", "Mutex", "RwLock", "getrandom", "tracing::"];

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            out.push(path);
        }
    }
}

/// Whether a file is a module of tests: its room's `mod.rs` says so.
fn is_test(path: &Path) -> bool {
    let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
    let parent = fs::read_to_string(path.with_file_name("mod.rs")).unwrap_or_default();
    ["mod", "pub(crate) mod"].iter().any(|word| parent.contains(&format!("#[cfg(test)]\n{word} {stem};")))
}

/// Every source file with the room it stands in and its text without tests and comments.
fn rooms() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    files
        .into_iter()
        // Small worlds for unit tests: compiled with them only.
        .filter(|path| path.file_stem().is_some_and(|stem| stem != "fixtures"))
        .map(|path| {
            let inside = path.strip_prefix(&root).unwrap();
            let room = inside.components().next().unwrap().as_os_str().to_string_lossy().replace(".rs", "");
            let text = fs::read_to_string(&path).unwrap();
            let code = if is_test(&path) { "" } else { text.split("#[cfg(test)]").next().unwrap() };
            let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            (room, path.clone(), code.join("\n"))
        })
        .collect()
}

/// Names after `crate::` anywhere in the code.
fn imported(code: &str) -> Vec<&str> {
    code.split("crate::")
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
        .collect()
}

#[test]
fn imports_go_downhill() {
    let mut faults = Vec::new();
    for (room, path, code) in rooms() {
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            assert!(
                ["lib", "main", "cli", "config", "telemetry"].contains(&room.as_str()),
                "{}: a room that is not on the map",
                path.display()
            );
            continue;
        };
        for name in imported(&code) {
            if name != room && !allowed.contains(&name) {
                faults.push(format!("{}: {room} must not import {name}", path.display()));
            }
        }
        if code.contains("use crate::{") {
            faults.push(format!("{}: write one `use crate::room::Name;` a line", path.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn nothing_outside_access_can_name_a_snapshot() {
    for (room, path, code) in rooms() {
        if !["snapshot", "access", "lib"].contains(&room.as_str()) {
            assert!(!code.contains("crate::snapshot"), "{}", path.display());
        }
    }
    let gate = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/access/mod.rs")).unwrap();
    let gate: String = gate.lines().filter(|line| !line.starts_with("//!")).collect();
    assert!(
        !gate.contains("snapshot::Snapshot") && !gate.contains("snapshot::Collection"),
        "access hands one out"
    );
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    for (room, path, code) in rooms() {
        for (name, allowed) in CRATES {
            // A module may have the name of a crate: `crate::import::csv` has colons before it.
            let named = code.match_indices(&format!("{name}::")).any(|(at, _)| {
                let before = code[..at].chars().next_back().unwrap_or(' ');
                !before.is_alphanumeric() && before != '_' && before != ':'
            });
            assert!(
                !named || allowed.contains(&room.as_str()),
                "{}: {name} belongs in {allowed:?}",
                path.display()
            );
        }
    }
}

/// That no type of the driver can be reached from outside the store is shown where it is compiled: `store::file` is a
/// private module, its items are visible in `store` only, and `src/store/mod.rs` has examples that do not compile. Here
/// it is seen that this stays so.
#[test]
fn the_driver_stays_behind_a_private_module() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    for (_, path, code) in rooms() {
        if path.starts_with(root.join("file")) {
            for line in code.lines() {
                assert!(!line.trim_start().starts_with("pub "), "{}: {line}", path.display());
            }
        } else {
            assert!(!code.contains("rusqlite"), "{}: it belongs in src/store/file", path.display());
        }
    }
    let facade = fs::read_to_string(root.join("mod.rs")).unwrap();
    assert!(facade.lines().any(|line| line == "mod file;"), "the module is private");
    assert!(
        !facade.contains("use file") && !facade.contains("use crate::store::file"),
        "and nothing of it leaves"
    );
}

#[test]
fn pure_rooms_are_pure() {
    for (room, path, code) in rooms() {
        if PURE.contains(&room.as_str()) {
            for word in IMPURE {
                assert!(!code.contains(word), "{}: {word}", path.display());
            }
        }
    }
}

#[test]
fn operations_leave_talking_to_their_callers() {
    for (room, path, code) in rooms() {
        if room == "ops" {
            for word in ["stdout", "stderr", "println!", "process::", "std::env::args", "std::env::var"] {
                assert!(!code.contains(word), "{}: {word}", path.display());
            }
        }
    }
}

/// A gate reads all rows of a store: whatever works beside a gate that is open takes that one.
#[test]
fn gates_are_opened_in_one_place() {
    for (room, path, code) in rooms() {
        let opens = code.contains("Gate::open(") || code.contains("Gate::under(");
        let allowed = room == "access" || path.ends_with("ops/gate.rs");
        assert!(!opens || allowed, "{}: call ops::open_gate, or take a gate that is open", path.display());
    }
    let opened = |file: &str| -> usize {
        let all = rooms();
        let (_, _, code) = all.iter().find(|(_, path, _)| path.ends_with(file)).unwrap();
        code.matches("open_gate(").count()
    };
    assert_eq!(opened("cli/serve.rs"), 1, "the server has one gate, which releases too");
    assert_eq!(opened("ops/release.rs"), 0, "a release counts the rows of a gate that is open");
}

#[test]
fn files_are_split_by_meaning() {
    for (_, path, code) in rooms() {
        let lines = code.lines().count();
        assert!(lines <= 400, "{} has {lines} lines of code", path.display());
    }
}

#[test]
fn every_source_file_has_its_word_in_the_map() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let map = fs::read_to_string(root.join("src/lib.rs")).unwrap();
    for (room, path, _) in rooms() {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if !["mod", "lib"].contains(&stem.as_str()) {
            let found = map
                .lines()
                .any(|line| line.contains(&room) && line.split([' ', '/', ',']).any(|word| word == stem));
            assert!(found || stem == room, "{} is not in the map of src/lib.rs", path.display());
        }
    }
}

/// Words that the project no longer uses, each with what it says instead. A word here is found as a whole word, in
/// capitals and small letters as written, in code, comments, tests, documents and the map.
const GONE: &[(&str, &str)] = &[
    ("Standing", "RowRights"),
    ("Outcome of", "Entitlement"),
    ("RowsOf", "Reads"),
    ("Weight::Light", "Cost"),
    ("Weight::Heavy", "Cost"),
    ("Keeping::Nobody", "CachePolicy"),
    ("ShapeKind", "GeometryType"),
    ("ShapeRef", "GeometryRef"),
    ("ShapeBuilder", "GeometryBuilder"),
    ("Thinning::ToSize", "FeatureDropping"),
    ("with_links", "derivations of flow"),
    ("od::Links", "legs"),
    ("hash_share", "row_hash_sum"),
    ("set_as_at", "set_reference_date"),
    ("query::Filter", "filter::Expr and Bound"),
    ("always_light", "an estimate of the cost"),
    ("placeless", "without geometry"),
    ("twin", "non-interference"),
    ("twins", "non-interference"),
    ("rung", "level"),
    ("ladder", "publication hierarchy"),
    ("order everywhere", "canonical order"),
    ("parted into groups", "partitioned"),
    ("second latitude is below", "south is above north"),
    ("whose eyes", "View as another role"),
    ("Whose eyes", "View as another role"),
    ("Whose a row is", "row rights"),
];

/// Files in which a word may stand: this one, and the log of changes.
const MAY_NAME_THEM: &[&str] = &["tests/architecture.rs", "CHANGELOG.md"];

fn texts(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["node_modules", "dist", "target", "artifacts", "corpus"].contains(&name.as_str()) {
                texts(&path, out);
            }
        } else if ["rs", "ts", "tsx", "mjs", "css", "md", "toml", "py"]
            .iter()
            .any(|ending| path.extension().is_some_and(|own| own == *ending))
        {
            out.push(path);
        }
    }
}

#[test]
fn words_that_are_gone_stay_gone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    for folder in ["src", "tests", "static", "data"] {
        texts(&root.join(folder), &mut files);
    }
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    let mut faults = Vec::new();
    for path in &files {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        if MAY_NAME_THEM.contains(&name.as_str()) {
            continue;
        }
        let text = fs::read_to_string(path).unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            for (word, instead) in GONE {
                let found = line.match_indices(word).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    let after = line[at + word.len()..].chars().next();
                    !before.is_some_and(is_letter) && !after.is_some_and(is_letter)
                });
                if found {
                    faults.push(format!("{name}:{}: {word:?} is now {instead}", number + 1));
                }
            }
        }
    }
    assert!(files.len() > 300, "{}", files.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn lock_files_name_the_public_registry_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
    for line in lock.lines().filter(|line| line.starts_with("source = ")) {
        assert_eq!(line, "source = \"registry+https://github.com/rust-lang/crates.io-index\"");
    }
    let lock = fs::read_to_string(root.join("static/package-lock.json")).unwrap();
    // A folder of our own is named by its path.
    assert!(!lock.contains("\"resolved\": \"http"), "npm's lock file names no registry");
    assert!(lock.contains("\"integrity\""), "and the hash of every package");
}

#[test]
fn a_schema_fault_names_file_and_line() {
    // The build script calls this very function, and prints what it says.
    let check = |name: &str, text: &str| {
        throughline::model::CollectionSchema::parse_file(&format!("data/schema/{name}.toml"), text)
            .map(|_| ())
    };
    let good =
        "id = \"x\"\nclass = \"layer\"\ngeometry = \"point\"\n\n[[field]]\nname = \"a\"\ntype = \"number\"\n";
    assert_eq!(check("x", good), Ok(()));
    let fault = check("x", &good.replace("number", "float")).unwrap_err();
    assert!(fault.starts_with("data/schema/x.toml:7: ") && fault.contains("float"), "{fault}");
    let fault = check("y", good).unwrap_err();
    assert!(fault.starts_with("data/schema/y.toml:1: ") && fault.contains("x.toml"), "{fault}");
}
