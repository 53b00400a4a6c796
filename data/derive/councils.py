"""Council areas as polygons that share borders: the fixed areas that released figures are for.

In: `postcodes.py` (ONS Postcode Directory), `districts.csv` (code, name, force), `places.csv` (for the county),
`land.topojson`, the regions of `forces.csv`. Out: `data/reference/areas.geojson`, WGS 84 degrees.
Made as the force areas are, from the districts of the nearest postcodes, and thinned more. Which force and county an area
belongs to is a table, not a matter of borders. Not official boundaries.
County: Greater London for the boroughs; the county of most of its places' people elsewhere; where a council has no listed
place, that of the nearest one of its force.
"""

import collections

import numpy as np
import shapely

import areas
import land
import osgb
import places
import postcodes

BORDER_M2 = 250_000.0  # thinning of borders
COAST_M2 = 1_500_000.0  # thinning of the coast
ISLAND_M2 = 3_000_000.0


def counties(districts, parts):
    """County of each district, by the people of the places nearest to it."""
    tree = shapely.STRtree([p for _, p in parts])
    people = collections.defaultdict(collections.Counter)
    listed = areas.rows("places.csv")
    points = shapely.points([(float(r["lon"]) * land.SHRINK, float(r["lat"])) for r in listed])
    for row, part in zip(listed, tree.nearest(points)):
        people[parts[part][0]][row["county"]] += int(row["population"])
    out = []
    for number, row in enumerate(districts):
        if row["code"].startswith("E09"):
            out.append("Greater London")
        elif people[number]:
            out.append(min(people[number].items(), key=lambda item: (-item[1], item[0]))[0])
        else:
            middle = shapely.MultiPolygon([p for n, p in parts if n == number]).centroid
            same = [i for i, r in enumerate(listed) if districts[parts[tree.nearest(points[i])][0]]["force"] == row["force"]]
            best = min(same, key=lambda i: (shapely.distance(points[i], middle), listed[i]["id"]))
            out.append(listed[best]["county"])
            print(f"  {row['code']} {row['name']}: no listed place, {out[-1]} by the nearest one")
    return out


def main():
    areas.ISLET_M2 = 3_000_000.0
    areas.COAST_M2, areas.ISLAND_M2 = COAST_M2, ISLAND_M2
    gb, ni, codes, _ = postcodes.read()
    districts = places.table("districts.csv")
    found = []
    for (east, north, where), grid in ((gb, osgb.BRITISH), (ni, osgb.IRISH)):
        numbers = np.unique(where)
        points, number = areas.positions(east, north, np.searchsorted(numbers, where))
        keep = areas.near_borders(points, number)
        print(f"  {len(points)} positions, {len(keep)} used")
        # the window of the diagram is that of the British grid, which holds the Irish one's numbers too
        whole = areas.joined(points[keep], number[keep], len(numbers))
        found.append((numbers, [areas.scaled(g) for g in areas.to_degrees(whole, grid)]))
    ireland = shapely.MultiPoint([(x * land.SHRINK, y) for x, y in zip(*osgb.to_wgs84(*ni[:2], osgb.IRISH))])
    britain = np.c_[osgb.to_wgs84(gb[0][::20], gb[1][::20])] * [land.SHRINK, 1.0]
    trees = shapely.STRtree(shapely.get_parts(ireland)), shapely.STRtree(shapely.points(britain))
    ground = [], []
    for island in areas.home_land():
        distance = [t.query_nearest(island, return_distance=True, all_matches=False)[1][0] for t in trees]
        ground[0 if distance[0] > distance[1] else 1].append(island)
    numbers, shapes = [], []
    for (number, coverage), islands in zip(found, ground):
        coverage = shapely.coverage_simplify(coverage, np.sqrt(BORDER_M2) / land.METRES)
        cut = shapely.intersection(coverage, shapely.MultiPolygon(islands))
        numbers += [int(n) for n in number]
        shapes += list(cut)
    parts = [(n, p) for n, s in zip(numbers, shapes) for p in shapely.get_parts(s) if p.geom_type == "Polygon"]
    county = counties(districts, parts)
    region = {r["id"]: r["region"] for r in areas.rows("forces.csv")}
    properties = {r["code"]: {"code": r["code"], "name": r["name"], "county": county[n], "force": r["force"],
                              "region": region[r["force"]]} for n, r in enumerate(districts)}
    order = np.argsort([codes[n] for n in numbers])
    areas.write("areas.geojson", [codes[numbers[i]] for i in order], areas.rounded([shapes[i] for i in order]), properties)


if __name__ == "__main__":
    main()
