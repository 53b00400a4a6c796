import { describe, expect, it } from "vitest";
import { colour, hex, opacity, radiusPx, rgb, samples, widthPx } from "./scale.ts";

describe("width, opacity, colour", () => {
  it("follow the share of the strongest", () => {
    expect(widthPx(0)).toBe(0.6);
    expect(widthPx(0.5)).toBeCloseTo(5.3, 10);
    expect(widthPx(1)).toBe(10);
    expect(widthPx(3)).toBe(10);
  });
  it("are opaque by the root of the share", () => {
    expect(opacity(0)).toBe(0.4);
    // Root of a quarter is a half: 0.4 + 0.57 / 2.
    expect(opacity(0.25)).toBeCloseTo(0.685, 10);
    expect(opacity(1)).toBeCloseTo(0.97, 10);
  });
  it("go through the ramp by the root of the share", () => {
    expect(hex(colour(0, false))).toBe("#b9c3dd");
    expect(hex(colour(1, false))).toBe("#7a0a44");
    expect(hex(colour(1, true))).toBe("#ffd479");
    // The root of 0.16 is 0.4: two of five steps.
    expect(hex(colour(0.16, false))).toBe("#7a74c0");
    // Half way between the first two: (b9 + 93) / 2 = a6, (c3 + a0) / 2 = b1.8, (dd + d2) / 2 = d7.8.
    expect(hex(colour(0.01, false))).toBe("#a6b2d8");
  });
  it("get darker on light land, and lighter on dark", () => {
    const light = (dark: boolean): number[] =>
      [0, 0.04, 0.16, 0.36, 0.64, 1].map((share) => colour(share, dark).reduce((sum, part, at) => sum + part * [0.21, 0.72, 0.07][at]!, 0));
    expect(light(false)).toEqual(light(false).toSorted((a, b) => b - a));
    expect(light(true)).toEqual(light(true).toSorted((a, b) => a - b));
  });
  it("reads and writes colours", () => {
    expect(rgb("#ff8000")).toEqual([1, 128 / 255, 0]);
    expect(hex(rgb("#0a7f00"))).toBe("#0a7f00");
  });
});

describe("radiusPx", () => {
  it("grows with the root of the lines and has a least for each kind", () => {
    expect(radiusPx(100, 100, "ring")).toBe(13);
    expect(radiusPx(25, 100, "dot")).toBe(6.5);
    expect(radiusPx(1, 100, "ring")).toBe(4);
    expect(radiusPx(1, 100, "dot")).toBe(2.4);
    expect(radiusPx(0, 0, "dot")).toBe(2.4);
  });
});

describe("samples", () => {
  it.each([
    // 45 %, 15 % and 3 % of it, rounded down to 1, 2, 5 or their tenfolds.
    [55, [1, 5, 20, 55]],
    [17, [1, 2, 5, 17]],
    [400, [10, 50, 100, 400]],
    [3, [1, 3]],
    [1, [1]],
  ])("of %d are %j", (strongest, expected) => {
    expect(samples(strongest)).toEqual(expected);
  });
});
