//! Nothing of a request but the cookie of a demo decides who a caller is: no address, name or header of a proxy.

use std::net::TcpListener;
use std::sync::Arc;

use serde_json::Value;
use throughline::http::App;

use crate::fixtures::CACHE_BYTES;
use crate::fixtures::Reply;
use crate::fixtures::Server;
use crate::fixtures::World;
use crate::fixtures::gate_of;
use crate::fixtures::options;

/// Header lines as proxies, clients and attackers send them.
const SHAPES: &[&str] = &[
    "",
    "X-Forwarded-For: 127.0.0.1\r\n",
    "X-Forwarded-For: 198.51.100.7\r\n",
    "X-Forwarded-For: 127.0.0.1, 198.51.100.7\r\nX-Forwarded-Host: localhost\r\nX-Forwarded-Proto: http\r\n",
    "Forwarded: for=127.0.0.1;host=localhost;proto=http\r\n",
    "Forwarded: for=\"[::1]\"\r\n",
    "Via: 1.1 proxy\r\n",
    "X-Real-IP: 127.0.0.1\r\n",
    "CF-Connecting-IP: 127.0.0.1\r\nTrue-Client-IP: 127.0.0.1\r\n",
    "X-Client-IP: 127.0.0.1\r\nX-Cluster-Client-IP: 127.0.0.1\r\n",
    "X-Envoy-External-Address: 127.0.0.1\r\n",
    "X-Original-Host: localhost\r\nX-Host: localhost\r\n",
    "X-Remote-User: admin\r\nRemote-User: national-analyst\r\n",
    "Authorization: Basic YWRtaW46YWRtaW4=\r\n",
    "Authorization: Bearer national-analyst\r\n",
    "Origin: http://localhost\r\n",
    "Origin: https://evil.example\r\nReferer: https://evil.example/\r\n",
    "Throughline-Role: local-operator\r\n",
];

/// Request lines with their `Host`: those that are answered.
const NAMES: &[&str] = &[
    "GET /api/session HTTP/1.1\r\nHost: localhost\r\n",
    "GET /api/session HTTP/1.1\r\nHost: LOCALHOST:1\r\n",
    "GET /api/session HTTP/1.1\r\nHost: localhost.\r\n",
    "GET /api/session HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    "GET /api/session HTTP/1.1\r\nHost: 127.8.8.8:80\r\n",
    "GET /api/session HTTP/1.1\r\nHost: [::1]:8080\r\n",
    "GET /api/session HTTP/1.1\r\nHost: maps.example\r\n",
    "GET /api/session HTTP/1.1\r\nHost: MAPS.example:443\r\n",
    "GET http://localhost/api/session HTTP/1.1\r\nHost: maps.example\r\n",
    "GET /api/session HTTP/1.0\r\n",
    "GET /api/session HTTP/1.0\r\nHost: localhost\r\n",
];

/// And those that are not.
const FOREIGN: &[&str] = &[
    "GET /api/session HTTP/1.1\r\nHost: evil.example\r\n",
    "GET /api/session HTTP/1.0\r\nHost: evil.example\r\n",
    "GET /api/session HTTP/1.1\r\nHost: localhost.evil.example\r\n",
    "GET /api/session HTTP/1.1\r\nHost: maps.example.evil.example\r\n",
    "GET /api/session HTTP/1.1\r\nHost: 10.0.0.7:8080\r\n",
    "GET /api/session HTTP/1.1\r\nHost: 0.0.0.0\r\n",
    "GET http://evil.example/api/session HTTP/1.1\r\nHost: localhost\r\n",
];

const PUBLIC_URL: &str = "https://maps.example/throughline";

fn named(world: &World, listen: &str, demo: bool) -> Server {
    let store = Arc::clone(&world.store);
    Server::listening(listen, move || {
        let gate = gate_of(store);
        let gate = if demo { gate.with_roles_played() } else { gate };
        App::new(gate, Some(PUBLIC_URL), CACHE_BYTES)
    })
}

fn ask(server: &Server, line: &str, headers: &str) -> Reply {
    server.send(format!("{line}{headers}Connection: close\r\n\r\n").as_bytes())
}

/// Every address of this machine that a test can listen on.
fn loopbacks() -> Vec<&'static str> {
    let there = |listen: &&str| TcpListener::bind(listen).is_ok();
    ["127.0.0.1:0", "[::1]:0"].into_iter().filter(there).collect()
}

#[test]
fn no_shape_of_a_request_makes_a_caller_more_than_public() {
    let world = World::new();
    for listen in loopbacks() {
        let server = named(&world, listen, false);
        for cookie in [
            "",
            "Cookie: throughline-role=national-analyst\r\n",
            "Cookie: throughline-role=local-operator; throughline-reason=x\r\n",
            "Cookie: throughline-role=force-analyst:kent\r\nCookie: throughline-role=admin\r\n",
        ] {
            for line in NAMES {
                for geometry in SHAPES {
                    let reply = ask(&server, line, &format!("{geometry}{cookie}"));
                    let said = reply.json();
                    assert_eq!(
                        (&said["role"], said["roles"].as_array().map(Vec::len)),
                        (&"public".into(), Some(0)),
                        "{line}{geometry}{cookie}"
                    );
                }
            }
        }
    }
}

#[test]
fn in_a_demo_the_cookie_alone_says_who_plays() {
    let world = World::new();
    for listen in loopbacks() {
        let server = named(&world, listen, true);
        for (cookie, role) in [
            ("", "national-analyst"),
            ("Cookie: theme=dark\r\n", "national-analyst"),
            ("Cookie: throughline-role=public\r\n", "public"),
            ("Cookie: throughline-role=force-analyst:kent\r\n", "force-analyst"),
            ("Cookie: throughline-role=local-operator\r\n", "public"),
            ("Cookie: throughline-role=national-analyst\r\nCookie: throughline-role=public\r\n", "public"),
        ] {
            for line in NAMES {
                for geometry in SHAPES {
                    let said = ask(&server, line, &format!("{geometry}{cookie}")).json();
                    assert_eq!(said["role"], role, "{line}{geometry}{cookie}");
                }
            }
        }
    }
}

#[test]
fn another_server_s_name_is_refused_whatever_is_asked() {
    let world = World::new();
    for demo in [false, true] {
        let server = named(&world, "127.0.0.1:0", demo);
        for line in FOREIGN {
            for geometry in SHAPES {
                let reply = ask(&server, line, geometry);
                reply.is_problem(421, "Host");
                assert!(!String::from_utf8_lossy(&reply.body).contains("evil"), "nothing is said back");
            }
        }
        for path in ["/", "/ogc", "/readyz", "/nothing"] {
            let line = format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\n");
            ask(&server, &line, "").is_problem(421, "Host");
        }
    }
    // Without a public address this machine's own names are the only ones.
    let server = world.serve();
    ask(&server, "GET /ogc HTTP/1.1\r\nHost: maps.example\r\n", "").is_problem(421, "public_url");
}

#[test]
fn other_rows_end_a_demo_while_it_runs() {
    let world = World::new();
    world.import("a.csv", "lon,lat,name\n-1,52,x\n", &options("everyones")).unwrap();
    let server = world.serve();
    let session = |cookie: &str| -> Value {
        let headers = [("Cookie", cookie)];
        server.ask("GET", "/api/session", if cookie.is_empty() { &[] } else { &headers }).json()
    };
    assert_eq!(session("")["role"], "national-analyst");
    assert_eq!(session("throughline-role=admin")["role"], "admin");
    let mut own = options("ours");
    own.about.open = false;
    world.import("b.csv", "lon,lat,name\n-1,52,secret\n", &own).unwrap();
    assert!(server.app.gate.refresh().unwrap());
    for cookie in ["", "throughline-role=national-analyst", "throughline-role=admin"] {
        let said = session(cookie);
        assert_eq!((&said["role"], said["roles"].as_array().map(Vec::len)), (&"public".into(), Some(0)));
        let headers = [("Cookie", cookie)];
        let rows = |id: &str| server.ask("GET", &format!("/ogc/collections/{id}/items"), &headers).status;
        assert_eq!((rows("everyones"), rows("ours")), (200, 404), "{cookie}");
    }
    // A second server over such a store has no demo from the start.
    assert_eq!(world.serve().get("/api/session").json()["role"], "public");
}

#[test]
fn metrics_and_what_is_damaged_are_on_a_listener_of_their_own() {
    let world = World::new();
    world.import("a.csv", "lon,lat,name\n-1,52,x\n-1,52,y\n", &options("p")).unwrap();
    let file = rusqlite::Connection::open(world.store.path()).unwrap();
    file.execute("UPDATE p SET name = 'forged' WHERE name = 'y'", []).unwrap();
    let server = world.serve();
    server.get("/metrics").is_problem(404, "nothing");
    assert_eq!(server.get("/readyz").json(), serde_json::json!({"status": "ready"}));
    let metrics = String::from_utf8(server.ask_operator("/metrics").body).unwrap();
    for name in [
        "throughline_rows 1\n",
        "throughline_degraded_collections 1\n",
        "throughline_unread_bytes 0\n",
        "throughline_log_lines_lost_total 0\n",
        "throughline_stopped_tasks 0\n",
        "throughline_requests_total{operation=\"getReady\",status=\"2xx\"} 1\n",
    ] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
    let ready = server.ask_operator("/readyz");
    assert_eq!((ready.status, &ready.json()["degraded"]), (200, &true.into()));
    assert_eq!(ready.json()["collections"][0], serde_json::json!({"collection": "p", "rows_missing": 1}));
    assert_eq!(server.ask_operator("/healthz").status, 200);
    for path in ["/", "/ogc", "/ogc/collections/p/items", "/api/session", "/metrics/"] {
        server.ask_operator(path).is_problem(404, "nothing");
    }
}

#[test]
fn a_background_task_that_has_ended_is_noticed_by_readyz() {
    let server = World::new();
    let server = server.serve();
    let running = server.app.tasks.begin("refresh");
    assert_eq!(server.get("/readyz").status, 200);
    let thread = std::thread::spawn(move || {
        let _running = running;
        std::panic::resume_unwind(Box::new("as a task may"));
    });
    assert!(thread.join().is_err());
    let ready = server.get("/readyz");
    assert_eq!((ready.status, ready.header("retry-after")), (503, Some("5")));
    assert_eq!(ready.json(), serde_json::json!({"status": "broken", "stopped": ["refresh"]}));
    assert_eq!(server.ask_operator("/readyz").status, 503);
    assert_eq!(server.get("/healthz").status, 200, "the process lives");
}
