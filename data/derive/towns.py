"""Importing towns and exporting hubs of the synthetic national set.

In: `places.csv`, `town-list.csv`, `hub-list.csv`, `forces.geojson`, `forces.csv`, the postcodes.
Out: `data/reference/towns.csv` and `hubs.csv`, WGS 84 degrees.
Which towns and hubs are listed is a choice (A), no record of where lines run: every district of the four exporting
forces and sixteen more cities as hubs; towns of every force but the City of London.
Kind: `coastal` by hand (sea or estuary within 4 km, checked), else by inhabitants: `urban` from 75,000,
`market` from 10,000, `rural` below. A hub stands at the place it is named after, else at the median of the
positions of the district's postcodes.
"""

import csv
import json
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


def main():
    region = {r["id"]: r["region"] for r in areas.rows("forces.csv")}
    place = {}
    for row in areas.rows("places.csv"):
        place.setdefault((row["county"], row["name"]), row)
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
                      source_of(p, corrected)])
    towns.sort()
    assert len({t[0] for t in towns}) == len(towns), "ids"
    write("towns.csv", ["id", "name", "lon", "lat", "county", "force", "region", "population", "kind",
                        "population_source"], towns)
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
    hubs = sorted([h[0], h[1], h[2], h[3], f, region[f], h[5], h[6], h[4], h[7]] for h, f in zip(hubs, force))
    write("hubs.csv", ["id", "name", "lon", "lat", "force", "region", "population", "role", "district",
                       "population_source"], hubs)


if __name__ == "__main__":
    main()
