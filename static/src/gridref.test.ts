import { describe, expect, it } from "vitest";
import { gridReference, position, toGrid } from "./gridref.ts";

// Ordnance Survey, OSTN15 developer pack, test input and output: ETRS89 latitude and longitude, OSGB36 easting and
// northing in metres. From Scilly to Shetland, Kent to St Kilda, and Man. Contains OS data © Crown copyright 2016.
const POINTS: [string, number, number, number, number][] = [
  ["TP01", 49.92226394, -6.29977752, 91_492.146, 11_318.804],
  ["TP02", 49.96006138, -5.2030461, 170_370.718, 11_572.405],
  ["TP04", 50.57563665, -1.29782277, 449_816.371, 75_335.861],
  ["TP07", 51.37447026, 1.4445473, 639_821.835, 169_565.858],
  ["TP09", 51.48936565, -0.11992557, 530_624.974, 178_388.464],
  ["TP11", 51.89436637, 0.89724327, 599_445.59, 225_722.826],
  ["TP16", 53.3448028, -2.64049321, 357_455.843, 383_290.436],
  ["TP17", 53.41628516, -4.2891807, 247_958.971, 393_492.909],
  ["TP20", 53.8002152, -1.66379168, 422_242.186, 433_818.701],
  ["TP21", 54.08666318, -4.63452168, 227_778.33, 468_847.388],
  ["TP25", 54.97912274, -1.61657685, 424_639.355, 565_012.703],
  ["TP26", 55.85399953, -4.29649016, 256_340.925, 664_697.269],
  ["TP28", 57.00606696, -5.82836692, 167_634.202, 797_067.144],
  ["TP30", 57.48625001, -4.21926399, 267_056.768, 846_176.972],
  ["TP31", 57.81351838, -8.57854456, 9_587.909, 899_448.996],
  ["TP34", 58.58120461, -3.72631022, 299_721.891, 967_202.992],
  ["TP39", 59.85409914, -1.2748691, 440_725.073, 1_107_878.448],
  ["TP40", 60.13308092, -2.07382823, 395_999.668, 1_138_728.951],
];

/** What the Helmert transformation may be off, as the guide and the header of gridref.ts say. */
const HELMERT_M = 5;

describe("toGrid", () => {
  it.each(POINTS)("is within 5 m of %s", (_, lat, lon, east, north) => {
    const got = toGrid(lon, lat);
    expect(Math.hypot(got.east - east, got.north - north)).toBeLessThan(HELMERT_M);
  });
});

describe("gridReference", () => {
  // Written by hand from the published metres: letters of the 100 km square, then metres cut to 100 m, never rounded.
  it.each([
    ["TP01", "SV 914 113"],
    ["TP02", "SW 703 115"],
    ["TP04", "SZ 498 753"],
    ["TP07", "TR 398 695"],
    ["TP09", "TQ 306 783"],
    ["TP11", "TL 994 257"],
    // The alphabet of the grid has no I: J is the ninth letter.
    ["TP16", "SJ 574 832"],
    ["TP17", "SH 479 934"],
    ["TP20", "SE 222 338"],
    ["TP21", "SC 277 688"],
    ["TP25", "NZ 246 650"],
    ["TP26", "NS 563 646"],
    ["TP28", "NM 676 970"],
    ["TP30", "NH 670 461"],
    ["TP31", "NF 095 994"],
    ["TP34", "NC 997 672"],
    ["TP39", "HU 407 078"],
    ["TP40", "HT 959 387"],
  ])("has the six figures of %s: %s", (id, reference) => {
    const [, lat, lon] = POINTS.find(([name]) => name === id) as (typeof POINTS)[number];
    expect(gridReference(lon, lat)).toBe(reference);
  });

  it("has as many figures as asked for", () => {
    // Tower of London: TQ 336 805 (Historic England list entry).
    expect(gridReference(-0.0762, 51.5081)).toBe("TQ 336 805");
    expect(gridReference(-0.0762, 51.5081, 4)).toBe("TQ 33 80");
    expect(gridReference(-0.0762, 51.5081, 8)).toMatch(/^TQ 336\d 805\d$/);
  });

  it("leaves Ireland, France and the open sea to degrees", () => {
    for (const [lon, lat] of [[-5.93, 54.6], [-6.26, 53.35], [-7.3, 55.0], [1.85, 49.55], [4.9, 52.4]] as const) {
      expect(gridReference(lon, lat)).toBeNull();
    }
    expect(position(-6.26, 53.35)).toBe("53.350° N, 6.260° W");
    expect(position(4.9, -52.4)).toBe("52.400° S, 4.900° E");
  });

  it("keeps Galloway, Kintyre, Islay and Man", () => {
    for (const [lon, lat, letters] of [
      [-5.03, 54.9, "NX"],
      [-5.6, 55.42, "NR"],
      [-6.2, 55.75, "NR"],
      [-4.48, 54.15, "SC"],
    ] as const) {
      expect(gridReference(lon, lat)?.slice(0, 2)).toBe(letters);
    }
  });

  it("gives nothing for what is no position", () => {
    expect(gridReference(Number.NaN, 51)).toBeNull();
    expect(gridReference(0, Number.POSITIVE_INFINITY)).toBeNull();
  });
});
