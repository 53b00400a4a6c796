"""How densely each square kilometre is dwelt in, for the floor under coarse cells.

In: the postcodes. Out: `data/reference/dwelling-grid.csv`: north_km, east_km (south-west corner of the first cell,
EPSG:27700, kilometres) and `cells`, one character a cell eastwards.
The character is the number of distinct postcode positions in the cell: `0` to `9` as such, then
`a` 10 to 19, `b` 20 to 49, `c` 50 to 99, `d` 100 to 199, `e` 200 and more. Cells not listed have none.
A proxy: a position stands for one dwelling or more (about fourteen on average, ended and business postcodes among
them), so a cell with eight positions is taken to hold eight dwellings and the floor errs on the coarse side in
settled country. It is not a count of dwellings.
"""

import csv

import numpy as np

import fetch
import osgb
import postcodes

STEPS = ((200, "e"), (100, "d"), (50, "c"), (20, "b"), (10, "a"))
GAP = 3  # empty cells inside a run before a new row pays


def symbol(count):
    """Character of a count."""
    for least, letter in STEPS:
        if count >= least:
            return letter
    return str(count)


def main():
    gb, ni, _, _ = postcodes.read()
    irish = np.c_[osgb.from_wgs84(*osgb.to_wgs84(ni[0], ni[1], osgb.IRISH))]
    where = np.unique(np.rint(np.r_[np.c_[gb[0], gb[1]], irish]).astype(np.int64), axis=0)
    cells, count = np.unique(where // 1000, axis=0, return_counts=True)
    grid = {}
    for (east, north), n in zip(cells.tolist(), count.tolist()):
        grid.setdefault(north, {})[east] = n
    rows = []
    for north in sorted(grid):
        row, start, last, text = grid[north], None, None, ""
        for east in sorted(row):
            if start is None or east - last > GAP:
                if start is not None:
                    rows.append([north, start, text])
                start, text = east, ""
            else:
                text += "0" * (east - last - 1)
            text += symbol(row[east])
            last = east
        rows.append([north, start, text])
    path = fetch.REFERENCE / "dwelling-grid.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["north_km", "east_km", "cells"])
        writer.writerows(rows)
    print(f"{path.name}: {len(rows)} runs, {len(cells)} cells with a postcode, {int((count >= 8).sum())} with eight or more,",
          f"{len(where)} positions, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
