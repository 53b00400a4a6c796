"""Importing towns and exporting hubs of the synthetic national set.

In: `places.csv` (and GeoNames for the towns of Greater London, which `places.csv` has as one row), `town-list.csv`,
`hub-list.csv`, `stations.csv`, `forces.geojson`, `forces.csv`, `regions.csv`, the postcodes.
Out: `data/reference/towns.csv` and `hubs.csv`, WGS 84 degrees.
Which towns and hubs are listed is a choice (A), no record of where lines run: every district of the four exporting
forces and sixteen more cities as hubs; towns of every force but the City of London.
Kind: `coastal` by hand (sea or estuary within 4 km, checked), else by inhabitants: `urban` from 75,000,
`market` from 10,000, `rural` below. A hub stands at the place it is named after, else at the median of the
positions of the district's postcodes.
Area: the exporting area people speak of: that of the exporting force, a secondary hub's own name.
Stations: the nearest stations of `stations.csv` as `CRS:minutes`, nearest first: up to three within 6 km, else the
nearest one up to 40 km. Minutes on foot (A): straight line times 1.3 at 80 m a minute, rounded up.
"""

import csv
import json
import math
import re

import numpy as np
import shapely

import areas
import fetch
import land
import osgb
import places
import postcodes

URBAN, MARKET = 75_000, 10_000
COAST_M = 4_000.0
AREAS = {"metropolitan": "London", "merseyside": "Merseyside", "greater-manchester": "Greater Manchester",
         "west-midlands": "West Midlands"}
EARTH_M = 6_371_008.8  # mean radius
STATIONS, NEAR_M, FAR_M = 3, 6_000.0, 40_000.0
DETOUR, WALK_M_PER_MIN = 1.3, 80.0  # (A)
TOWN_FIELDS = ["id", "name", "lon", "lat", "county", "force", "region", "population", "kind", "stations",
               "population_source"]
HUB_FIELDS = ["id", "name", "lon", "lat", "force", "region", "area", "population", "role", "district", "stations",
              "population_source"]


def slug(name):
    """A lower-case id of letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower().replace("'", "")).strip("-")


def write(name, fields, records):
    """A table of the reference folder."""
    path = fetch.REFERENCE / name
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(fields)
        writer.writerows(records)
    print(f"{name}: {len(records)} rows, {path.stat().st_size} bytes")


def source_of(place, corrected):
    """Named source of a place's population."""
    return "Census 2021 (ONS)" if place["id"] in corrected else "GeoNames"


def towns_of_london():
    """Rows of Greater London as `places.csv` would have them, for those with a population."""
    found = {}
    for f in places.britain():
        if f[11] == "GLA" and f[7] in ("PPL", "PPLA3") and int(f[14]) > 0:
            found[("Greater London", places.tidy(f[1]))] = {
                "id": f[0], "name": places.tidy(f[1]), "lon": f"{float(f[5]):.4f}", "lat": f"{float(f[4]):.4f}",
                "population": f[14], "county": "Greater London"}
    return found


def great_circle(lon1, lat1, lon2, lat2):
    """Metres on the mean sphere (haversine)."""
    lon1, lat1, lon2, lat2 = (np.radians(np.asarray(v, float)) for v in (lon1, lat1, lon2, lat2))
    h = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_M * np.arcsin(np.sqrt(h))


def walks(lon, lat, stations):
    """The nearest stations of a position as written, each with its minutes on foot."""
    away = great_circle(lon, lat, [r["lon"] for r in stations], [r["lat"] for r in stations])
    order = np.argsort(away, kind="stable")
    near = [i for i in order[:STATIONS] if away[i] <= NEAR_M] or [i for i in order[:1] if away[i] <= FAR_M]
    return " ".join(f"{stations[i]['crs']}:{math.ceil(away[i] * DETOUR / WALK_M_PER_MIN)}" for i in near)


def check(name, records, fields, region):
    """Unique ids; forces and regions that exist."""
    regions = {r["id"] for r in areas.rows("regions.csv")}
    id_, force, place = (fields.index(f) for f in ("id", "force", "region"))
    assert len({r[id_] for r in records}) == len(records), f"{name}: ids"
    for r in records:
        assert r[place] == region[r[force]] and (r[place] is None or r[place] in regions), f"{name}: {r[id_]}"


def main():
    region = {r["id"]: r["region"] for r in areas.rows("forces.csv")}
    place = {}
    for row in areas.rows("places.csv"):
        place.setdefault((row["county"], row["name"]), row)
    place |= towns_of_london()
    stations = areas.rows("stations.csv")
    corrected = {r["id"] for r in places.table("place-corrections.csv") if r["action"] == "population"}
    chosen = []
    for row in places.table("town-list.csv"):
        for names, coastal in ((row["coastal"], True), (row["inland"], False)):
            chosen += [(place[row["county"], n], coastal) for n in names.split(";") if n]
    force = areas.force_of([p["lon"] for p, _ in chosen], [p["lat"] for p, _ in chosen])
    topology = json.loads((fetch.REFERENCE / "land.topojson").read_text(encoding="utf-8"))
    coast = areas.scaled(land.decode(topology, "land")["GBR"]).boundary
    shapely.prepare(coast)
    twice = {n for n in (slug(p["name"]) for p, _ in chosen)
             if sum(slug(q["name"]) == n for q, _ in chosen) > 1}
    towns = []
    for (p, coastal), f in zip(chosen, force):
        people = int(p["population"])
        kind = "coastal" if coastal else "urban" if people >= URBAN else "market" if people >= MARKET else "rural"
        if coastal:
            point = shapely.Point(float(p["lon"]) * land.SHRINK, float(p["lat"]))
            distance = shapely.distance(coast, point) * land.METRES
            if distance > COAST_M:
                raise SystemExit(f"{p['name']} is {distance:.0f} m from the coast")
        key = slug(p["name"])
        if key in twice:
            key = slug(f"{p['name']} {p['county']}") if p["name"] != p["county"] else key
        towns.append([key, p["name"], p["lon"], p["lat"], p["county"], f, region[f], people, kind,
                      walks(p["lon"], p["lat"], stations), source_of(p, corrected)])
    towns.sort()
    check("towns.csv", towns, TOWN_FIELDS, region)
    write("towns.csv", TOWN_FIELDS, towns)
    print("  kinds:", {k: sum(t[8] == k for t in towns) for k in ("coastal", "market", "rural", "urban")},
          "forces without a town:", sorted(set(region) - {t[5] for t in towns}))

    gb, _, codes, _ = postcodes.read()
    hubs = []
    for row in places.table("hub-list.csv"):
        if row["place"]:
            p = place[tuple(row["place"].split("/"))]
            lon, lat = float(p["lon"]), float(p["lat"])
        else:
            there = gb[2] == codes.index(row["district"])
            lon, lat = osgb.to_wgs84(np.median(gb[0][there]), np.median(gb[1][there]))
        hubs.append([slug(row["name"]), row["name"], f"{lon:.4f}", f"{lat:.4f}", row["district"],
                     int(row["population"]), row["role"], row["population_source"]])
    force = areas.force_of([h[2] for h in hubs], [h[3] for h in hubs])
    hubs = sorted([key, name, lon, lat, f, region[f], AREAS.get(f, name), people, role,
                   district, walks(lon, lat, stations), source]
                  for (key, name, lon, lat, district, people, role, source), f in zip(hubs, force))
    check("hubs.csv", hubs, HUB_FIELDS, region)
    assert all((h[4] in AREAS) == (h[8] == "primary") for h in hubs), "hubs.csv: roles"
    write("hubs.csv", HUB_FIELDS, hubs)


if __name__ == "__main__":
    main()
