//! Golden tiles of small worlds, decoded to text. A difference in one of the files is a change that users can see.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;

use crate::at;
use crate::bytes;
use crate::fixtures::World;
use crate::fixtures::options;
use crate::mvt;
use crate::tile_at;
use crate::view;

fn to_text(tile: &[u8]) -> String {
    let mut out = String::new();
    for layer in mvt::read(tile) {
        writeln!(out, "layer {} ({} features, extent {})", layer.name, layer.features.len(), layer.extent)
            .unwrap();
        for feature in layer.features {
            let kind = ["", "points", "lines", "polygons"][feature.kind as usize];
            writeln!(out, "  {kind} {:?}", feature.properties).unwrap();
            for part in feature.parts {
                writeln!(out, "    {part:?}").unwrap();
            }
        }
    }
    out
}

const MIXED: &str = r#"{"type":"FeatureCollection","features":[
 {"type":"Feature","id":1,"properties":{"name":"mast","height_m":31.5,"floors":0,"lit":false,"note":null},"geometry":{"type":"Point","coordinates":[-1.2,50.8]}},
 {"type":"Feature","id":2,"properties":{"name":"pair","tags":{"a":1},"big":9007199254740993},"geometry":{"type":"MultiPoint","coordinates":[[-1.21,50.81],[-1.19,50.79]]}},
 {"type":"Feature","id":3,"properties":{"name":"road","seen":"2024-02-29"},"geometry":{"type":"LineString","coordinates":[[-1.6,50.8],[-1.25,50.82],[-1.1,50.75],[-0.6,50.8]]}},
 {"type":"Feature","id":4,"properties":{"name":"field"},"geometry":{"type":"Polygon","coordinates":[[[-1.3,50.7],[-1.3,50.75],[-1.2,50.75],[-1.2,50.7],[-1.3,50.7]],[[-1.27,50.72],[-1.24,50.72],[-1.24,50.73],[-1.27,50.73],[-1.27,50.72]]]}},
 {"type":"Feature","id":5,"properties":{"name":"speck"},"geometry":{"type":"Polygon","coordinates":[[[-1.15,50.78],[-1.15,50.7800001],[-1.1499999,50.7800001],[-1.15,50.78]]]}},
 {"type":"Feature","id":6,"properties":{"name":"nowhere"},"geometry":null}
]}"#;

#[test]
fn tiles_of_every_geometry_type_and_value_type() {
    let world = World::new();
    world.import("mixed.geojson", MIXED, &options("mixed")).unwrap();
    let view = view(&world);
    insta::assert_snapshot!("mixed-z9", to_text(&bytes(&view, &["mixed"], tile_at(-1.2, 50.75, 9))));
    insta::assert_snapshot!("mixed-z14", to_text(&bytes(&view, &["mixed"], tile_at(-1.15, 50.78, 14))));
    assert!(bytes(&view, &["mixed"], at(9, 0, 0)).is_empty());
}

#[test]
fn tiles_of_two_layers_and_of_a_coverage() {
    let world = World::new();
    world.import("mixed.geojson", MIXED, &options("mixed")).unwrap();
    let ring = |corners: &str| format!("{{\"type\":\"Polygon\",\"coordinates\":[[{corners}]]}}");
    // Two polygons share a border with a bend of 2 km, which zoom 3 does not draw.
    let (west, east) = (
        ring("[-2,50],[-1,50],[-1,50.5],[-0.98,50.52],[-1,50.54],[-1,51],[-2,51],[-2,50]"),
        ring("[-1,50],[0,50],[0,51],[-1,51],[-1,50.54],[-0.98,50.52],[-1,50.5],[-1,50]"),
    );
    let areas = format!(
        "{{\"type\":\"FeatureCollection\",\"features\":[{{\"type\":\"Feature\",\"properties\":{{\"side\":\"west\"}},\"geometry\":{west}}},{{\"type\":\"Feature\",\"properties\":{{\"side\":\"east\"}},\"geometry\":{east}}}]}}"
    );
    let mut coverage = options("sides");
    coverage.about.coverage = true;
    world.import("areas.geojson", areas, &coverage).unwrap();
    let view = view(&world);
    insta::assert_snapshot!("sides-z3", to_text(&bytes(&view, &["sides", "mixed"], tile_at(-1.0, 50.5, 3))));
    insta::assert_snapshot!("sides-z8", to_text(&bytes(&view, &["sides"], tile_at(-1.0, 50.5, 8))));
}
