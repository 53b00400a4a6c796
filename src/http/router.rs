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

/// The place in [`ROUTES`] of the route that a path meets, and what stands for its parameters.
#[must_use]
pub fn find(path: &str) -> Option<(usize, PathValues)> {
    let found = TREE.at(path).ok()?;
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
            let (found, values) = find(&path).unwrap();
            assert_eq!(found, place, "{path}");
            let expected: PathValues = route.parameters().map(|name| (name, "a/b".to_owned())).collect();
            assert_eq!(values, expected, "{path}");
        }
    }

    #[test]
    fn other_paths_meet_none() {
        for path in [
            "",
            "/ogc/",
            "/nothing",
            "/tiles/a/1/2/3",
            "/tiles/a/1/2/3.mvt/",
            "/tiles/.json",
            "/assets/",
            "/ogc/collections//items",
            "/ogc/collections/a/items/b/c",
            "//ogc",
        ] {
            assert_eq!(find(path), None, "{path}");
        }
    }
}
