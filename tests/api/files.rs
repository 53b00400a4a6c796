//! Files as they are found: of other programs, on media that cannot be written, of odd names, made by several at once.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use rusqlite::Connection;

/// Whoever may read what all may read, and write nothing.
const NOBODY: u32 = 65_534;

const DOTS: &str = "name,lon,lat\na,-1,51\nb,-1.1,51\nc,-1.2,51\n";

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_throughline"))
}

fn run<S: AsRef<OsStr>>(folder: &Path, arguments: &[S]) -> Output {
    program().args(arguments).current_dir(folder).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}

/// A layer of one point as another program leaves it.
fn foreign(path: &Path, write_ahead: bool) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("d.csv"), DOTS).unwrap();
    assert!(run(folder.path(), &["import", "s.gpkg", "d.csv", "--into", "sites"]).status.success());
    assert!(run(folder.path(), &["export", "s.gpkg", "sites", "a.gpkg"]).status.success());
    let mode = if write_ahead { "WAL" } else { "DELETE" };
    let file = folder.path().join("a.gpkg");
    Connection::open(&file)
        .unwrap()
        .query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(()))
        .unwrap();
    std::fs::copy(file, path).unwrap();
}

/// Every file of a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<OsString, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn a_file_of_another_program_keeps_its_bytes_and_its_folder() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("d.csv"), DOTS).unwrap();
    for write_ahead in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.gpkg");
        foreign(&file, write_ahead);
        let before = files(folder.path());
        let file = file.to_str().unwrap();
        let taken = run(home.path(), &["import", "s.gpkg", file, "--into", &format!("sites-{write_ahead}")]);
        assert!(taken.status.success(), "{}", said(&taken));
        assert!(files(folder.path()) == before, "import from it, {write_ahead}");
        for arguments in [
            &["check", file][..],
            &["serve", file, "--listen", "127.0.0.1:0"],
            &["export", file, "sites", "out.geojson"],
            &["import", file, "d.csv", "--into", "dots"],
            &["demo", file],
            &["release", file],
        ] {
            let refused = run(home.path(), arguments);
            assert_eq!(refused.status.code(), Some(1), "{arguments:?}: {}", said(&refused));
            assert!(said(&refused).contains("another program"), "{arguments:?}: {}", said(&refused));
            assert!(files(folder.path()) == before, "{arguments:?}, {write_ahead}");
        }
    }
}

/// The program where anybody may start it, and a way to start it as somebody who may write nothing.
fn as_nobody(folder: &Path) -> impl Fn(&Path, &[&str]) -> Output {
    let copy = folder.join("throughline");
    std::fs::copy(env!("CARGO_BIN_EXE_throughline"), &copy).unwrap();
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    // Root may write anywhere; others are held by the rights that the test sets.
    let root = rustix::process::geteuid().is_root();
    move |home, arguments| {
        let mut command = Command::new(&copy);
        if root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.args(arguments).current_dir(home).env("HOME", home).output().unwrap()
    }
}

fn rights(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_cannot_be_written_is_read_and_says_so_where_it_would_have_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let (disc, home) = (folder.path().join("disc"), folder.path().join("home"));
    std::fs::create_dir(&disc).unwrap();
    std::fs::create_dir(&home).unwrap();
    rights(&home, 0o777);
    let nobody = as_nobody(folder.path());
    foreign(&disc.join("plain.gpkg"), false);
    foreign(&disc.join("ahead.gpkg"), true);
    std::fs::write(disc.join("d.csv"), DOTS).unwrap();
    assert!(run(&disc, &["import", "store.gpkg", "d.csv", "--into", "dots"]).status.success());
    // A store of an earlier version, which would be migrated if it could be written.
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/store-of-0.1.gpkg");
    std::fs::copy(old, disc.join("old.gpkg")).unwrap();
    for file in files(&disc).keys() {
        rights(&disc.join(file), 0o444);
    }
    rights(&disc, 0o555);
    let before = files(&disc);
    let at = |name: &str| disc.join(name).to_str().unwrap().to_owned();
    for (arguments, wanted) in [
        (&["import", "s.gpkg", &at("plain.gpkg"), "--into", "plain"][..], "3 rows taken"),
        (&["import", "s.gpkg", &at("ahead.gpkg"), "--into", "ahead"], "3 rows taken"),
        (&["check", &at("store.gpkg")], "sound: 1 collections, 3 rows"),
        (&["export", &at("store.gpkg"), "dots", "out.geojson"], "3 "),
        (&["check", &at("old.gpkg")], "sound: 7 collections, 16 rows"),
        (&["export", &at("old.gpkg"), "lines", "lines.csv"], "3 "),
    ] {
        let done = nobody(&home, arguments);
        assert!(done.status.success() && said(&done).contains(wanted), "{arguments:?}: {}", said(&done));
    }
    for arguments in [
        &["import", &at("store.gpkg"), &at("d.csv"), "--into", "more"][..],
        &["demo", &at("store.gpkg")],
        &["release", &at("store.gpkg")],
    ] {
        let refused = nobody(&home, arguments);
        let text = said(&refused);
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}: {text}");
        let named = text.contains("store.gpkg cannot be written: the file is read-only");
        assert!(named && !text.contains("damaged"), "{arguments:?}: {text}");
    }
    let refused = said(&nobody(&home, &["migrate", &at("old.gpkg")]));
    assert!(refused.contains("the file is read-only: give the right to write"), "{refused}");
    let lines = std::fs::read_to_string(home.join("lines.csv")).unwrap();
    assert!(lines.contains("Scouse") && lines.contains("1234567"), "{lines}");
    assert!(files(&disc) == before);
    rights(&disc, 0o755);
}

/// Starts a command several times at once; what each said, with its exit code.
fn at_once(folder: &Path, commands: &[Vec<String>]) -> Vec<Output> {
    let start = |arguments: &Vec<String>| -> Child {
        let mut command = program();
        command.args(arguments).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let children: Vec<Child> = commands.iter().map(start).collect();
    children.into_iter().map(|child| child.wait_with_output().unwrap()).collect()
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[test]
fn several_first_imports_at_once_all_succeed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("d.csv"), DOTS).unwrap();
    for turn in 0..3 {
        let commands: Vec<_> =
            (0..4).map(|number| words(&format!("import n{turn}.gpkg d.csv --into c{number}"))).collect();
        for done in at_once(folder.path(), &commands) {
            assert!(done.status.success(), "{}", said(&done));
        }
        let checked = run(folder.path(), &["check", &format!("n{turn}.gpkg")]);
        assert!(said(&checked).contains("sound: 4 collections, 12 rows"), "{}", said(&checked));
    }
    let left: Vec<OsString> = files(folder.path()).into_keys().collect();
    assert_eq!(left, ["d.csv", "n0.gpkg", "n1.gpkg", "n2.gpkg"]);
}

#[test]
fn two_imports_at_once_give_a_layer_one_owner_and_all_columns() {
    let folder = tempfile::tempdir().unwrap();
    for turn in 0..4 {
        std::fs::write(folder.path().join("kent.csv"), "lon,lat,a\n-1,51,x\n").unwrap();
        std::fs::write(folder.path().join("surrey.csv"), "lon,lat,b\n-1,52,y\n").unwrap();
        let import = |name: &str, owner: &str| {
            words(&format!("import s{turn}.gpkg {name}.csv --into l --owner {owner}"))
        };
        let two = at_once(folder.path(), &[import("kent", "kent"), import("surrey", "surrey")]);
        let taken = two.iter().filter(|done| done.status.success()).count();
        assert_eq!(taken, 1, "{} {}", said(&two[0]), said(&two[1]));
        let refused = two.iter().find(|done| !done.status.success()).map(said).unwrap();
        assert!(refused.contains("l is a layer of "), "{refused}");
        // Two of one owner are both taken, whatever columns they bring.
        let import = |name: &str| words(&format!("import s{turn}.gpkg {name}.csv --into m --owner kent"));
        for done in at_once(folder.path(), &[import("kent"), import("surrey")]) {
            assert!(done.status.success(), "{}", said(&done));
        }
        assert!(
            run(folder.path(), &["export", &format!("s{turn}.gpkg"), "m", &format!("m{turn}.csv")])
                .status
                .success()
        );
        let text = std::fs::read_to_string(folder.path().join(format!("m{turn}.csv"))).unwrap();
        assert!(
            text.contains(",x") && text.contains(",y") || text.contains("x,") && text.contains(",y"),
            "{text}"
        );
    }
}

#[test]
fn two_imports_at_once_never_spoil_each_other_s_types() {
    let folder = tempfile::tempdir().unwrap();
    for turn in 0..4 {
        std::fs::write(folder.path().join("numbers.csv"), "lon,lat,code\n-1,51,12\n").unwrap();
        std::fs::write(folder.path().join("texts.csv"), "lon,lat,code\n-1,52,0012\n").unwrap();
        let store = format!("s{turn}.gpkg");
        assert!(run(folder.path(), &["init", &store]).status.success());
        let import = |name: &str| words(&format!("import {store} {name}.csv --into l"));
        let two = at_once(folder.path(), &[import("numbers"), import("texts")]);
        // The one that comes second goes by the types of the first, and says so.
        let taken = two.iter().map(said).filter(|said| said.contains("l: 1 rows taken")).count();
        let refused = two.iter().map(said).filter(|said| said.contains("is not of the type integer")).count();
        assert_eq!(taken + refused, 2, "{} {}", said(&two[0]), said(&two[1]));
        let checked = run(folder.path(), &["check", &store]);
        assert!(said(&checked).contains("sound"), "{}", said(&checked));
    }
}

#[test]
fn a_link_is_followed_to_where_the_database_lies() {
    let folder = tempfile::tempdir().unwrap();
    let (real, home) = (folder.path().join("real"), folder.path().join("home"));
    std::fs::create_dir(&real).unwrap();
    std::fs::create_dir(&home).unwrap();
    foreign(&real.join("a.gpkg"), true);
    std::os::unix::fs::symlink(real.join("a.gpkg"), home.join("link.gpkg")).unwrap();
    // Another program has it open, and a row that is in its log only.
    let other = Connection::open(real.join("a.gpkg")).unwrap();
    other
        .execute_batch("DROP TRIGGER rtree_sites_geom_insert; INSERT INTO sites (name) VALUES ('late')")
        .unwrap();
    let taken = run(&home, &["import", "s.gpkg", "link.gpkg", "--into", "sites"]);
    assert!(said(&taken).contains("4 rows taken"), "{}", said(&taken));
    drop(other);
}

#[test]
fn a_log_of_a_store_that_is_gone_does_not_come_into_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("d.csv"), DOTS).unwrap();
    let path = folder.path().join("s.gpkg");
    assert!(run(folder.path(), &["import", "s.gpkg", "d.csv", "--into", "old"]).status.success());
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN").unwrap();
    other.query_row("SELECT count(*) FROM old", [], |_| Ok(())).unwrap();
    assert!(run(folder.path(), &["import", "s.gpkg", "d.csv", "--into", "older"]).status.success());
    let log = std::fs::read(folder.path().join("s.gpkg-wal")).unwrap();
    assert!(!log.is_empty());
    drop(other);
    // Somebody removed the store after a crash, and left what lay beside it.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(folder.path().join("s.gpkg-wal"), log).unwrap();
    assert!(run(folder.path(), &["import", "s.gpkg", "d.csv", "--into", "new"]).status.success());
    let checked = run(folder.path(), &["check", "s.gpkg"]);
    assert!(said(&checked).contains("sound: 1 collections, 3 rows"), "{}", said(&checked));
}

#[test]
fn an_export_never_writes_over_a_store_however_damaged() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("d.csv"), DOTS).unwrap();
    for name in ["s.gpkg", "newer.gpkg", "damaged.gpkg"] {
        assert!(run(folder.path(), &["import", name, "d.csv", "--into", "dots"]).status.success());
    }
    let sql = |name: &str, sql: &str| {
        Connection::open(folder.path().join(name)).unwrap().execute_batch(sql).unwrap();
    };
    sql("newer.gpkg", "PRAGMA user_version = 10399");
    sql("damaged.gpkg", "UPDATE throughline_collections SET schema = 'id = '");
    for name in ["newer.gpkg", "damaged.gpkg"] {
        let refused = run(folder.path(), &["export", "s.gpkg", "dots", name, "--force"]);
        assert!(said(&refused).contains("is a store"), "{}", said(&refused));
    }
    // Nor over a database that another program has open.
    foreign(&folder.path().join("open.gpkg"), true);
    let other = Connection::open(folder.path().join("open.gpkg")).unwrap();
    other.execute_batch("CREATE TABLE more (a)").unwrap();
    let refused = run(folder.path(), &["export", "s.gpkg", "dots", "open.gpkg", "--force"]);
    assert!(said(&refused).contains("open.gpkg-wal is beside it"), "{}", said(&refused));
    drop(other);
    assert!(run(folder.path(), &["export", "s.gpkg", "dots", "open.gpkg", "--force"]).status.success());
}

#[test]
fn a_file_that_leads_back_is_damaged_and_not_read_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.gpkg");
    foreign(&path, false);
    // Rows 1, 2, 3 stand in that order; the third now says that it is row 1 again.
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(2).enumerate().filter(|(_, pair)| pair[1] == 3 && pair[0] > 60 && pair[0] < 120);
    let at: Vec<usize> = at.map(|(at, _)| at + 1).collect();
    let mut tried = 0;
    for at in at {
        let before = bytes[at];
        bytes[at] = 1;
        std::fs::write(&path, &bytes).unwrap();
        let taken = run(folder.path(), &["import", "s.gpkg", "a.gpkg", "--into", "sites", "--dry-run"]);
        tried += u32::from(said(&taken).contains("not in order"));
        bytes[at] = before;
    }
    assert!(tried > 0, "no byte was the row's number");
}

#[test]
fn stores_of_odd_names_are_made_where_they_are_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("d.csv"), DOTS).unwrap();
    let odd: [&OsStr; 6] = [
        OsStr::new("file:a.gpkg"),
        OsStr::new("file:b.gpkg?mode=memory"),
        OsStr::new("-c.gpkg"),
        OsStr::new("D.GPKG"),
        OsStr::new(":memory:"),
        OsStr::from_bytes(b"e\xFF.gpkg"),
    ];
    let words = |name: &OsStr, before: &[&str], after: &[&str]| -> Vec<OsString> {
        let plain = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        [plain(before), vec![name.to_owned()], plain(after)].concat()
    };
    for name in odd {
        let taken = run(folder.path(), &words(name, &["import", "--into", "dots", "--"], &["d.csv"]));
        assert!(taken.status.success(), "{name:?}: {}", said(&taken));
        let checked = run(folder.path(), &words(name, &["check", "--"], &[]));
        assert!(said(&checked).contains("sound: 1 collections, 3 rows"), "{name:?}: {}", said(&checked));
        let path: PathBuf = folder.path().join(name);
        let out = words(path.as_os_str(), &["export"], &["dots", "out.gpkg", "--force"]);
        let exported = run(folder.path(), &out);
        assert!(exported.status.success(), "{name:?}: {}", said(&exported));
    }
    let mut left: Vec<OsString> = files(folder.path()).into_keys().collect();
    left.retain(|name| !["d.csv", "out.gpkg"].iter().any(|other| OsStr::new(other) == name));
    let mut expected: Vec<OsString> = odd.iter().map(|name| (*name).to_owned()).collect();
    expected.sort();
    assert_eq!(left, expected, "and nothing beside them");
}
