//! From the path of an address to its routes, in one walk of a radix tree, and from a method to one of them.

use std::borrow::Cow;

use crate::http::percent::decode_path;
use crate::http::routes::Method;
use crate::http::routes::Route;

/// Path parameters with their values, decoded.
pub type PathValues = Vec<(&'static str, String)>;

/// The routes of a server, by path.
#[derive(Debug)]
pub struct Router {
    routes: &'static [Route],
    tree: matchit::Router<Vec<usize>>,
}

/// What a path meets.
#[derive(Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// Places in the list of the routes with this path, one for each method.
    places: &'a [usize],
    /// What stands for the path's parameters.
    pub values: PathValues,
}

impl Found<'_> {
    /// The place in the list of the first route of the path, whatever its method.
    #[must_use]
    pub fn first(&self) -> Option<usize> {
        self.places.first().copied()
    }
}

impl Router {
    /// Of a list of routes.
    ///
    /// # Panics
    /// If two paths cannot stand beside each other, or a method of a path is there twice: a mistake in the list.
    #[must_use]
    pub fn new(routes: &'static [Route]) -> Self {
        let mut by_path: Vec<(&str, Vec<usize>)> = Vec::new();
        for (place, route) in routes.iter().enumerate() {
            match by_path.iter_mut().find(|(path, _)| *path == route.path) {
                Some((_, places)) => {
                    let twice = places.iter().any(|known| routes[*known].method == route.method);
                    assert!(!twice, "{:?} {} is there twice", route.method, route.path);
                    places.push(place);
                }
                None => by_path.push((route.path, vec![place])),
            }
        }
        let mut tree = matchit::Router::new();
        for (path, places) in by_path {
            let inserted = tree.insert(path, places);
            assert!(inserted.is_ok(), "{path}: {inserted:?}");
        }
        Self { routes, tree }
    }

    /// All routes.
    #[must_use]
    pub fn routes(&self) -> &'static [Route] {
        self.routes
    }

    /// The routes that a path meets, and what stands for its parameters. A slash at the end means the same as none.
    ///
    /// `public_path` is what public addresses begin with (`/throughline`, or nothing): a proxy in front may take it away or
    /// leave it there.
    #[must_use]
    pub fn find(&self, path: &str, public_path: &str) -> Option<Found<'_>> {
        // A server whose public path is itself a path of ours still answers for both.
        self.find_as_it_is(path).or_else(|| {
            let inner = path.strip_prefix(public_path).filter(|inner| inner.len() < path.len())?;
            match inner {
                "" => self.find_as_it_is("/"),
                inner if inner.starts_with('/') => self.find_as_it_is(inner),
                _ => None,
            }
        })
    }

    fn find_as_it_is(&self, path: &str) -> Option<Found<'_>> {
        let found = self.tree.at(path).or_else(|miss| match path.strip_suffix('/') {
            Some(inner) if !inner.is_empty() && !inner.ends_with('/') => self.tree.at(inner),
            _ => Err(miss),
        });
        let found = found.ok()?;
        let names = self.routes[*found.value.first()?].parameters();
        let value = |name: &'static str| found.params.get(name).map(|value| (name, decode_path(value)));
        Some(Found { places: found.value, values: names.filter_map(value).collect() })
    }

    /// The place in the list of the route that answers a method; HEAD is answered as GET.
    #[must_use]
    pub fn place(&self, found: &Found<'_>, method: &str) -> Option<usize> {
        let method = Method::parse(if method == "HEAD" { "GET" } else { method })?;
        found.places.iter().copied().find(|place| self.routes[*place].method == method)
    }

    /// The methods of a path, for `Allow`.
    #[must_use]
    pub fn allowed(&self, found: &Found<'_>) -> Cow<'static, str> {
        let methods = found.places.iter().map(|place| self.routes[*place].method);
        if methods.clone().all(|method| method == Method::Get) {
            return "GET, HEAD, OPTIONS".into();
        }
        let words = methods.flat_map(|method| match method {
            Method::Get => vec!["GET", "HEAD"],
            other => vec![other.as_str()],
        });
        words.chain(["OPTIONS"]).collect::<Vec<_>>().join(", ").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::routes::ROUTES;

    #[test]
    fn every_route_is_met_by_its_path_and_gets_its_parameters() {
        let router = Router::new(ROUTES);
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
                let found = router.find(&asked, under).unwrap();
                if asked != "/ogc/" {
                    assert_eq!(router.place(&found, route.method.as_str()), Some(place), "{asked} {under}");
                    assert_eq!(found.values, expected, "{asked} under {under}");
                }
            }
        }
    }

    #[test]
    fn other_paths_meet_none() {
        let router = Router::new(ROUTES);
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
            assert_eq!(router.find(path, "/throughline"), None, "{path}");
        }
    }

    #[test]
    fn methods_of_one_path_are_routes_of_their_own() {
        const OGC: &[Route] = ROUTES.split_at(4).1;
        const TWO: &[Route] = &[Route { method: Method::Post, ..OGC[0] }, OGC[0], OGC[1]];
        let router = Router::new(TWO);
        let found = router.find("/ogc", "").unwrap();
        let place = |method| router.place(&found, method);
        assert_eq!(
            (place("POST"), place("GET"), place("HEAD"), place("PUT")),
            (Some(0), Some(1), Some(1), None)
        );
        assert_eq!(router.allowed(&found), "POST, GET, HEAD, OPTIONS");
        let found = router.find("/ogc/conformance", "").unwrap();
        assert_eq!(
            (router.place(&found, "POST"), router.allowed(&found)),
            (None, "GET, HEAD, OPTIONS".into())
        );
    }
}
