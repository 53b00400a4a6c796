//! The program itself: exit codes, reports, a first run, an orderly stop, a kill in the middle of an import.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::ffi::OsStr;
use std::ffi::OsString;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use throughline::access::Principal;
use throughline::ops::Progress;
use throughline::ops::reference::add_missing;
use throughline::store::Store;

use crate::fixtures::World;
use crate::fixtures::gate_of;
use crate::fixtures::options;

fn program(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_throughline")).args(arguments).current_dir(folder).output().unwrap()
}

fn signal(child: &Child, name: &str) {
    let done = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(done.success());
}

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server on a free port, and the address it said.
fn serve(folder: &Path, store: &str) -> (Running, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_throughline"))
        .args(["serve", "--demo", store, "--listen", "127.0.0.1:0", "--log", "error"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.split("http://").nth(1).unwrap().trim().trim_end_matches('/').to_owned();
    (Running(child), address)
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_first_run_serves_the_reference_layers_and_stops_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, address) = serve(folder.path(), "var/new.gpkg");
    assert!(get(&address, "/readyz").starts_with("HTTP/1.1 200"));
    assert!(get(&address, "/ogc/collections/stations/items/EUS").contains("\"name\":\"London Euston\""));
    assert!(get(&address, "/ogc/collections/forces").contains("\"id\":\"forces\""));
    // A second process imports; the server shows it without a restart.
    std::fs::write(folder.path().join("p.csv"), "lon,lat,name\n-1,52,x\n").unwrap();
    let imported = program(&["import", "var/new.gpkg", "p.csv", "--into", "p", "--open"], folder.path());
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let deadline = Instant::now() + Duration::from_secs(10);
    while !get(&address, "/ogc/collections/p/items").contains("\"numberMatched\":1") {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(200));
    }
    signal(&server.0, "TERM");
    assert!(server.0.wait().unwrap().success());
    assert!(!folder.path().join("var/new.gpkg-wal").exists(), "the file alone is the store");
    let checked = program(&["check", "var/new.gpkg"], folder.path());
    assert!(checked.status.success());
    assert!(String::from_utf8_lossy(&checked.stdout).contains("sound: 30 collections"));
}

#[test]
fn exit_codes_and_reports() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("p.csv"), "lon,lat,name\n-1,52,a\n999,52,b\n").unwrap();
    let good = program(&["import", "s.gpkg", "p.csv", "--into", "p", "--json", "--report", "r.csv"], path);
    assert_eq!(good.status.code(), Some(0), "rows were committed, though one was rejected");
    let report: serde_json::Value = serde_json::from_slice(&good.stdout).unwrap();
    assert_eq!((&report["accepted"], &report["rejected"]), (&1.into(), &1.into()));
    assert_eq!(report["rows"][0]["row"], 2);
    assert!(std::fs::read_to_string(path.join("r.csv")).unwrap().contains("2,out-of-range,true,"));
    let strict = program(&["import", "t.gpkg", "p.csv", "--into", "p", "--strict"], path);
    assert_eq!(strict.status.code(), Some(1));
    let strict = program(&["import", "t.gpkg", "p.csv", "--into", "p", "--strict", "--json"], path);
    let report: serde_json::Value = serde_json::from_slice(&strict.stdout).unwrap();
    assert_eq!((&report["accepted"], &report["rows"][0]["code"]), (&0.into(), &"out-of-range".into()));
    let dry = program(&["import", "u.gpkg", "p.csv", "--into", "p", "--dry-run"], path);
    assert_eq!((dry.status.code(), path.join("u.gpkg").exists()), (Some(0), false));
    for (arguments, code) in [
        (&["import", "s.gpkg", "none.csv", "--into", "p"][..], 1),
        (&["import", "s.gpkg", "p.csv", "--into", "a/b"], 1),
        (&["import", "s.gpkg", "p.csv"], 2),
        (&["import", "s.gpkg", "p.csv", "--into", "p", "--colour"], 2),
        (&["export", "s.gpkg", "none", "x.geojson"], 1),
        (&["export", "s.gpkg", "p", "x.shp"], 1),
        (&["export", "s.gpkg", "p", "s.gpkg", "--force"], 1),
        (&["import", "v.gpkg", "p.csv", "--into", "p", "--report", "nowhere/r.csv"], 1),
        (&["serve", "p.csv"], 1),
        (&["serve", "none.gpkg"], 1),
        (&["serve", "s.gpkg", "--listen", "0.0.0.0:0"], 1),
        (&["serve", "s.gpkg", "--listen", "127.0.0.1:0", "--metrics-listen", "0.0.0.0:0"], 1),
        (&["init", "s.gpkg"], 1),
    ] {
        let output = program(arguments, path);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(!output.stderr.is_empty());
        assert!(!String::from_utf8_lossy(&output.stderr).contains("panicked"), "{arguments:?}");
    }
}

#[test]
fn exports_come_back_equal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let text = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[-1.1234567,52]},"properties":{"name":"a \"b\"","n":1,"x":0.1,"ok":true,"day":"2031-03-01","at":"2031-03-01T12:00:00Z"}},
        {"type":"Feature","id":8,"geometry":null,"properties":{"name":null,"n":-9007199254740993,"x":2.5,"ok":false,"day":null,"at":null}}]}"#;
    std::fs::write(path.join("p.geojson"), text).unwrap();
    assert!(program(&["import", "s.gpkg", "p.geojson", "--into", "p"], path).status.success());
    let first = path.join("first.geojson");
    assert!(program(&["export", "s.gpkg", "p", "first.geojson"], path).status.success());
    let original: serde_json::Value = serde_json::from_slice(&std::fs::read(&first).unwrap()).unwrap();
    assert_eq!(original["features"].as_array().unwrap().len(), 2);
    for name in ["x.geojson", "x.geojsonl", "x.gpkg"] {
        assert!(program(&["export", "s.gpkg", "p", name], path).status.success(), "{name}");
        assert_eq!(
            program(&["export", "s.gpkg", "p", name], path).status.code(),
            Some(1),
            "written over only with --force"
        );
        let store = format!("{name}.store.gpkg");
        assert!(program(&["import", &store, name, "--into", "p"], path).status.success(), "{name}");
        let back = format!("{name}.back.geojson");
        assert!(program(&["export", &store, "p", &back], path).status.success());
        let again: serde_json::Value =
            serde_json::from_slice(&std::fs::read(path.join(&back)).unwrap()).unwrap();
        // A GeoPackage's own keys become the ids, and ours a column.
        let strip = |mut value: serde_json::Value| {
            for feature in value["features"].as_array_mut().unwrap() {
                feature["id"] = serde_json::Value::Null;
                feature["properties"].as_object_mut().unwrap().shift_remove("id");
            }
            let mut features = value["features"].as_array().unwrap().clone();
            features.sort_by_key(|feature| feature["properties"]["n"].as_i64());
            features
        };
        assert_eq!(strip(again), strip(original.clone()), "{name}");
    }
}

/// What is computed for a reader comes out with an export, and does not stop it from coming back.
#[test]
fn what_is_computed_comes_out_and_does_not_stand_in_the_way_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    assert!(program(&["demo", "d.gpkg", "--scale", "0.1"], path).status.success());
    for (collection, file, computed) in [
        ("hubs", "hubs-SYNTHETIC.csv", ",active_lines"),
        ("lines", "lines-SYNTHETIC.geojson", "MultiLineString"),
    ] {
        assert!(program(&["export", "d.gpkg", collection, file], path).status.success(), "{file}");
        let text = std::fs::read_to_string(path.join(file)).unwrap();
        assert!(text.contains(computed), "{file}: {text:.300}");
        let report =
            program(&["import", "back.gpkg", file, "--into", collection, "--synthetic", "--json"], path);
        let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
        assert_eq!((&report["rejected"], &report["warned"]), (&0.into(), &0.into()), "{report:.600}");
        assert!(report["accepted"].as_u64().unwrap() > 50);
    }
}

/// The program with arguments that need not be text.
fn run(arguments: &[&OsStr], folder: &Path) -> (Option<i32>, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_throughline")).args(arguments).current_dir(folder).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

fn names(folder: &Path) -> Vec<OsString> {
    let mut names: Vec<OsString> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

#[test]
fn odd_file_names_are_names_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    assert!(program(&["init", "s.gpkg"], path).status.success());
    let csv = "lon,lat,name\n-1,52,a\n-1,53,b\n";
    let gz = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(csv.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let feature =
        r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},"properties":{"n":1}}"#;
    let mut expected = names(path);
    for (name, content) in [
        (&b"-odd.csv"[..], csv.as_bytes()),
        (b"file:x.csv", csv.as_bytes()),
        (b"file:a?mode=memory&x=%41.csv", csv.as_bytes()),
        (b"caf\xE9.csv", csv.as_bytes()),
        (b"caf\xE9\xFF.csv.gz", &gz),
        (b"DATA.CSV", csv.as_bytes()),
        (b"DATA.CSV.GZ", &gz),
        (b"DATA.TSV", b"lon\tlat\n1\t2\n"),
        (b"DATA.GeoJSON", feature.as_bytes()),
        (b"two\nlines.csv", csv.as_bytes()),
    ] {
        let name = OsStr::from_bytes(name);
        std::fs::write(path.join(name), content).unwrap();
        expected.push(name.to_owned());
        let words = ["import", "s.gpkg", "--into", "x", "--dry-run", "--"].map(OsStr::new);
        let (code, said) = run(&[&words[..], &[name]].concat(), path);
        assert_eq!(code, Some(0), "{}: {said}", name.display());
    }
    expected.sort();
    assert_eq!(names(path), expected, "nothing is left behind");
    // What is not there, or has no ending that is known, is refused by its name.
    for (name, word) in [(&b"caf\xE9.none"[..], "--format"), (b"caf\xE9.csv.gz", "No such file")] {
        let name = OsStr::from_bytes(name);
        let (code, said) =
            run(&[OsStr::new("import"), OsStr::new("s.gpkg"), name, "--into".as_ref(), "x".as_ref()], path);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("caf\u{FFFD}") && said.contains(word), "{said}");
    }
    assert_eq!(names(path), expected);
}

#[test]
fn an_import_that_is_refused_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("page.csv"), "<!DOCTYPE html>\n<html></html>\n").unwrap();
    std::fs::write(path.join("p.csv"), "lon,lat\n-1,52\n").unwrap();
    std::fs::write(path.join("old.csv"), "the report before\n").unwrap();
    let before = names(path);
    for arguments in [
        &["import", "s.gpkg", "page.csv", "--into", "x", "--report", "r.csv"][..],
        &["import", "s.gpkg", "page.csv", "--into", "x", "--report", "old.csv"],
        &["import", "s.gpkg", "none.csv", "--into", "x", "--report", "r.json"],
        &["import", "s.gpkg", "p.csv", "--into", "a/b"],
        &["import", "s.gpkg", "p.csv", "--into", "flows"],
        &["import", "s.gpkg", "p.csv", "--into", "x", "--id", "name"],
        &["import", "s.gpkg", "p.csv", "--into", "x", "--report", "nowhere/r.csv"],
    ] {
        assert_eq!(program(arguments, path).status.code(), Some(1), "{arguments:?}");
        assert_eq!(names(path), before, "{arguments:?}");
    }
    assert!(program(&["init", "s.gpkg"], path).status.success());
    let before = names(path);
    let refused = program(&["import", "s.gpkg", "page.csv", "--into", "x", "--report", "r.csv"], path);
    assert_eq!((refused.status.code(), names(path)), (Some(1), before));
    assert_eq!(std::fs::read_to_string(path.join("old.csv")).unwrap(), "the report before\n");
}

#[test]
fn exports_and_reports_take_odd_names_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("p.csv"), "lon,lat,name\n-1,52,a\n-1,x,b\n").unwrap();
    assert!(program(&["import", "s.gpkg", "p.csv", "--into", "p"], path).status.success());
    let mut expected = names(path);
    for name in [
        &b"OUT.GPKG"[..],
        b"OUT.GEOJSON",
        b"Out.GeoJsonL",
        b"OUT.CSV",
        b"-odd.csv",
        b"file:x.gpkg",
        b"file:x?mode=memory.gpkg",
        b"caf\xE9.gpkg",
        b"caf\xE9.geojson",
    ] {
        let name = OsStr::from_bytes(name);
        let words = ["export", "s.gpkg", "p", "--"].map(OsStr::new);
        let (code, said) = run(&[&words[..], &[name]].concat(), path);
        assert_eq!(code, Some(0), "{}: {said}", name.display());
        assert!(std::fs::metadata(path.join(name)).unwrap().len() > 0);
        expected.push(name.to_owned());
        // What was written under that name is read under it.
        let words = ["import", "back.gpkg", "--into", "p", "--dry-run", "--"].map(OsStr::new);
        let (code, said) = run(&[&words[..], &[name]].concat(), path);
        assert_eq!(code, Some(0), "{}: {said}", name.display());
        assert!(said.contains("1 rows would be taken"), "{}: {said}", name.display());
    }
    let (code, said) = run(
        &["export", "s.gpkg", "p", "--"]
            .map(OsStr::new)
            .into_iter()
            .chain([OsStr::from_bytes(b"caf\xE9.x\xE9")])
            .collect::<Vec<_>>(),
        path,
    );
    assert_eq!(code, Some(1));
    assert!(said.contains("caf\u{FFFD}") && said.contains(".gpkg"), "{said}");
    for (name, begins) in
        [(&b"R.CSV"[..], "row,code"), (b"R.JSON", "{"), (b"r\xE9.json", "{"), (b"-r.csv", "row,code")]
    {
        let name = OsStr::from_bytes(name);
        let mut flag = OsString::from("--report=");
        flag.push(name);
        let words = ["import", "s.gpkg", "p.csv", "--into", "p"].map(OsStr::new);
        let (code, said) = run(&[&words[..], &[&flag]].concat(), path);
        assert_eq!(code, Some(0), "{}: {said}", name.display());
        assert!(std::fs::read_to_string(path.join(name)).unwrap().starts_with(begins));
        expected.push(name.to_owned());
    }
    let bad = OsStr::from_bytes(b"--report=r\xE9.txt");
    let words = ["import", "s.gpkg", "p.csv", "--into", "p"].map(OsStr::new);
    let (code, said) = run(&[&words[..], &[bad]].concat(), path);
    assert_eq!(code, Some(2));
    assert!(said.contains("r\u{FFFD}.txt") && said.contains(".json"), "{said}");
    expected.sort();
    assert_eq!(names(path), expected, "nothing is left behind");
}

#[test]
fn an_import_says_who_sees_the_layer_and_what_answers_datetime() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("p.csv"), "lon,lat,name,seen\n-1,52,a,2024-01-01\n").unwrap();
    let said = |arguments: &[&str]| {
        let output = program(&[&["import", "s.gpkg", "p.csv", "--into", "p"], arguments].concat(), path);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let own = said(&[]);
    assert!(own.contains("only the owner (local) sees p") && own.contains("--open"), "{own}");
    assert!(own.contains("datetime uses seen"), "{own}");
    assert!(own.trim_end().ends_with("0 rejected"), "the last line counts the rows: {own}");
    let open: serde_json::Value = serde_json::from_str(&said(&["--open", "--json"])).unwrap();
    assert_eq!((&open["open"], &open["unchanged"], &open["accepted"]), (&true.into(), &1.into(), &1.into()));
    assert!(open["audience"].as_str().unwrap().contains("open from now on"), "{open}");
    let again: serde_json::Value = serde_json::from_str(&said(&["--json"])).unwrap();
    assert_eq!(again["open"], false);
    assert!(again["audience"].as_str().unwrap().contains("was open"), "{again}");
    // The program's own collections have a policy of their own.
    let refused = program(&["import", "s.gpkg", "p.csv", "--into", "stations", "--open"], path);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--open"));
}

#[test]
fn an_import_killed_in_the_middle_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut csv = String::from("lon,lat,name\n");
    for number in 0..400_000 {
        csv.push_str(&format!("-1.{number:06},52,name {number}\n"));
    }
    std::fs::write(path.join("p.csv"), csv).unwrap();
    assert!(program(&["init", "s.gpkg"], path).status.success());
    let mut cut = 0;
    for wait in [150, 400, 700, 1_000] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_throughline"))
            .args(["import", "s.gpkg", "p.csv", "--into", "p"])
            .current_dir(path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        let finished = child.wait().unwrap().success();
        let gate = gate_of(Arc::new(Store::open(&path.join("s.gpkg")).unwrap()));
        assert!(gate.degraded().is_empty());
        let rows =
            gate.view(&Principal::LocalOperator).collection("p").map_or(0, |collection| collection.rows());
        assert!(rows == 0 || rows == 400_000, "{rows}");
        assert!(!finished || rows == 400_000);
        cut += u32::from(rows == 0);
    }
    assert!(cut > 0, "no import was cut in the middle: the test shows nothing");
}

#[test]
fn an_interrupt_cancels_an_import_which_takes_back_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let rows: String = (0..400_000).map(|row| format!("-1.{row:06},52,name {row}\n")).collect();
    std::fs::write(path.join("p.csv"), format!("lon,lat,name\n{rows}")).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_throughline"))
        .args(["import", "s.gpkg", "p.csv", "--into", "p", "--report", "r.json"])
        .current_dir(path)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = Running(child);
    let deadline = Instant::now() + Duration::from_secs(20);
    while !path.join("s.gpkg.part").exists() {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(1));
    }
    signal(&child.0, "INT");
    assert_eq!(child.0.wait().unwrap().code(), Some(1), "it ended by itself");
    let mut said = String::new();
    child.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("taking back") && said.contains("cancelled: nothing was changed"), "{said}");
    assert_eq!(names(path), ["p.csv"]);
}

#[test]
fn a_layer_with_the_name_of_a_reference_collection_is_left_alone() {
    // `places` came later than stores: one may have a layer of that name, with fields of its own.
    let world = World::new();
    world.import("p.csv", "lon,lat,name,note\n-1,52,mine,x\n", &options("mine")).unwrap();
    let file = rusqlite::Connection::open(world.store.path()).unwrap();
    let rename = "UPDATE throughline_collections SET id = 'places', schema = replace(schema, 'id = \"mine\"', 'id = \"places\"')";
    assert_eq!(file.execute(rename, []).unwrap(), 1);
    file.execute("UPDATE throughline_columns SET collection = 'places'", []).unwrap();
    add_missing(&world.store, &Progress::silent()).unwrap();
    let view = world.gate().view(&Principal::LocalOperator);
    assert_eq!(view.collection("places").unwrap().rows(), 1);
    assert_eq!(view.collection("stations").unwrap().rows(), 2_607);
}

#[test]
fn only_a_demo_makes_a_store_and_a_port_in_use_is_said_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let said = |arguments: &[&str]| {
        let output = program(arguments, path);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    let text = said(&["serve", "none.gpkg", "--listen", "127.0.0.1:0"]);
    assert!(["none.gpkg", "serve --demo", "init"].iter().all(|word| text.contains(word)), "{text}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = said(&["serve", "--demo", "none.gpkg", "--listen", &address]);
    assert!(text.contains(&address) && text.contains("in use") && text.contains("port 0"), "{text}");
    assert!(!path.join("none.gpkg").exists(), "nothing was made");
    let text = said(&["serve", "--demo", "none.gpkg", "--listen", "0.0.0.0:0"]);
    assert!(text.contains("--public-url"), "{text}");
    let elsewhere =
        ["serve", "--demo", "none.gpkg", "--listen", "127.0.0.1:0", "--metrics-listen", "0.0.0.0:0"];
    assert!(said(&elsewhere).contains("give a loopback address"), "{}", said(&elsewhere));
    assert!(!path.join("none.gpkg").exists());
}

/// The rows at the beginning may be far larger than those that follow: no room is taken for all to be as large.
#[test]
fn a_page_that_begins_with_large_rows_takes_room_for_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut csv = String::from("lon,lat,text\n");
    for number in 0..8 {
        csv.push_str(&format!("-1.00000{number},52,{}\n", "x".repeat(1_200_000)));
    }
    for number in 0..10_000 {
        csv.push_str(&format!("-1.1{number:04},52.1,small\n"));
    }
    std::fs::write(path.join("p.csv"), csv).unwrap();
    let imported = program(&["import", "s.gpkg", "p.csv", "--into", "p", "--open"], path);
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let (server, address) = serve(path, "s.gpkg");
    // As much address space as it ever had, in kilobytes.
    let peak = || -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmPeak:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    get(&address, "/ogc/collections/p/items?limit=1");
    let before = peak();
    let page = get(&address, "/ogc/collections/p/items?nearest=-1,52&limit=10000");
    assert!(page.len() > 9_600_000 && page.starts_with("HTTP/1.1 200"), "{}", page.len());
    assert!(peak() - before < 1 << 20, "{} kB more", peak() - before);
}

/// A log, where it goes, and how many questions make it wait.
fn logging(folder: &Path, error: Stdio) -> (Running, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_throughline"))
        .args(["serve", "--demo", "s.gpkg", "--listen", "127.0.0.1:0"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(error)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.split("http://").nth(1).unwrap().trim().trim_end_matches('/').to_owned();
    (Running(child), address)
}

#[test]
fn a_log_that_goes_away_takes_nothing_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("p.csv"), "lon,lat,name\n-1,52,x\n").unwrap();
    let import = |into: &str| {
        let done = program(&["import", "s.gpkg", "p.csv", "--into", into, "--open"], path);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    import("p");
    for how in ["closed", "full", "asleep"] {
        let error = match how {
            "full" => Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap()),
            _ => Stdio::piped(),
        };
        let (mut server, address) = logging(path, error);
        if how == "closed" {
            drop(server.0.stderr.take());
        }
        // Some 150 bytes a line: more than a pipe of 64 kB holds.
        for _ in 0..800 {
            assert!(get(&address, "/ogc/conformance").starts_with("HTTP/1.1 200"), "{how}");
        }
        for turn in ["one", "two"] {
            let id = format!("{how}-{turn}");
            import(&id);
            let deadline = Instant::now() + Duration::from_secs(20);
            while !get(&address, &format!("/ogc/collections/{id}")).starts_with("HTTP/1.1 200") {
                assert!(Instant::now() < deadline, "{how}: what was imported is not served");
                std::thread::sleep(Duration::from_millis(200));
            }
        }
        assert!(get(&address, "/readyz").starts_with("HTTP/1.1 200"), "{how}");
        let start = Instant::now();
        signal(&server.0, "TERM");
        assert!(server.0.wait().unwrap().success(), "{how}");
        assert!(start.elapsed() < Duration::from_secs(10), "{how}: {:?}", start.elapsed());
    }
}

/// Nobody reads what is said at the start either.
#[test]
fn first_lines_that_nobody_reads_do_not_stop_serving() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    assert!(program(&["init", "s.gpkg"], path).status.success());
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    for full in [false, true] {
        let output = if full {
            Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
        } else {
            // A pipe that is full from the start: nobody reads it.
            let (reader, mut writer) = std::io::pipe().unwrap();
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_secs(60));
                drop(reader);
            });
            let stuffing = writer.try_clone().unwrap();
            std::thread::spawn(move || {
                let mut stuffing = stuffing;
                let _ = stuffing.write_all(&vec![b'x'; 1 << 20]);
            });
            std::thread::sleep(Duration::from_millis(300));
            let _ = writer.flush();
            Stdio::from(writer)
        };
        let mut server = Running(
            Command::new(env!("CARGO_BIN_EXE_throughline"))
                .args(["serve", "s.gpkg", "--listen", &address])
                .current_dir(path)
                .stdout(output)
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(&address).is_err() {
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(get(&address, "/readyz").starts_with("HTTP/1.1 200"));
        signal(&server.0, "TERM");
        let start = Instant::now();
        assert!(server.0.wait().unwrap().success());
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}

/// A demo ends by itself when somebody imports what is not everyone's, and says why.
#[test]
fn a_demo_says_what_it_means_and_why_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("p.csv"), "lon,lat,name\n-1,52,x\n").unwrap();
    assert!(program(&["init", "s.gpkg"], path).status.success());
    let start = || {
        let mut child = Command::new(env!("CARGO_BIN_EXE_throughline"))
            .args(["serve", "--demo", "s.gpkg", "--listen", "127.0.0.1:0", "--log", "warn"])
            .current_dir(path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut next = || lines.next().unwrap().unwrap();
        let (first, second) = (next(), next());
        let address = first.split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();
        (Running(child), address, second)
    };
    let role = |address: &str| -> String {
        let text = get(address, "/api/session");
        let said: serde_json::Value = serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
        said["role"].as_str().unwrap().to_owned()
    };
    let (mut server, address, says) = start();
    assert!(says.starts_with("Demo: ") && says.contains("every role"), "{says}");
    assert_eq!(role(&address), "national-analyst");
    let imported = program(&["import", "s.gpkg", "p.csv", "--into", "ours"], path);
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let deadline = Instant::now() + Duration::from_secs(20);
    while role(&address) != "public" {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(200));
    }
    signal(&server.0, "TERM");
    assert!(server.0.wait().unwrap().success());
    let mut log = String::new();
    server.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert_eq!(log.matches("every caller is public").count(), 1, "{log}");
    assert!(log.contains("ours has rows"), "{log}");
    let (server, address, says) = start();
    assert!(says.starts_with("No demo: "), "{says}");
    assert_eq!(role(&address), "public");
    drop(server);
}
