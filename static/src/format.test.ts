import { describe, expect, it } from "vitest";
import * as format from "./format.ts";

describe("extent", () => {
  it("covers every kind of geometry, and none", () => {
    expect(format.extent(null)).toBeNull();
    expect(format.extent({ type: "Point", coordinates: [] })).toBeNull();
    expect(format.extent({ type: "Point", coordinates: [-1, 50] })).toEqual([-1, 50, -1, 50]);
    expect(format.extent({ type: "MultiPolygon", coordinates: [[[[0, 1], [2, 1], [2, 3], [0, 1]]], [[[5, 5], [6, 5], [6, 7], [5, 5]]]] })).toEqual([0, 1, 6, 7]);
    expect(format.extent({ type: "GeometryCollection", geometries: [{ type: "Point", coordinates: [9, 9] }, { type: "LineString", coordinates: [[1, 2], [3, 4]] }] })).toEqual([1, 2, 9, 9]);
  });
});

describe("scaleBar", () => {
  it("is the longest round distance that fits", () => {
    // 100 m a pixel, 112 px: 11.2 km hold 10 km (100 px); 6.96 miles hold 5 (80.5 px).
    expect(format.scaleBar(100, 112, "metric")).toEqual({ label: "10 km", words: "10 kilometres", widthPixels: 100 });
    const miles = format.scaleBar(100, 112, "imperial");
    expect(miles.label).toBe("5 mi");
    expect(miles.widthPixels).toBeCloseTo(80.467, 2);
  });

  it("changes to the small unit below one of the large", () => {
    expect(format.scaleBar(1, 112, "metric").label).toBe("100 m");
    expect(format.scaleBar(1, 112, "imperial").label).toBe("100 yd");
    expect(format.scaleBar(0.1, 112, "imperial").label).toBe("10 yd");
  });
});

describe("words", () => {
  it("count features", () => {
    expect(format.plural(1, "result")).toBe("1 result");
    expect(format.plural(1200, "result")).toBe("1,200 results");
  });
});
