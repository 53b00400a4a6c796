import { validateStyleMin } from "@maplibre/maplibre-gl-style-spec";
import type { LayerSpecification } from "maplibre-gl";
import { describe, expect, it } from "vitest";
import type { Collection, GeometryKind } from "../api/client.ts";
import { basemap } from "./basemap.ts";
import { highlight } from "./highlight.ts";
import { clusterRadius, layersOf } from "./layers.ts";
import { looks, usualLayers } from "./looks.ts";
import { inOrder } from "./order.ts";
import { DARK, LIGHT } from "./palette.ts";
import type { LayerSource } from "./parts.ts";

const collection = (id: string, geometryKind: GeometryKind, kind: Collection["class"] = "layer"): Collection => ({
  id,
  title: id,
  itemCount: 1,
  geometryKind,
  class: kind,
  dataVersion: "1",
  extent: { spatial: { bbox: [[-8, 49, 2, 61]] } },
});

const COLLECTIONS = [
  collection("places", "point", "reference"),
  collection("stations", "point", "reference"),
  collection("forces", "area", "reference"),
  collection("regions", "area", "reference"),
  collection("hubs", "point", "register"),
  ...(["point", "line", "area", "any"] as const).flatMap((kind) => [0, 1, 2].map((n) => collection(`${kind}-${n}`, kind))),
  collection("calls", "none", "register"),
];

function everyLayer(p: typeof LIGHT): LayerSpecification[] {
  const all = looks(COLLECTIONS);
  const layers = COLLECTIONS.flatMap(({ id, geometryKind }) => {
    const look = all.get(id);
    const source = (hidden: string | undefined): LayerSource =>
      ({ id, geometry: geometryKind, labelField: "name", look: look as NonNullable<typeof look>, hidden });
    return look ? layersOf(source(id === "stations" ? "Waterloo" : undefined), p) : [];
  });
  return inOrder([...basemap(p), ...layers, ...highlight(p)]);
}

describe.each([["light", LIGHT], ["dark", DARK]] as const)("layers in the %s theme", (_, p) => {
  it("are valid by the style specification", () => {
    const vector = { type: "vector" as const, tiles: ["https://example.invalid/{z}/{x}/{y}.mvt"] };
    const geojson = { type: "geojson" as const, data: { type: "FeatureCollection" as const, features: [] } };
    const sources = Object.fromEntries(COLLECTIONS.map(({ id }) => [id, vector]));
    const style = {
      version: 8 as const,
      "font-faces": { "Inter Regular": "https://example.invalid/inter.woff2" },
      sources: { ...sources, land: geojson, coast: geojson, lit: geojson },
      layers: everyLayer(p),
    };
    expect(validateStyleMin(style).map(({ message }) => message)).toEqual([]);
  });

  it("have ids of their own", () => {
    const ids = everyLayer(p).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("use no colour that the palette lacks", () => {
    const known = new Set(JSON.stringify(p).match(/#[0-9a-f]{6}/g));
    for (const colour of JSON.stringify(everyLayer(p)).match(/#[0-9a-f]{6}/g) ?? []) expect(known).toContain(colour);
  });
});

describe("looks", () => {
  it("tells eighteen layers apart by tone or form", () => {
    const many = Array.from({ length: 18 }, (_, n) => collection(`layer-${n}`, "point"));
    const seen = new Set([...looks(many).values()].map((look) => JSON.stringify(look)));
    expect(seen.size).toBe(18);
  });
  it("draws nothing for a collection without geometry", () => {
    expect(looks(COLLECTIONS).has("calls")).toBe(false);
  });
  it("has names, stations, forces and the user's own layers on at first", () => {
    const on = usualLayers(COLLECTIONS);
    expect(on).toEqual(expect.arrayContaining(["places", "stations", "forces", "hubs", "point-0"]));
    expect(on).not.toContain("regions");
    expect(on).not.toContain("calls");
  });
});

describe("clusterRadius", () => {
  it("grows with the count up to a limit", () => {
    expect(clusterRadius(10)).toBeLessThan(clusterRadius(100));
    expect(clusterRadius(1e9)).toBe(clusterRadius(1e8));
  });
});
