"""Named rail corridors as station sequences with chainage and running time.

In: `corridor-list.csv` (name, minutes end to end, stations), `stations.csv`.
Out: `data/reference/corridors.csv`: id, name, seq, crs, chainage_m and running_time_s from the first station, marker.
The sequences and the minutes are written by hand from public knowledge of usual services: all assumed (A), no timetable.
Chainage is the great-circle length between the listed stations times WINDING; time is shared out by length.
"""

import csv

import numpy as np

import areas
import fetch
import land
import places
import towns

WINDING = 1.06  # track length over the length between listed stations (A); see README for the comparison
LEAST_KMH, MOST_KMH = 30.0, 200.0


def main():
    station = {r["crs"]: (float(r["lon"]), float(r["lat"])) for r in areas.rows("stations.csv")}
    out, speeds = [], []
    for row in places.table("corridor-list.csv"):
        codes = row["stations"].split()
        unknown = [c for c in codes if c not in station]
        if unknown or len(set(codes)) != len(codes):
            raise SystemExit(f"{row['name']}: {unknown or 'a station twice'}")
        lon, lat = np.radians([station[c] for c in codes]).T
        half = (np.sin(np.diff(lat) / 2) ** 2
                + np.cos(lat[1:]) * np.cos(lat[:-1]) * np.sin(np.diff(lon) / 2) ** 2)
        length = 2 * 6_371_008.8 * np.arcsin(np.sqrt(half)) * WINDING
        chainage = np.r_[0.0, np.cumsum(length)]
        seconds = chainage / chainage[-1] * float(row["minutes"]) * 60
        speed = chainage[-1] / 1000 / (float(row["minutes"]) / 60)
        if not LEAST_KMH <= speed <= MOST_KMH:
            raise SystemExit(f"{row['name']}: {speed:.0f} km/h")
        speeds.append((speed, row["name"]))
        key = towns.slug(row["name"])
        for number, code in enumerate(codes):
            out.append([key, row["name"], number + 1, code, round(chainage[number]), round(seconds[number]), "A"])
    towns.write("corridors.csv", ["id", "name", "seq", "crs", "chainage_m", "running_time_s", "marker"], out)
    print(f"  {len(speeds)} corridors, {min(speeds)[0]:.0f} ({min(speeds)[1]}) to {max(speeds)[0]:.0f} km/h ({max(speeds)[1]})")


if __name__ == "__main__":
    main()
