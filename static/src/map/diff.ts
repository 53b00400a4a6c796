// The steps from the layers that a map has to those that it should have. Pure; map/map.ts takes the steps.
import type { FilterSpecification, LayerSpecification } from "maplibre-gl";

export type Step =
  | { do: "remove"; id: string }
  | { do: "add"; layer: LayerSpecification; before: string | undefined }
  | { do: "paint" | "layout"; id: string; name: string; value: unknown }
  | { do: "filter"; id: string; value: FilterSpecification | undefined };

type Bag = Record<string, unknown>;

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Layers that stay keep their order among themselves, so none is ever moved. */
export function diff(has: LayerSpecification[], wants: LayerSpecification[]): Step[] {
  const before = new Map(has.map((layer) => [layer.id, layer]));
  const after = new Set(wants.map((layer) => layer.id));
  const steps: Step[] = has.filter((layer) => !after.has(layer.id)).map((layer) => ({ do: "remove", id: layer.id }));
  // From the top down: the layer above is there already when the next one is put below it.
  for (let index = wants.length - 1; index >= 0; index--) {
    const layer = wants[index] as LayerSpecification;
    const old = before.get(layer.id);
    if (old) steps.push(...changes(old, layer));
    else steps.push({ do: "add", layer, before: wants[index + 1]?.id });
  }
  return steps;
}

function changes(old: LayerSpecification, layer: LayerSpecification): Step[] {
  const steps: Step[] = [];
  for (const bag of ["paint", "layout"] as const) {
    const was = (old[bag] ?? {}) as Bag;
    const is = (layer[bag] ?? {}) as Bag;
    for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
      if (!same(was[name], is[name])) steps.push({ do: bag, id: layer.id, name, value: is[name] });
    }
  }
  const filterOf = (each: LayerSpecification): FilterSpecification | undefined =>
    "filter" in each ? each.filter : undefined;
  if (!same(filterOf(old), filterOf(layer))) steps.push({ do: "filter", id: layer.id, value: filterOf(layer) });
  return steps;
}
