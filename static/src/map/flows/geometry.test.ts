import { describe, expect, it } from "vitest";
import { type ScreenLine, distancePx, exitAt, headPx, nearest, pointAt, speed, widthAt } from "./geometry.ts";

/** 100 px to the right. Its control point is 16 px above the middle, so the curve passes 8 px above it. */
const THERE: ScreenLine = { from: { x: 0, y: 0 }, to: { x: 100, y: 0 }, startPx: 0, endPx: 0, widthPx: 2 };
const BACK: ScreenLine = { ...THERE, from: THERE.to, to: THERE.from };

describe("the curve", () => {
  it("begins and ends at its places and passes left of the way", () => {
    expect(pointAt(THERE, 0)).toEqual({ x: 0, y: 0 });
    expect(pointAt(THERE, 0.5)).toEqual({ x: 50, y: -8 });
    expect(pointAt(THERE, 1)).toEqual({ x: 100, y: 0 });
    // A quarter of the way: 0.32 * 0.25 * 0.75 * 100 = 6.
    expect(pointAt(THERE, 0.25)).toEqual({ x: 25, y: -6 });
  });
  it("parts there and back", () => {
    expect(pointAt(BACK, 0.5)).toEqual({ x: 50, y: 8 });
  });
  it("is the quadratic with its control point at 16 % of the length", () => {
    // (1-t)^2 A + 2t(1-t) C + t^2 B for t = 0.3, A (10, 20), B (40, 60): length 50, left of (30, 40) is (40, -30) / 50.
    const line = { from: { x: 10, y: 20 }, to: { x: 40, y: 60 } };
    const control = { x: 25 + 0.16 * 40, y: 40 - 0.16 * 30 };
    const expected = { x: 0.49 * 10 + 0.42 * control.x + 0.09 * 40, y: 0.49 * 20 + 0.42 * control.y + 0.09 * 60 };
    expect(pointAt(line, 0.3).x).toBeCloseTo(expected.x, 10);
    expect(pointAt(line, 0.3).y).toBeCloseTo(expected.y, 10);
  });
  it("is a twentieth longer than the chord at its ends, and as long in the middle", () => {
    expect(speed(0)).toBeCloseTo(1.04995, 5);
    expect(speed(0.5)).toBe(1);
  });
});

describe("exitAt", () => {
  it.each([[10, 100], [13, 40], [2.4, 300], [0, 50]])("finds the edge of a circle of %d px on a way of %d px", (radius, length) => {
    const { x, y } = pointAt({ from: { x: 0, y: 0 }, to: { x: length, y: 0 } }, exitAt(radius, length));
    expect(Math.hypot(x, y)).toBeCloseTo(radius, 2);
  });
});

describe("width and head", () => {
  it("go from 45 % to the whole", () => {
    expect(widthAt(10, 0)).toBeCloseTo(4.5, 10);
    expect(widthAt(10, 0.5)).toBeCloseTo(7.25, 10);
    expect(widthAt(10, 1)).toBe(10);
  });
  it("have a head of 2.6 widths, at most 14 px and a third of the line", () => {
    expect(headPx(5, 200)).toBe(13);
    expect(headPx(10, 200)).toBe(14);
    expect(headPx(10, 30)).toBe(10);
    // The thinnest line has the head of one of 2 px.
    expect(headPx(0.6, 200)).toBe(5.2);
  });
});

describe("distancePx", () => {
  it("is measured to the curve, not to the chord", () => {
    expect(distancePx(THERE, { x: 50, y: -8 })).toBeCloseTo(0, 6);
    expect(distancePx(THERE, { x: 50, y: 0 })).toBeCloseTo(8, 6);
    expect(distancePx(THERE, { x: 50, y: -18 })).toBeCloseTo(10, 6);
    expect(distancePx(BACK, { x: 50, y: -8 })).toBeCloseTo(16, 6);
  });
  it("agrees with walking along the curve", () => {
    for (const point of [{ x: 12, y: 9 }, { x: 80, y: -20 }, { x: 99, y: -3 }, { x: -5, y: 4 }, { x: 33, y: -30 }]) {
      const steps = Array.from({ length: 20_001 }, (_, at) => pointAt(THERE, at / 20_000));
      const walked = Math.min(...steps.map(({ x, y }) => Math.hypot(x - point.x, y - point.y)));
      expect(Math.abs(distancePx(THERE, point) - walked)).toBeLessThan(0.05);
    }
  });
  it("ends where the circles begin", () => {
    const line = { ...THERE, startPx: 10, endPx: 5 };
    // Both ends are 10 and 5 px short of their places.
    expect(distancePx(line, { x: 0, y: 0 })).toBeCloseTo(10, 2);
    expect(distancePx(line, { x: 100, y: 0 })).toBeCloseTo(5, 2);
  });
  it("is infinite if the circles leave nothing between them, or there is no way at all", () => {
    expect(distancePx({ ...THERE, startPx: 60, endPx: 60 }, { x: 50, y: -8 })).toBe(Infinity);
    expect(distancePx({ ...THERE, to: THERE.from }, { x: 0, y: 0 })).toBe(Infinity);
  });
});

describe("nearest", () => {
  it("tells both directions apart", () => {
    expect(nearest([THERE, BACK], { x: 50, y: -7 }, 6)).toBe(0);
    expect(nearest([THERE, BACK], { x: 50, y: 7 }, 6)).toBe(1);
  });
  it("reaches 6 px with a pointer and 12 with a finger", () => {
    // The middle of the chord is 8 px from either; the one that lies on top is taken.
    expect(nearest([THERE, BACK], { x: 50, y: 0 }, 6)).toBeNull();
    expect(nearest([THERE, BACK], { x: 50, y: 0 }, 12)).toBe(1);
  });
  it("passes by what is not drawn", () => {
    expect(nearest([null, THERE, null], { x: 50, y: -8 }, 6)).toBe(1);
    expect(nearest([], { x: 0, y: 0 }, 6)).toBeNull();
  });
});
