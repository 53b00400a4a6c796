import { describe, expect, it } from "vitest";
import * as format from "./format.ts";

describe("value", () => {
  const show = (raw: unknown, name = "x", ours = false): string | null => format.value(raw, name, undefined, ours);

  it("writes numbers the British way, and names as they are", () => {
    expect(show(1234567.5)).toBe("1,234,567.5");
    expect(show(2024, "year")).toBe("2024");
    expect(show(2639996, "geonames_id")).toBe("2639996");
  });

  it("writes months, days and times in words", () => {
    expect(show("2018-11")).toBe("Nov 2018");
    expect(show("2024-02-29")).toBe("29 Feb 2024");
    // 13:05 UTC is 14:05 in British summer.
    expect(show("2024-06-01T13:05:00Z")).toBe("1 Jun 2024, 14:05");
    expect(show("2018-13")).toBe("2018-13");
    expect(show("2024-99-99")).toBe("2024-99-99");
  });

  it("tells unknown from zero and no", () => {
    for (const raw of [null, undefined, ""]) expect(show(raw)).toBeNull();
    expect(show(0)).toBe("0");
    expect(show(false)).toBe("No");
  });

  it("turns our own ids into words, and leaves those of others", () => {
    expect(show("northern-ireland", "country", true)).toBe("Northern Ireland");
    expect(show("avon-and-somerset", "force", true)).toBe("Avon and Somerset");
    expect(show("northern-ireland", "country")).toBe("northern-ireland");
  });
});

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
  it("names fields and features", () => {
    expect(format.fieldTitle("crime_type", { title: "crime_type" })).toBe("Crime type");
    expect(format.fieldTitle("length", { title: "Length", "x-ogc-unit": "m" })).toBe("Length (m)");
    expect(format.plural(1, "result")).toBe("1 result");
    expect(format.plural(1200, "result")).toBe("1,200 results");
  });
});
