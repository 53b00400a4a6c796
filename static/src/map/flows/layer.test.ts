import { describe, expect, it } from "vitest";
import type { DrawnFlow, DrawnPlace } from "./picture.ts";
import { FlowLayer, instances, mercator, toScreen } from "./layer.ts";

const place = (lon: number, lat: number, radiusPx: number): DrawnPlace => ({
  collection: "towns", id: "x", label: "x", lon, lat, force: null, region: null, kind: "destination",
  key: "towns:x", lines: 1, radiusPx, related: true, chosen: false,
});
const flow = (more: Partial<DrawnFlow> = {}): DrawnFlow => ({
  key: "a>b", from: place(-2, 53.5, 4), to: place(-1, 53.5, 2.4), lines: 1, trips: 1, minutes: null, share: 1, related: true, ...more,
});

/** The matrix of a flat map: `perUnit` pixels to the Mercator square, `centre` in the middle, seen from far above. */
function matrix(centre: { x: number; y: number }, perUnit: number, width: number, height: number, w: number): number[] {
  const [sx, sy] = [(2 * perUnit * w) / width, (-2 * perUnit * w) / height];
  return [sx, 0, 0, 0, 0, sy, 0, 0, 0, 0, 1, 0, -sx * centre.x, -sy * centre.y, 0, w];
}

describe("toScreen", () => {
  it("puts the middle of the map in the middle of the screen, at the deepest zoom too", () => {
    const centre = mercator(-0.1276, 51.5072);
    const origin = mercator(-2, 53.5);
    for (const zoom of [5, 14, 18]) {
      const perUnit = 512 * 2 ** zoom;
      const { scale, shift } = toScreen(matrix(centre, perUnit, 1000, 600, 1.5), 1000, 600);
      expect(scale[0]).toBeCloseTo(perUnit, 3);
      expect(scale[1]).toBeCloseTo(perUnit, 3);
      expect((centre.x - origin.x) * scale[0] + shift[0]).toBeCloseTo(500, 3);
      expect((centre.y - origin.y) * scale[1] + shift[1]).toBeCloseTo(300, 3);
    }
  });
});

describe("mercator", () => {
  it("has its middle at 0, 0 and its corner in the north-west", () => {
    expect(mercator(0, 0)).toEqual({ x: 0.5, y: 0.5 });
    expect(mercator(-180, 85.051129).x).toBe(0);
    expect(mercator(-180, 85.051129).y).toBeCloseTo(0, 7);
  });
});

describe("instances", () => {
  it("have twelve numbers a line: ends from the origin, sizes, colour", () => {
    const data = instances([flow(), flow({ share: 0, related: false })], false);
    expect(data).toHaveLength(24);
    // A degree of longitude is 1/360 of the square.
    [0, 0, 1 / 360, 0].forEach((value, at) => expect(data[at]).toBeCloseTo(value, 7));
    [10, 4, 3.4, 1].forEach((value, at) => expect(data[4 + at]).toBeCloseTo(value, 5));
    expect(data[11]).toBeCloseTo(0.97, 6);
    expect(data[16]).toBeCloseTo(0.6, 6);
    expect(data[19]).toBeCloseTo(0.06, 6);
    expect(data[23]).toBeCloseTo(0.4, 6);
  });
});

describe("FlowLayer", () => {
  it("finds nothing before it was drawn, and notices when another line is hovered", () => {
    const layer = new FlowLayer(() => undefined);
    layer.set([flow()], false, "#f7f7f4");
    expect(layer.at(10, 10, 6)).toBeNull();
    expect(layer.hover("a>b")).toBe(true);
    expect(layer.hover("a>b")).toBe(false);
    expect(layer.hover("no such line")).toBe(true);
    expect(layer.hover(null)).toBe(false);
  });
});
