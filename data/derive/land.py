"""Land of the British Isles and the coast across the water, for the map's ground.

In: npm `@geo-maps/countries-coastline-1m` (OpenStreetMap contributors, ODbL-1.0), WGS 84 degrees.
Out: `data/reference/land.topojson`, quantised TopoJSON, with the objects
`land` (zoom 7 and up) and `land_low` (below): features with `iso` GBR, IRL, IMN;
`neighbours` and `neighbours_low`: GGY, JEY, FRA, BEL, NLD, LUX, DEU, DNK, clipped to the window.
Shared borders are shared arcs. Thinning is Visvalingam's, of the coverage as a whole, so borders stay shared.
"""

import gzip
import io
import json
import sys
import tarfile

import numpy as np
import shapely
from shapely.geometry import shape

import fetch

WINDOW = shapely.box(-12.0, 48.5, 8.0, 62.5)
HOME = ["GBR", "IRL", "IMN"]
NEIGHBOURS = ["GGY", "JEY", "FRA", "BEL", "NLD", "LUX", "DEU", "DNK"]
SHRINK = float(np.cos(np.radians(54.0)))  # a degree of longitude against one of latitude, mid-country
METRES = 111_195.0  # of one degree of latitude on the mean sphere

STEPS = 600_000  # quantisation: 2.2 m in longitude at 54 N, 2.6 m in latitude; half a pixel at zoom 14

# object: (countries, drop islands below this area in km2, thin triangles below this area in m2, steps of its own grid)
OBJECTS = {
    "land": (HOME, 0.05, 60.0, 1),
    "neighbours": (NEIGHBOURS, 0.5, 40_000.0, 10),
    "land_low": (HOME, 1.2, 250_000.0, 20),
    "neighbours_low": (NEIGHBOURS, 8.0, 2_000_000.0, 20),
}


def read():
    """Countries of the window: code -> list of valid polygons in scaled degrees (longitude x SHRINK)."""
    with tarfile.open(fetch.package("coast")) as archive:
        collection = json.load(archive.extractfile("package/map.geo.json"))
    countries = {}
    for feature in collection["features"]:
        code = feature["properties"]["A3"]
        if code in HOME or code in NEIGHBOURS:
            geometry = shape(feature["geometry"])
            parts = [p for p in getattr(geometry, "geoms", [geometry]) if p.intersects(WINDOW)]
            clipped = shapely.intersection(shapely.MultiPolygon(parts), WINDOW)
            countries[code] = shapely.transform(clipped, lambda c: c * [SHRINK, 1.0])
    return countries


def polygons(geometry):
    """The polygons in a geometry, in a fixed order."""
    return [p for p in shapely.get_parts(geometry) if p.geom_type == "Polygon" and p.area > 0]


def thin(countries, codes, least_km2, triangle_m2):
    """Drop small islands, then thin the coverage."""
    unit = (METRES / 1000.0) ** 2
    kept = [shapely.MultiPolygon([p for p in polygons(countries[c]) if p.area * unit >= least_km2]) for c in codes]
    return shapely.coverage_simplify(kept, np.sqrt(triangle_m2) / METRES)


class Arcs:
    """Arcs of a topology on an integer grid."""

    def __init__(self):
        self.arcs, self.index = [], {}

    def arc(self, points):
        """Number of the arc, its complement if it is stored the other way round."""
        key, back = tuple(points), tuple(reversed(points))
        if key in self.index:
            return self.index[key]
        if back in self.index:
            return ~self.index[back]
        self.index[key] = len(self.arcs)
        self.arcs.append(key)
        return self.index[key]

    def rings(self, layers):
        """Cut rings where the set of neighbours changes. `layers`: nested lists of rings (closed, integer)."""
        around, owner = {}, {}
        flat = [ring for feature in layers for polygon in feature for ring in polygon]
        for number, ring in enumerate(flat):
            for before, here, after in zip([ring[-2]] + ring[:-2], ring[:-1], ring[1:]):
                around.setdefault(here, set()).add(frozenset((before, after)))
                owner[here] = owner.get(here, 0) + 1
        node = {p for p, pairs in around.items() if len(pairs) > 1}
        out = []
        for feature in layers:
            shaped = []
            for polygon in feature:
                cut = []
                for ring in polygon:
                    body = ring[:-1]
                    starts = [i for i, p in enumerate(body) if p in node]
                    # a ring without nodes is one arc; it starts at its least point so that pairs match
                    first = starts[0] if starts else body.index(min(body))
                    body = body[first:] + body[:first]
                    body.append(body[0])
                    pieces, piece = [], [body[0]]
                    for p in body[1:]:
                        piece.append(p)
                        if p in node and len(piece) > 1:
                            pieces.append(piece)
                            piece = [p]
                    if len(piece) > 1:
                        pieces.append(piece)
                    cut.append([self.arc(x) for x in pieces])
                shaped.append(cut)
            out.append(shaped)
        return out


def snap(geometry, origin, step, coarse):
    """Polygons of a geometry as closed rings on every `coarse`-th step of the grid; what collapses is dropped."""
    out = []
    for polygon in polygons(geometry):
        rings = []
        for number, ring in enumerate([polygon.exterior, *polygon.interiors]):
            grid = np.rint((np.asarray(ring.coords) / [SHRINK, 1.0] - origin) / (step * coarse)).astype(np.int64) * coarse
            keep = np.ones(len(grid), bool)
            keep[1:] = np.any(grid[1:] != grid[:-1], axis=1)
            grid = grid[keep]
            if len(grid) >= 4:
                rings.append([tuple(int(v) for v in p) for p in grid])
            elif number == 0:
                break
        if rings:
            out.append(rings)
    return out


def valid_feature(shapes, code, coarse):
    """The polygons of one country, repaired where rounding made them touch or cross themselves or each other."""
    for attempt in range(8):
        made = shapely.MultiPolygon([shapely.Polygon(rings[0], rings[1:]) for rings in shapes])
        if made.is_valid:
            return shapes
        if attempt == 0:
            print(f"  {code}: repaired, {shapely.is_valid_reason(made)}")
        # each polygon first, so that the union only has to join islands that came to touch
        whole = shapely.unary_union([shapely.make_valid(p, method="structure") for p in made.geoms])
        shapes = []
        for part in polygons(whole):
            rings = []
            for number, ring in enumerate([part.exterior, *part.interiors]):
                grid = np.rint(np.asarray(ring.coords) / coarse).astype(np.int64) * coarse
                keep = np.ones(len(grid), bool)
                keep[1:] = np.any(grid[1:] != grid[:-1], axis=1)
                grid = grid[keep]
                if len(grid) >= 4:
                    rings.append([tuple(int(v) for v in p) for p in grid])
                elif number == 0:
                    break
            if rings:
                shapes.append(rings)
    raise SystemExit(f"{code} cannot be repaired")


def main():
    countries = read()
    bounds = np.array(WINDOW.bounds)
    origin, step = bounds[:2], (bounds[2:] - bounds[:2]) / (STEPS - 1)
    arcs, objects = Arcs(), {}
    for name, (codes, least_km2, triangle_m2, coarse) in OBJECTS.items():
        layers = []
        for code, geometry in zip(codes, thin(countries, codes, least_km2, triangle_m2)):
            layers.append(valid_feature(snap(geometry, origin, step, coarse), code, coarse))
        shaped = arcs.rings(layers)
        objects[name] = {"type": "GeometryCollection", "geometries": [
            {"type": "MultiPolygon", "properties": {"iso": code}, "arcs": feature}
            for code, feature in zip(codes, shaped) if feature]}
        vertices = sum(len(r) for f in layers for p in f for r in p)
        print(f"{name}: {vertices} vertices, {sum(len(f) for f in layers)} polygons")
    deltas = []
    for arc in arcs.arcs:
        grid = np.array(arc)
        grid[1:] -= np.array(arc)[:-1]
        deltas.append(grid.tolist())
    topology = {"type": "Topology", "bbox": bounds.tolist(),
                "transform": {"scale": step.tolist(), "translate": origin.tolist()},
                "objects": objects, "arcs": deltas}
    path = fetch.REFERENCE / "land.topojson"
    text = json.dumps(topology, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")
    print(f"{path.name}: {len(text)} bytes, gzip {len(gzip.compress(text.encode(), 9, mtime=0))}")
    for name in OBJECTS:
        print(f"  {name} alone: gzip {len(gzip.compress(alone(topology, name).encode(), 9, mtime=0))}")


def decode(topology, name):
    """Multi-polygons of an object by `iso`, in degrees."""
    scale, translate = (np.array(topology["transform"][k]) for k in ("scale", "translate"))
    arcs = [np.cumsum(np.array(a), axis=0) * scale + translate for a in topology["arcs"]]

    def ring(numbers):
        pieces = [arcs[n] if n >= 0 else arcs[~n][::-1] for n in numbers]
        return np.concatenate([p[1 if i else 0:] for i, p in enumerate(pieces)])

    return {g["properties"]["iso"]: shapely.MultiPolygon(
        [shapely.Polygon(ring(p[0]), [ring(r) for r in p[1:]]) for p in g["arcs"]])
        for g in topology["objects"][name]["geometries"]}


def alone(topology, *names):
    """The topology with only these objects and their arcs, as text."""
    used, arcs = {}, []

    def walk(value):
        if isinstance(value, list):
            return [walk(v) for v in value]
        number = value if value >= 0 else ~value
        if number not in used:
            used[number] = len(arcs)
            arcs.append(topology["arcs"][number])
        return used[number] if value >= 0 else ~used[number]

    objects = {n: {"type": "GeometryCollection", "geometries": [
        {**g, "arcs": walk(g["arcs"])} for g in topology["objects"][n]["geometries"]]} for n in names}
    return json.dumps({**topology, "objects": objects, "arcs": arcs}, separators=(",", ":"))


if __name__ == "__main__":
    main()
