"""Compare the derived files with independent public data, if that is at hand (`THROUGHLINE_TEST_DATA`).

In: the reference files and the folder of test data. Out: printed figures; exit 1 if a bound is missed.
Not needed to build anything: no row or geometry of the test data enters the reference files.
"""

import csv
import gzip
import json
import os
import pathlib
import sys

import numpy as np
import shapely

import areas
import fetch
import land
import osgb
import places

TEST = pathlib.Path(os.environ.get("THROUGHLINE_TEST_DATA", fetch.ROOT.parent / "shared" / "data"))
FAILED = []


def bound(name, good, total, least, note=""):
    """Print a share and remember whether it reaches its bound."""
    share = good / total if total else 0.0
    print(f"{name}: {good:,} of {total:,} = {100 * share:.3f} % (at least {100 * least:g} %){note}")
    if share < least:
        FAILED.append(name)


def table(name):
    """Rows of a compressed table of the test data."""
    with gzip.open(TEST / name, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def metres(lon1, lat1, lon2, lat2):
    """Distance in metres, equirectangular at the mean latitude; good below some tens of kilometres."""
    mid = np.radians((np.asarray(lat1) + np.asarray(lat2)) / 2)
    return np.hypot((np.asarray(lon1) - lon2) * np.cos(mid), np.asarray(lat1) - lat2) * land.METRES


def force_areas():
    """Real crime points against the areas: inside the right one; and with the nearest for points outside all."""
    lon, lat, force = [], [], []
    with gzip.open(TEST / "policeuk_all_points_2018-10_2019-02_compact.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            lon.append(row["lon"])
            lat.append(row["lat"])
            force.append(row["force"])
    lon, lat, force = np.array(lon, float), np.array(lat, float), np.array(force)
    ids, shapes = areas.load()
    parts = [(i, p) for i, s in zip(ids, shapes) for p in shapely.get_parts(s)]
    tree = shapely.STRtree([p for _, p in parts])
    names = np.array([i for i, _ in parts])
    use = np.isin(force, ids)
    print("forces of the points:", len(set(force)), "without an area:", ", ".join(sorted(set(force) - set(ids))))
    lon, lat, force = lon[use], lat[use], force[use]
    points = shapely.points(np.c_[lon * land.SHRINK, lat])
    hit, part = tree.query(points, predicate="intersects")
    got = np.full(len(points), "", dtype=names.dtype)
    # a point on a shared border counts as right if either side is
    for h, n in zip(hit, names[part]):
        if got[h] != force[h]:
            got[h] = n
    outside = np.flatnonzero(got == "")
    nearest = got.copy()
    nearest[outside] = names[tree.nearest(points[outside])]
    bound("crime points inside their force's area", int((got == force).sum()), len(force), 0.995,
          f"; {len(outside):,} outside every area (piers, harbours, the thinned coast)")
    bound("crime points, nearest area for those outside", int((nearest == force).sum()), len(force), 0.995)
    worst = []
    for f in sorted(set(force)):
        m = force == f
        worst.append((float((nearest[m] == f).mean()), f))
    print("  least:", ", ".join(f"{f} {100 * s:.2f} %" for s, f in sorted(worst)[:5]))


def official_areas():
    """The areas against the official ones of 2016, at the same crime points, where both have an answer."""
    code = {r["code"]: r["id"] for r in areas.rows("forces.csv")}
    collection = json.load(gzip.open(TEST / "police_force_areas_ew_2016_detailed.geojson.gz"))
    theirs = [(code[f["properties"]["code"]], shapely.make_valid(areas.scaled(shapely.geometry.shape(f["geometry"]))))
              for f in collection["features"]]
    ours = list(zip(*areas.load()))
    lon, lat = [], []
    with gzip.open(TEST / "policeuk_all_points_2018-10_2019-02_compact.csv.gz", "rt", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            if number % 4 == 0:
                lon.append(float(row["lon"]))
                lat.append(float(row["lat"]))
    points = shapely.points(np.c_[np.array(lon) * land.SHRINK, lat])
    answers = []
    for side in (ours, theirs):
        parts = [(i, p) for i, s in side for p in shapely.get_parts(s) if p.geom_type == "Polygon"]
        hit, part = shapely.STRtree([p for _, p in parts]).query(points, predicate="intersects")
        answer = np.full(len(points), "", dtype="U32")
        answer[hit] = np.array([i for i, _ in parts])[part]
        answers.append(answer)
    both = (answers[0] != "") & (answers[1] != "")
    bound("crime points where ours and the official area agree (every fourth point)",
          int((answers[0] == answers[1])[both].sum()), int(both.sum()), 0.995)


def coverages():
    """Validity of the polygon files, as features and as coverages; size."""
    for name in ("forces.geojson", "regions.geojson"):
        features = json.loads((fetch.REFERENCE / name).read_text(encoding="utf-8"))["features"]
        shapes = [shapely.geometry.shape(f["geometry"]) for f in features if f["geometry"]]
        bound(f"{name}: valid features", sum(bool(s.is_valid) for s in shapes), len(shapes), 1.0,
              f"; shared borders match: {bool(shapely.coverage_is_valid(shapes))}")
        if not shapely.coverage_is_valid(shapes):
            FAILED.append(name)
    topology = json.loads((fetch.REFERENCE / "land.topojson").read_text(encoding="utf-8"))
    for name in topology["objects"]:
        shapes = land.decode(topology, name)
        overlap = [(a, b) for a in shapes for b in shapes if a < b and shapes[a].intersection(shapes[b]).area > 1e-6]
        bound(f"land.topojson {name}: valid features", sum(bool(s.is_valid) for s in shapes.values()), len(shapes), 1.0,
              f"; overlapping: {overlap or 'none'}")


def districts():
    """District to force against the official look-up; forces in regions."""
    code = {r["id"]: r["code"] for r in areas.rows("forces.csv")}
    with open(TEST / "lad_pfa_region_2024.csv", encoding="utf-8", newline="") as file:
        official = {r["code"]: r["pfa_code"] for r in csv.DictReader(file)}
    mine = {r["code"]: code[r["force"]] for r in places.table("districts.csv")}
    same = [c for c in mine if c in official]
    bound("districts in the official force", sum(mine[c] == official[c] for c in same), len(same), 1.0,
          f"; not in the look-up: {', '.join(sorted(set(mine) - set(official)))}")
    members = {}
    for row in areas.rows("forces.csv"):
        if row["region"]:
            members.setdefault(row["region"], []).append(row["id"])
    counts = {r["id"]: int(r["forces"]) for r in areas.rows("regions.csv")}
    bound("regions with the stated number of forces", sum(len(members[r]) == n for r, n in counts.items()), len(counts), 1.0,
          f"; {sum(map(len, members.values()))} forces in regions")


def rail_lines():
    """Track as one tree of lines in degrees scaled at 54 N."""
    collection = json.load(gzip.open(TEST / "gb_rail_lines.geojson.gz"))
    return [shapely.LineString(np.array(f["geometry"]["coordinates"])[:, :2]) for f in collection["features"]]


def off_track(lon, lat, tree):
    """Metres from each position to the nearest track."""
    points = shapely.points(np.c_[lon, lat])
    out = []
    for point, y in zip(points, lat):
        near = tree.query(shapely.buffer(point, 0.05))
        scale = np.array([np.cos(np.radians(y)), 1.0]) * land.METRES
        local = [shapely.transform(tree.geometries[i], lambda c: c * scale) for i in near]
        here = shapely.transform(point, lambda c: c * scale)
        out.append(min((shapely.distance(g, here) for g in local), default=np.inf))
    return np.array(out)


def stations():
    """Stations against the regulator's list and the track."""
    mine = {r["crs"]: r for r in areas.rows("stations.csv")}
    rows = table("orr_station_usage_2015_16.csv.gz")
    known = [r for r in rows if r["crs"] in mine]
    lon, lat = osgb.to_wgs84([float(r["easting"]) for r in known], [float(r["northing"]) for r in known])
    distance = metres([float(mine[r["crs"]]["lon"]) for r in known], [float(mine[r["crs"]]["lat"]) for r in known], lon, lat)
    far = [f"{r['crs']} {d:.0f} m" for r, d in zip(known, distance) if d > 300]
    bound("stations within 300 m of ORR 2015-16", int((distance <= 300).sum()), len(known), 0.995, f"; over: {', '.join(far)}")
    print("  ORR codes not in the list:", ", ".join(sorted(r["crs"] for r in rows if r["crs"] not in mine)))
    off = off_track([float(r["lon"]) for r in mine.values()], [float(r["lat"]) for r in mine.values()],
                    shapely.STRtree(rail_lines()))
    bound("stations within 300 m of track", int((off <= 300).sum()), len(off), 0.999)


def settlements():
    """Towns and places against the index of place names: nearest entry of the same name."""
    def plain(name):
        return "".join(c for c in name.lower().replace("saint ", "st ") if c.isalnum())
    index = {}
    for row in table("ons_index_of_place_names_gb_2022.csv.gz"):
        if row["description_code"] in ("LOC", "BUA", "BUASD", "PAR", "CA", "UA", "NMD", "MD", "COM"):
            index.setdefault(plain(row["name"]), []).append((float(row["lon"]), float(row["lat"])))
    for name, least in (("towns.csv", 0.95), ("places.csv", 0.9)):
        rows = [r for r in areas.rows(name) if r.get("country", "") != "northern-ireland"
                and r.get("force") != "northern-ireland"]
        rows = [r for r in rows if plain(r["name"]) in index]
        near = [min(metres(float(r["lon"]), float(r["lat"]), x, y) for x, y in index[plain(r["name"])]) for r in rows]
        far = sorted(((d, r["name"]) for d, r in zip(near, rows) if d > 2000), reverse=True)
        note = "; over: " + ", ".join(f"{n} {d / 1000:.1f} km" for d, n in far[:12])
        bound(f"{name} within 2 km of an index entry of that name", len(rows) - len(far), len(rows), least, note)


def corridors():
    """Corridor vertices against the track, implied speeds, chords against the track."""
    rows = areas.rows("corridors.csv")
    station = {r["crs"]: (float(r["lon"]), float(r["lat"])) for r in areas.rows("stations.csv")}
    tree = shapely.STRtree(rail_lines())
    lon, lat = np.array([station[r["crs"]] for r in rows]).T
    off = off_track(lon, lat, tree)
    bound("corridor vertices within 1 km of track", int((off <= 1000).sum()), len(off), 1.0)
    speeds, middle, long_ones = [], [], 0
    for a, b in zip(rows, rows[1:]):
        if a["id"] == b["id"]:
            length, time = int(b["chainage_m"]) - int(a["chainage_m"]), int(b["running_time_s"]) - int(a["running_time_s"])
            speeds.append(3.6 * length / time)
            p, q = np.array(station[a["crs"]]), np.array(station[b["crs"]])
            middle += [p + (q - p) * t for t in (0.25, 0.5, 0.75)]
            long_ones += length > 20_000
    speeds = np.array(speeds)
    bound("sections at 30 to 200 km/h", int(((speeds >= 30) & (speeds <= 200)).sum()), len(speeds), 1.0,
          f"; {speeds.min():.0f} to {speeds.max():.0f}")
    middle = off_track(*np.array(middle).T, tree)
    bound("points along straight sections within 1 km of track", int((middle <= 1000).sum()), len(middle), 0.8,
          f"; {long_ones} sections over 20 km")


def main():
    if not TEST.is_dir():
        print("no test data: nothing checked")
        return
    for part in (coverages, districts, stations, settlements, corridors, official_areas, force_areas):
        part()
    if FAILED:
        sys.exit("bounds missed: " + "; ".join(FAILED))


if __name__ == "__main__":
    main()
