"""Police force areas and policing regions as polygons that share borders.

In: `postcodes.py` (ONS Postcode Directory), `districts.csv` (district to force), `land.topojson`, the ids of
`forces.csv` and `regions.csv`. Out: `data/reference/forces.geojson` and `regions.geojson`, WGS 84 degrees.
A place belongs to the force of its nearest postcode: the cells of the Voronoi diagram of all postcodes near a
border (and one for each 2 km square elsewhere), joined by force, thinned as one coverage, cut at the coast.
Not official boundaries: within some hundred metres of them where people live, less exact in empty country.
"""

import csv
import json

import numpy as np
import shapely

import fetch
import land
import osgb
import postcodes

SQUARE = 2_000  # metres: side of the squares that decide whether a border may be near
REACH = 3  # squares
ISLET_M2 = 8_000_000.0  # detached pieces below this are stray postcodes, unless they are all a force has
BORDER_M2 = 50_000.0  # thinning of borders: triangles below this go
COAST_M2 = 400_000.0  # thinning of the coast
ISLAND_M2 = 300_000.0
DIGITS = 4  # decimals of a degree: 11 m or less
REGION_SCALE = 4.0  # regions are thinned once more, for small scales


def positions(east, north, force):
    """Distinct positions and the commonest force at each; ties go to the lower number."""
    key = east.astype(np.int64) * 2_000_000 + north.astype(np.int64)
    pairs, count = np.unique(np.c_[key, force], axis=0, return_counts=True)
    pairs = pairs[np.lexsort((pairs[:, 1], -count, pairs[:, 0]))]
    key, first = np.unique(pairs[:, 0], return_index=True)
    return np.c_[key // 2_000_000, key % 2_000_000].astype(float), pairs[first, 1]


def near_borders(points, force):
    """Indices of the positions that can decide a border, and one for each square elsewhere."""
    cells = (points // SQUARE).astype(int) + REACH + 1
    shape = tuple(cells.max(0) + REACH + 2)
    low, high = np.full(shape, 10**6), np.full(shape, -1)
    np.minimum.at(low, tuple(cells.T), force)
    np.maximum.at(high, tuple(cells.T), force)
    for axis in (0, 1):
        low = np.min([np.roll(low, d, axis) for d in range(-REACH, REACH + 1)], axis=0)
        high = np.max([np.roll(high, d, axis) for d in range(-REACH, REACH + 1)], axis=0)
    near = (low < high)[tuple(cells.T)]
    rest = np.flatnonzero(~near)
    _, one = np.unique(cells[rest, 0] * 10_000 + cells[rest, 1], return_index=True)
    return np.sort(np.r_[np.flatnonzero(near), rest[one]])


def joined(points, force, count):
    """The coverage of Voronoi cells joined by force, in metres."""
    window = shapely.box(-100_000, -100_000, 800_000, 1_400_000)
    cells = np.array(shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=window, ordered=True).geoms)
    whole = [shapely.coverage_union_all(cells[force == n]) for n in range(count)]
    # stray pieces go to the neighbour they share most border with
    pieces = [(n, p) for n, g in enumerate(whole) for p in shapely.get_parts(g)]
    largest = {n: max(shapely.get_parts(g), key=lambda p: p.area).area for n, g in enumerate(whole)}
    least = [min(ISLET_M2, largest[n]) for n in range(count)]
    main = [(n, p) for n, p in pieces if p.area >= least[n]]
    moved = 0
    tree = shapely.STRtree([p for _, p in main])
    for n, piece in pieces:
        if piece.area < least[n]:
            best = max(tree.query(piece), key=lambda i: (shapely.length(shapely.intersection(main[i][1], piece)), -i))
            main.append((main[best][0], piece))
            moved += 1
    print(f"  {len(pieces)} pieces, {moved} strays moved to their surroundings")
    return [shapely.coverage_union_all([p for m, p in main if m == n]) for n in range(count)]


def to_degrees(geometries, grid):
    """Grid metres to WGS 84 degrees."""
    return [shapely.transform(g, lambda c: np.c_[osgb.to_wgs84(c[:, 0], c[:, 1], grid)]) for g in geometries]


def scaled(geometry, back=False):
    """Degrees to degrees of equal length, mid-country, and back."""
    factor = 1 / land.SHRINK if back else land.SHRINK
    return shapely.transform(geometry, lambda c: c * [factor, 1.0])


def home_land():
    """Great Britain's islands and Northern Ireland from `land.topojson`, thinned, in scaled degrees."""
    topology = json.loads((fetch.REFERENCE / "land.topojson").read_text(encoding="utf-8"))
    shapes = {iso: scaled(g) for iso, g in land.decode(topology, "land").items()}
    unit = land.METRES**2
    kept = [shapely.MultiPolygon([p for p in shapely.get_parts(shapes[i]) if p.area * unit >= ISLAND_M2])
            for i in ("GBR", "IRL")]
    return shapely.get_parts(shapely.coverage_simplify(kept, np.sqrt(COAST_M2) / land.METRES)[0])


def rounded(geometries):
    """The coverage on the grid of DIGITS decimals, valid, in degrees."""
    out = []
    for geometry in geometries:
        made = shapely.set_precision(scaled(geometry, back=True), 10.0**-DIGITS)
        out.append(shapely.MultiPolygon([shapely.Polygon(p.exterior, [h for h in p.interiors])
                                         for p in shapely.get_parts(made) if p.geom_type == "Polygon"]))
    return out


def write(name, ids, geometries, properties):
    """A GeoJSON file of one feature a line, exterior rings anticlockwise."""
    lines = []
    for key, geometry in zip(ids, geometries):
        parts = sorted(shapely.get_parts(geometry), key=lambda p: -p.area)
        coordinates = []
        for part in parts:
            part = shapely.orient_polygons(shapely.normalize(part))
            coordinates.append([np.round(np.asarray(r.coords), DIGITS).tolist()
                                for r in (part.exterior, *part.interiors)])
        lines.append(json.dumps({"type": "Feature", "id": key, "properties": properties[key],
                                 "geometry": {"type": "MultiPolygon", "coordinates": coordinates}},
                                separators=(",", ":"), ensure_ascii=False))
    # a force without an area is a row without a place
    for key in sorted(set(properties) - set(ids)):
        lines.append(json.dumps({"type": "Feature", "id": key, "properties": properties[key], "geometry": None},
                                separators=(",", ":"), ensure_ascii=False))
    text = '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n"
    path = fetch.REFERENCE / name
    path.write_text(text, encoding="utf-8")
    vertices = sum(int(shapely.get_num_coordinates(g)) for g in geometries)
    print(f"{name}: {len(lines)} features, {vertices} vertices, {len(text.encode())} bytes,",
          f"valid {sum(bool(g.is_valid) for g in geometries)}")


def rows(name):
    """Rows of a reference table; an empty cell is None."""
    with open(fetch.REFERENCE / name, encoding="utf-8", newline="") as file:
        return [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]


def load():
    """Force ids and their areas, in scaled degrees."""
    collection = json.loads((fetch.REFERENCE / "forces.geojson").read_text(encoding="utf-8"))
    return ([f["id"] for f in collection["features"] if f["geometry"]],
            [scaled(shapely.geometry.shape(f["geometry"])) for f in collection["features"] if f["geometry"]])


def force_of(lon, lat):
    """Force id of each position: the area it stands in, else the nearest."""
    ids, shapes = load()
    parts = [(i, p) for i, s in zip(ids, shapes) for p in shapely.get_parts(s)]
    tree = shapely.STRtree([p for _, p in parts])
    points = shapely.points(np.c_[np.asarray(lon, float) * land.SHRINK, np.asarray(lat, float)])
    return [parts[i][0] for i in tree.nearest(points)]


def main():
    gb, ni, codes, force_of_district = postcodes.read()
    forces = [r["id"] for r in rows("forces.csv") if r["territorial"] == "true" and r["id"] != "northern-ireland"]
    number = np.array([forces.index(f) if f in forces else -1 for f in force_of_district])
    points, force = positions(gb[0], gb[1], number[gb[2]])
    keep = near_borders(points, force)
    print(f"  {len(points)} positions, {len(keep)} used")
    whole = joined(points[keep], force[keep], len(forces))
    areas = [scaled(g) for g in to_degrees(whole, osgb.BRITISH)]
    areas = shapely.coverage_simplify(areas, np.sqrt(BORDER_M2) / land.METRES)
    # Northern Ireland is the land whose nearest postcode is Irish
    ireland = shapely.MultiPoint([(x * land.SHRINK, y) for x, y in zip(*osgb.to_wgs84(*ni[:2], osgb.IRISH))])
    britain = np.c_[osgb.to_wgs84(*points[::20].T)] * [land.SHRINK, 1.0]
    trees = shapely.STRtree(shapely.get_parts(ireland)), shapely.STRtree(shapely.points(britain))
    british, irish = [], []
    for island in home_land():
        distance = [t.query_nearest(island, return_distance=True, all_matches=False)[1][0] for t in trees]
        (irish if distance[0] < distance[1] else british).append(island)
    ground = shapely.MultiPolygon(british)
    cut = [shapely.intersection(a, ground) for a in areas] + [shapely.MultiPolygon(irish)]
    ids = [*forces, "northern-ireland"]
    names = {r["id"]: r | {"territorial": r["territorial"] == "true"} for r in rows("forces.csv")}
    regions = {r["id"]: r | {"forces": int(r["forces"])} for r in rows("regions.csv")}
    for record in (*names.values(), *regions.values()):
        del record["edition"]  # the edition stays with the two tables
    order = np.argsort(ids)
    write("forces.geojson", [ids[i] for i in order], rounded([cut[i] for i in order]), names)
    member = {r["id"]: r["region"] for r in rows("forces.csv")}
    unit = np.sqrt(BORDER_M2 * REGION_SCALE) / land.METRES
    merged = shapely.coverage_simplify(
        [shapely.coverage_union_all([areas[n] for n, f in enumerate(forces) if member[f] == r]) for r in sorted(regions)],
        unit)
    coast = shapely.coverage_simplify([ground], np.sqrt(COAST_M2 * REGION_SCALE) / land.METRES)[0]
    write("regions.geojson", sorted(regions), rounded([shapely.intersection(m, coast) for m in merged]), regions)


if __name__ == "__main__":
    main()
