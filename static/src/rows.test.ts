import { describe, expect, it } from "vitest";
import type { Item } from "./api/client.ts";
import { sorted } from "./rows.ts";

const item = (id: string, value: unknown): Item => ({ type: "Feature", id, geometry: null, properties: { value } });
const order = (values: unknown[], descending: boolean): unknown[] =>
  sorted(values.map((value, at) => item(String(at), value)), { by: "value", descending }, (each) => each.properties.value)
    .map((each) => each.properties.value);

describe("sorted", () => {
  it("sorts numbers as numbers and text as people do", () => {
    expect(order([10, 9, -1], false)).toEqual([-1, 9, 10]);
    expect(order(["b10", "B9", "a"], false)).toEqual(["a", "B9", "b10"]);
  });
  it("puts rows without a value last either way", () => {
    expect(order([null, 2, 1], false)).toEqual([1, 2, null]);
    expect(order([null, 1, 2], true)).toEqual([2, 1, null]);
  });
  it("leaves the given list alone", () => {
    const items = [item("a", 2), item("b", 1)];
    sorted(items, { by: "value", descending: false }, (each) => each.properties.value);
    expect(items.map(({ id }) => id)).toEqual(["a", "b"]);
  });
});
