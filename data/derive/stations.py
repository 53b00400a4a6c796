"""All railway stations of Great Britain with a National Rail code.

In: npm `uk-railway-stations` (ODbL-1.0, attribution in its licence), `station-corrections.csv`;
`forces.geojson` if it is there. Out: `data/reference/stations.csv`: crs, name, lon, lat (WGS 84 degrees),
country, force. The force is that of the area the station stands in, or the nearest area for piers and reclaimed land.
"""

import csv
import json
import tarfile

import fetch
import places


def read():
    """Corrected stations: crs -> (name, lon, lat, country), by crs."""
    corrections = {}
    for row in places.table("station-corrections.csv"):
        corrections.setdefault(row["crs"], {})[row["action"]] = row["value"]
    with tarfile.open(fetch.package("stations")) as archive:
        rows = json.load(archive.extractfile("package/stations.json"))
    unused = set(corrections) - {r["crsCode"] for r in rows}
    if unused:
        raise SystemExit(f"corrections without a station: {sorted(unused)}")
    stations = {}
    for row in sorted(rows, key=lambda r: r["crsCode"]):
        fix = corrections.get(row["crsCode"], {})
        if "drop" in fix:
            continue
        lon, lat = row["long"], row["lat"]
        if "longitude-sign" in fix:
            lon = abs(lon) * (-1 if fix["longitude-sign"] == "-" else 1)
        if "position" in fix:
            lon, lat = (float(v) for v in fix["position"].split())
        name = fix.get("name", places.PARTICLE.sub(lambda m: m.group(0).lower(), row["stationName"].strip()))
        stations[row["crsCode"]] = (name, lon, lat, row["constituentCountry"])
    return stations


def main():
    stations = read()
    fields = ["crs", "name", "lon", "lat", "country"]
    forces = None
    if (fetch.REFERENCE / "forces.geojson").exists():
        import areas
        forces = areas.force_of([s[1] for s in stations.values()], [s[2] for s in stations.values()])
        fields.append("force")
    path = fetch.REFERENCE / "stations.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(fields)
        for number, (crs, (name, lon, lat, country)) in enumerate(stations.items()):
            row = [crs, name, f"{lon:.5f}", f"{lat:.5f}", country]
            writer.writerow(row + ([forces[number]] if forces else []))
    print(f"{path.name}: {len(stations)} rows, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
