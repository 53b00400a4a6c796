// WGS 84 longitude and latitude -> Ordnance Survey grid reference.
//
// Helmert transformation to OSGB36 and Airy transverse Mercator: within 5 m of OSTN15, so good for 8 figures (10 m).
// Source: Ordnance Survey, "A guide to coordinate systems in Great Britain", sections 6.6, annexes B, C.
// Not here: the Irish grid; outside Great Britain the position is given in degrees.

const AIRY = { a: 6377563.396, b: 6356256.909 };
const GRS80 = { a: 6378137, b: 6356752.3141 };
const SHIFT_M = { x: -446.448, y: 125.157, z: -542.06 };
const SCALE = 20.4894e-6;
const ARC_SECOND = Math.PI / 180 / 3600;
const ROTATION = { x: -0.1502 * ARC_SECOND, y: -0.247 * ARC_SECOND, z: -0.8421 * ARC_SECOND };

const ORIGIN = { lat: (49 * Math.PI) / 180, lon: (-2 * Math.PI) / 180, east: 400_000, north: -100_000, scale: 0.9996012717 };

/** The 100 km squares with land of Great Britain or the Isle of Man. */
const SQUARES = new Set(
  ("HO HP HT HU HW HX HY HZ NA NB NC ND NF NG NH NJ NK NL NM NN NO NR NS NT NU NW NX NY NZ OV " +
    "SC SD SE SH SJ SK SM SN SO SP SR SS ST SU SV SW SX SY SZ TA TF TG TL TM TQ TR TV").split(" "),
);

/** OSGB36 easting and northing in metres of a WGS 84 position in degrees. */
export function toGrid(lon: number, lat: number): { east: number; north: number } {
  const [x, y, z] = cartesian((lon * Math.PI) / 180, (lat * Math.PI) / 180);
  const s = 1 + SCALE;
  const ax = SHIFT_M.x + s * x - ROTATION.z * y + ROTATION.y * z;
  const ay = SHIFT_M.y + ROTATION.z * x + s * y - ROTATION.x * z;
  const az = SHIFT_M.z - ROTATION.y * x + ROTATION.x * y + s * z;
  const e2 = 1 - AIRY.b ** 2 / AIRY.a ** 2;
  const p = Math.hypot(ax, ay);
  let phi = Math.atan2(az, p * (1 - e2));
  // Converges by a factor of e2 a step: five steps are below a millimetre.
  for (let step = 0; step < 5; step++) {
    const nu = AIRY.a / Math.sqrt(1 - e2 * Math.sin(phi) ** 2);
    phi = Math.atan2(az + e2 * nu * Math.sin(phi), p);
  }
  return project(Math.atan2(ay, ax), phi);
}

function cartesian(lambda: number, phi: number): [number, number, number] {
  const e2 = 1 - GRS80.b ** 2 / GRS80.a ** 2;
  const nu = GRS80.a / Math.sqrt(1 - e2 * Math.sin(phi) ** 2);
  return [
    nu * Math.cos(phi) * Math.cos(lambda),
    nu * Math.cos(phi) * Math.sin(lambda),
    nu * (1 - e2) * Math.sin(phi),
  ];
}

function project(lambda: number, phi: number): { east: number; north: number } {
  const { a, b } = AIRY;
  const e2 = 1 - b ** 2 / a ** 2;
  const n = (a - b) / (a + b);
  const sin = Math.sin(phi);
  const cos = Math.cos(phi);
  const tan = Math.tan(phi);
  const nu = (a * ORIGIN.scale) / Math.sqrt(1 - e2 * sin ** 2);
  const rho = (a * ORIGIN.scale * (1 - e2)) / (1 - e2 * sin ** 2) ** 1.5;
  const eta2 = nu / rho - 1;
  const d = phi - ORIGIN.lat;
  const t = phi + ORIGIN.lat;
  const m =
    b *
    ORIGIN.scale *
    ((1 + n + 1.25 * n ** 2 + 1.25 * n ** 3) * d -
      (3 * n + 3 * n ** 2 + 2.625 * n ** 3) * Math.sin(d) * Math.cos(t) +
      (1.875 * n ** 2 + 1.875 * n ** 3) * Math.sin(2 * d) * Math.cos(2 * t) -
      (35 / 24) * n ** 3 * Math.sin(3 * d) * Math.cos(3 * t));
  const l = lambda - ORIGIN.lon;
  const north =
    m +
    ORIGIN.north +
    (nu / 2) * sin * cos * l ** 2 +
    (nu / 24) * sin * cos ** 3 * (5 - tan ** 2 + 9 * eta2) * l ** 4 +
    (nu / 720) * sin * cos ** 5 * (61 - 58 * tan ** 2 + tan ** 4) * l ** 6;
  const east =
    ORIGIN.east +
    nu * cos * l +
    (nu / 6) * cos ** 3 * (nu / rho - tan ** 2) * l ** 3 +
    (nu / 120) * cos ** 5 * (5 - 18 * tan ** 2 + tan ** 4 + 14 * eta2 - 58 * tan ** 2 * eta2) * l ** 5;
  return { east, north };
}

/** Ireland lies in grid squares that Great Britain uses too: west of Wales and Galloway, south of Kintyre and Islay. */
const inIreland = (lon: number, lat: number): boolean =>
  lat > 51.3 && (lat < 55.27 ? lon < -5.36 : lat < 55.45 && lon < -5.95);

/** Grid reference with 4, 6 or 8 figures ("SU 641 002"), or null outside Great Britain. */
export function gridReference(lon: number, lat: number, figures: 4 | 6 | 8 = 6): string | null {
  if (!(lon > -9.5 && lon < 2.5 && lat > 49.7 && lat < 61) || inIreland(lon, lat)) return null;
  const { east, north } = toGrid(lon, lat);
  if (east < 0 || east >= 700_000 || north < 0 || north >= 1_300_000) return null;
  const letters = square(Math.floor(east / 100_000), Math.floor(north / 100_000));
  if (!SQUARES.has(letters)) return null;
  const digits = figures / 2;
  const unit = 10 ** (5 - digits);
  const part = (metres: number): string => String(Math.floor((metres % 100_000) / unit)).padStart(digits, "0");
  return `${letters} ${part(east)} ${part(north)}`;
}

function square(column: number, row: number): string {
  // 500 km squares around S at the false origin, 100 km squares within; the alphabet has no I.
  const first = 19 - row - ((19 - row) % 5) + Math.floor((column + 10) / 5);
  const second = (((19 - row) * 5) % 25) + (column % 5);
  const letter = (index: number): string => String.fromCharCode(65 + index + (index > 7 ? 1 : 0));
  return letter(first) + letter(second);
}

/** Where a position is, for reading: grid reference, or degrees outside Great Britain. */
export function position(lon: number, lat: number, figures: 4 | 6 | 8 = 6): string {
  return gridReference(lon, lat, figures) ?? degrees(lon, lat);
}

function degrees(lon: number, lat: number): string {
  const side = (degree: number, plus: string, minus: string): string =>
    `${Math.abs(degree).toFixed(3)}° ${degree < 0 ? minus : plus}`;
  return `${side(lat, "N", "S")}, ${side(lon, "E", "W")}`;
}
