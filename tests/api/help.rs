//! The guides: each is a page under the policy of the map, and leads only to what is there.

use crate::fixtures::World;

const PAGES: &[&str] = &["/help", "/help/analyst", "/help/planner", "/help/gis-officer"];

#[test]
fn every_guide_is_a_page_under_the_policy_of_the_map() {
    let world = World::new();
    let server = world.serve();
    let map = server.get("/");
    for path in PAGES {
        let page = server.get(path);
        assert_eq!(
            (page.status, page.header("content-type")),
            (200, Some("text/html; charset=utf-8")),
            "{path}"
        );
        for name in ["content-security-policy", "referrer-policy", "cache-control"] {
            assert_eq!(page.header(name), map.header(name), "{path}: {name}");
        }
        let html = String::from_utf8(page.body).unwrap();
        assert!(html.contains("<h1>") && !html.contains("<script") && !html.contains("style=\""), "{path}");
    }
}

#[test]
fn every_address_in_a_guide_leads_somewhere() {
    let world = World::new();
    let server = world.serve();
    let (mut followed, mut built) = (0, true);
    for path in PAGES {
        let html = String::from_utf8(server.get(path).body).unwrap();
        built &= html.contains("<main>");
        for address in html.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            let Some(inner) = address.strip_prefix("../") else {
                assert!(address.starts_with('#'), "{path}: {address}");
                continue;
            };
            // From `/help` and from `/help/analyst` alike, `../` is the address of the map.
            let target = format!("/{}", inner.split('#').next().unwrap());
            assert_eq!(server.get(&target).status, 200, "{path}: {address}");
            followed += 1;
        }
    }
    // Without the web part, each page leads to the data alone.
    let least = if built { 5 } else { 1 };
    assert!(followed >= least * PAGES.len(), "{followed} addresses");
}

#[test]
fn a_guide_that_there_is_not_is_nothing() {
    let world = World::new();
    let server = world.serve();
    for path in ["/help/none", "/help/index", "/help/..%2Findex", "/help/analyst/more", "/help/ANALYST"] {
        server.get(path).is_problem(404, "nothing");
    }
    server.get("/help?page=1").is_problem(400, "page");
}
