"""British and Irish grid to WGS 84, by the Ordnance Survey's published formulae.

In: eastings and northings in metres (OSGB36 / British National Grid, EPSG:27700; TM65 / Irish Grid, EPSG:29902).
Out: longitude and latitude in degrees. Seven-parameter shift: within about 5 m of the official grid transformation
in Great Britain, and better than 10 m in Northern Ireland.
Source: Ordnance Survey, "A guide to coordinate systems in Great Britain", annexes B and C, and for the
Irish shift the parameters of Ordnance Survey Ireland's "Making maps compatible with GPS" (1999).
"""

import numpy as np

WGS = (6378137.0, 6356752.314245)
# ellipsoid a, b; scale on the central meridian; origin lat, lon; false easting, northing; shift to WGS 84 (m, arcsec, ppm)
BRITISH = ((6377563.396, 6356256.909), 0.9996012717, 49.0, -2.0, 400_000.0, -100_000.0,
           (446.448, -125.157, 542.060, 0.1502, 0.2470, 0.8421, -20.4894))
IRISH = ((6377340.189, 6356034.447), 1.000035, 53.5, -8.0, 200_000.0, 250_000.0,
         (482.530, -130.596, 564.557, -1.042, -0.214, -0.631, 8.150))


def _meridian(a, b, scale, lat0, lat):
    n = (a - b) / (a + b)
    d, s = lat - lat0, lat + lat0
    return b * scale * ((1 + n + 1.25 * n**2 + 1.25 * n**3) * d
                        - (3 * n + 3 * n**2 + 2.625 * n**3) * np.sin(d) * np.cos(s)
                        + (1.875 * n**2 + 1.875 * n**3) * np.sin(2 * d) * np.cos(2 * s)
                        - 35.0 / 24.0 * n**3 * np.sin(3 * d) * np.cos(3 * s))


def to_wgs84(easting, northing, grid=BRITISH):
    """Longitude and latitude in degrees (WGS 84) of grid positions in metres."""
    (a, b), f0, lat0, lon0, e0, n0, shift = grid
    easting, northing = np.asarray(easting, float), np.asarray(northing, float)
    lat0, lon0 = np.radians(lat0), np.radians(lon0)
    lat = (northing - n0) / (a * f0) + lat0
    for _ in range(8):
        lat = lat + (northing - n0 - _meridian(a, b, f0, lat0, lat)) / (a * f0)
    e2 = 1 - (b / a) ** 2
    nu = a * f0 / np.sqrt(1 - e2 * np.sin(lat) ** 2)
    rho = a * f0 * (1 - e2) / (1 - e2 * np.sin(lat) ** 2) ** 1.5
    eta, t, c, de = nu / rho - 1, np.tan(lat), 1 / np.cos(lat), easting - e0
    phi = (lat - de**2 * t / (2 * rho * nu)
           + de**4 * t / (24 * rho * nu**3) * (5 + 3 * t**2 + eta - 9 * t**2 * eta)
           - de**6 * t / (720 * rho * nu**5) * (61 + 90 * t**2 + 45 * t**4))
    lam = (lon0 + de * c / nu - de**3 * c / (6 * nu**3) * (nu / rho + 2 * t**2)
           + de**5 * c / (120 * nu**5) * (5 + 28 * t**2 + 24 * t**4)
           - de**7 * c / (5040 * nu**7) * (61 + 662 * t**2 + 1320 * t**4 + 720 * t**6))
    # to geocentric, shift, and back on the other ellipsoid
    v = a / np.sqrt(1 - e2 * np.sin(phi) ** 2)
    x, y, z = v * np.cos(phi) * np.cos(lam), v * np.cos(phi) * np.sin(lam), v * (1 - e2) * np.sin(phi)
    tx, ty, tz, rx, ry, rz, ppm = shift
    rx, ry, rz = (np.radians(r / 3600) for r in (rx, ry, rz))
    k = 1 + ppm * 1e-6
    x, y, z = tx + k * x - rz * y + ry * z, ty + rz * x + k * y - rx * z, tz - ry * x + rx * y + k * z
    a, b = WGS
    e2 = 1 - (b / a) ** 2
    p = np.hypot(x, y)
    phi = np.arctan2(z, p * (1 - e2))
    for _ in range(6):
        v = a / np.sqrt(1 - e2 * np.sin(phi) ** 2)
        phi = np.arctan2(z + e2 * v * np.sin(phi), p)
    return np.degrees(np.arctan2(y, x)), np.degrees(phi)


def from_wgs84(lon, lat):
    """Easting and northing in metres (British grid) of WGS 84 degrees, the inverse of `to_wgs84` by Newton's method."""
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    easting = 400_000.0 + (lon + 2.0) * 111_195.0 * np.cos(np.radians(lat))
    northing = -100_000.0 + (lat - 49.0) * 111_195.0
    for _ in range(8):
        x, y = to_wgs84(easting, northing)
        xe, ye = to_wgs84(easting + 10.0, northing)
        xn, yn = to_wgs84(easting, northing + 10.0)
        a, b, c, d = (xe - x) / 10, (xn - x) / 10, (ye - y) / 10, (yn - y) / 10
        u, v, det = lon - x, lat - y, a * d - b * c
        easting, northing = easting + (d * u - b * v) / det, northing + (a * v - c * u) / det
    return easting, northing
