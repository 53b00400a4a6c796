import { describe, expect, it } from "vitest";
import { gridReference, position, toGrid } from "./gridref.ts";

describe("toGrid", () => {
  // Ordnance Survey, OSTN15 test points: ETRS89 position, OSGB36 easting and northing. Helmert is within 5 m of them.
  const points: [string, number, number, number, number][] = [
    ["St Mary's, Scilly", -6.299777520, 49.922261934, 91492.146, 11318.804],
    ["Lizard", -5.203047, 49.960061, 170370.718, 11572.405],
  ];
  it.each(points)("%s", (_, lon, lat, east, north) => {
    const got = toGrid(lon, lat);
    expect(Math.hypot(got.east - east, got.north - north)).toBeLessThan(5);
  });

  it("agrees with the worked example of the Ordnance Survey guide", () => {
    // Guide, annex C: Caister water tower, OSGB36 E 651409.903 N 313177.270; its WGS 84 position from the OS converter.
    const got = toGrid(1.716038, 52.657979);
    expect(Math.hypot(got.east - 651_409.903, got.north - 313_177.27)).toBeLessThan(6);
  });
});

describe("gridReference", () => {
  it("names squares and pads digits", () => {
    // Tower of London: TQ 336 805 (Historic England list entry).
    expect(gridReference(-0.0762, 51.5081)).toBe("TQ 336 805");
    expect(gridReference(-0.0762, 51.5081, 8)).toMatch(/^TQ 336\d 805\d$/);
    // Ben Nevis trig point: NN 166 712.
    expect(gridReference(-5.0037, 56.7969)).toMatch(/^NN 166 71[23]$/);
    // Land's End: SW 34 25.
    expect(gridReference(-5.7147, 50.0664, 4)).toBe("SW 34 25");
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
