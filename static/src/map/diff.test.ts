import type { LayerSpecification } from "maplibre-gl";
import { describe, expect, it } from "vitest";
import { diff } from "./diff.ts";

const layer = (id: string, colour = "#000000", filter?: ["has", string]): LayerSpecification => ({
  id,
  type: "fill",
  source: "s",
  paint: { "fill-color": colour },
  ...(filter ? { filter } : {}),
});

/** Takes the steps on a plain list, as a map would. */
function apply(has: LayerSpecification[], wants: LayerSpecification[]): LayerSpecification[] {
  const list: LayerSpecification[] = structuredClone(has);
  for (const step of diff(has, wants)) {
    const at = (id: string): number => list.findIndex((each) => each.id === id);
    if (step.do === "remove") list.splice(at(step.id), 1);
    else if (step.do === "add") list.splice(step.before === undefined ? list.length : at(step.before), 0, step.layer);
    else if (step.do === "filter") Object.assign(list[at(step.id)] as object, { filter: step.value });
    else Object.assign((list[at(step.id)] as unknown as Record<string, object>)[step.do] as object, { [step.name]: step.value });
  }
  return list;
}

describe("diff", () => {
  it.each([
    [["a", "b"], ["a", "b"]],
    [[], ["a", "b", "c"]],
    [["a", "c"], ["a", "b", "c", "d"]],
    [["a", "b", "c"], ["b"]],
    [["a", "x", "c"], ["a", "y", "c"]],
  ])("goes from %j to %j", (from, to) => {
    const wants = to.map((id) => layer(id, "#ffffff"));
    expect(apply(from.map((id) => layer(id)), wants)).toEqual(wants);
  });
  it("does nothing if nothing changed", () => {
    expect(diff([layer("a", "#123456", ["has", "x"])], [layer("a", "#123456", ["has", "x"])])).toEqual([]);
  });
  it("changes filters, and takes them away", () => {
    expect(diff([layer("a")], [layer("a", "#000000", ["has", "x"])])).toEqual([{ do: "filter", id: "a", value: ["has", "x"] }]);
    expect(diff([layer("a", "#000000", ["has", "x"])], [layer("a")])).toEqual([{ do: "filter", id: "a", value: undefined }]);
  });
  it("resets a property that is no longer said", () => {
    const wide: LayerSpecification = { id: "a", type: "line", source: "s", paint: { "line-width": 2 }, layout: { "line-cap": "round" } };
    expect(diff([wide], [{ id: "a", type: "line", source: "s" }])).toEqual([
      { do: "paint", id: "a", name: "line-width", value: undefined },
      { do: "layout", id: "a", name: "line-cap", value: undefined },
    ]);
  });
  it("changes a theme without taking a layer away", () => {
    const steps = diff(["a", "b"].map((id) => layer(id, "#ffffff")), ["a", "b"].map((id) => layer(id, "#000000")));
    expect(steps.map((step) => step.do)).toEqual(["paint", "paint"]);
  });
});
