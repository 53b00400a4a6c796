//! From the path of an address to its route, in one walk of a radix tree.

use std::sync::LazyLock;

use crate::http::percent::decode_path;
use crate::http::routes::ROUTES;

/// Path parameters with their values, decoded.
pub type PathValues = Vec<(&'static str, String)>;

static TREE: LazyLock<matchit::Router<usize>> = LazyLock::new(|| {
    let mut tree = matchit::Router::new();
    for (place, route) in ROUTES.iter().enumerate() {
        // Two routes of one path would be a mistake of ours; a test walks all of them.
        let _ = tree.insert(route.path, place);
    }
    tree
});

/// The place in [`ROUTES`] of the route that a path meets, and what stands for its parameters. A slash at the end means
/// the same as none.
///
/// `public_path` is what public addresses begin with (`/throughline`, or nothing): a proxy in front may take it away or
/// leave it there.
#[must_use]
pub fn find(path: &str, public_path: &str) -> Option<(usize, PathValues)> {
    // A server whose public path is itself a path of ours still answers for both.
    find_as_it_is(path).or_else(|| {
        let inner = path.strip_prefix(public_path).filter(|inner| inner.len() < path.len())?;
        match inner {
            "" => find_as_it_is("/"),
            inner if inner.starts_with('/') => find_as_it_is(inner),
            _ => None,
        }
    })
}

fn find_as_it_is(path: &str) -> Option<(usize, PathValues)> {
    let found = TREE.at(path).or_else(|miss| match path.strip_suffix('/') {
        Some(inner) if !inner.is_empty() && !inner.ends_with('/') => TREE.at(inner),
        _ => Err(miss),
    });
    let found = found.ok()?;
    let place = *found.value;
    let names = ROUTES[place].parameters();
    let value = |name: &'static str| found.params.get(name).map(|value| (name, decode_path(value)));
    Some((place, names.filter_map(value).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_met_by_its_path_and_gets_its_parameters() {
        for (place, route) in ROUTES.iter().enumerate() {
            let mut path = route.path.to_owned();
            for name in route.parameters() {
                path = path.replace(&format!("{{{name}}}"), "a%2Fb");
            }
            let expected: PathValues = route.parameters().map(|name| (name, "a/b".to_owned())).collect();
            let slash = if path == "/" { path.clone() } else { format!("{path}/") };
            for (asked, under) in [
                (path.clone(), ""),
                (slash, ""),
                (path.clone(), "/throughline"),
                (format!("/throughline{path}"), "/throughline"),
                (format!("/ogc{path}"), "/ogc"),
            ] {
                let (found, values) = find(&asked, under).unwrap();
                if asked != "/ogc/" {
                    assert_eq!((found, &values), (place, &expected), "{asked} under {under}");
                }
            }
        }
    }

    #[test]
    fn other_paths_meet_none() {
        for path in [
            "",
            "/ogc//",
            "/nothing",
            "/nothing/",
            "/tiles/a/1/2/3",
            "/tiles/a/1/2/3.mvt//",
            "/throughlineogc",
            "/throughline/nothing",
            "/throughline/throughline/ogc",
            "/tiles/.json",
            "/assets/",
            "/ogc/collections//items",
            "/ogc/collections/a/items/b/c",
            "//ogc",
        ] {
            assert_eq!(find(path, "/throughline"), None, "{path}");
        }
    }
}
