import { describe, expect, it } from "vitest";
import { collectionOf, inOrder, layerId, rank } from "./order.ts";

describe("order", () => {
  it("puts areas below lines below points below names, and keeps the order within", () => {
    const ids = ["lit-label", "point:b", "point:a", "line:x", "area-fill:y", "sea"].map((id) => ({ id }));
    expect(inOrder(ids).map(({ id }) => id)).toEqual(["sea", "area-fill:y", "line:x", "point:b", "point:a", "lit-label"]);
  });

  it("keeps names of places above every mark, and what is selected above all", () => {
    const marks = ["point:a", "cluster:a", "quiet-point:a", "line:a", "area-line:a"].map(rank);
    expect(rank("city-label:places")).toBeGreaterThan(Math.max(...marks));
    expect(rank("lit-label")).toBeGreaterThan(rank("city-label:places"));
    expect(rank("lit-point")).toBeGreaterThan(rank("point:a"));
  });

  it("draws the casing of a line below the line, and land below everything of a collection", () => {
    expect(rank("line-casing:a")).toBeLessThan(rank("line:a"));
    expect(rank("land")).toBeLessThan(rank("area-fill:a"));
  });

  it.each(["blob:stations", "", "Sea", "points:a"])("throws on %j, which has no place", (id) => {
    expect(() => rank(id)).toThrow("no place in the drawing order");
  });

  it("takes the collection out of an id, whatever the collection is called", () => {
    for (const id of ["stations", "a:b", "x y/z"]) expect(collectionOf(layerId("point", id))).toBe(id);
    expect(collectionOf(layerId("sea"))).toBeNull();
    // The part is read the same way, so that a strange name cannot move a layer.
    expect(rank(layerId("point", "sea:x"))).toBe(rank("point:a"));
  });

  it("leaves the given list alone", () => {
    const given = [{ id: "point:a" }, { id: "sea" }];
    inOrder(given);
    expect(given.map(({ id }) => id)).toEqual(["point:a", "sea"]);
  });
});
