import { validateStyleMin } from "@maplibre/maplibre-gl-style-spec";
import type { LayerSpecification } from "maplibre-gl";
import { describe, expect, it } from "vitest";
import type { Collection, GeometryKind } from "../api/client.ts";
import { basemap } from "./basemap.ts";
import { highlight } from "./highlight.ts";
import { layersOf } from "./layers.ts";
import { markData, markLayers, writtenHere } from "./flows/marks.ts";
import { picture } from "./flows/picture.ts";
import { looks, usualLayers, withFlows } from "./looks.ts";
import { inOrder } from "./order.ts";
import { DARK, LIGHT } from "./palette.ts";
import type { LayerSource } from "./parts.ts";
import { clusterRadius } from "./points.ts";

const collection = (id: string, geometryKind: GeometryKind, kind: Collection["class"] = "layer"): Collection => ({
  id,
  title: id,
  itemCount: 1,
  geometryKind,
  class: kind,
  dataVersion: "1",
  extent: { spatial: { bbox: [[-8, 49, 2, 61]], crs: "" } },
});

const COLLECTIONS = [
  collection("places", "point", "reference"),
  collection("stations", "point", "reference"),
  collection("forces", "polygon", "reference"),
  collection("regions", "polygon", "reference"),
  collection("legs", "line", "register"),
  collection("hubs", "point", "reference"),
  collection("towns", "point", "reference"),
  collection("corridors", "line", "reference"),
  collection("addresses", "point", "register"),
  collection("address-cells", "polygon", "release"),
  collection("seizure-counts", "polygon", "release"),
  ...(["point", "line", "polygon", "any"] as const).flatMap((kind) => [0, 1, 2].map((n) => collection(`${kind}-${n}`, kind))),
  collection("calls", "none", "register"),
];

const END = { collection: "towns" as const, id: "norwich", label: "Norwich", force: "norfolk", region: "eastern" };
const PICTURE = picture(
  {
    reference_date: "2024-04-30",
    data_version: "1",
    synthetic: true,
    levels: { origin: "area", destination: "place" },
    legs_without_ends: 0,
    totals: { flows: 1, lines: 2, legs: 2, trips_per_week: 9 },
    shown: { flows: 1, lines: 2, legs: 2, trips_per_week: 9 },
    places: [
      { ...END, collection: "forces", id: "metropolitan", label: "London", lon: -0.1, lat: 51.5, kind: "origin" },
      { ...END, lon: 1.29, lat: 52.63, kind: "destination" },
    ],
    flows: [{ origin: 0, destination: 1, lines: 2, legs: 2, trips_per_week: 9, minutes: 110 }],
  },
  [],
  null,
);
const written = writtenHere(PICTURE, "name");

function everyLayer(p: typeof LIGHT): LayerSpecification[] {
  const all = looks(COLLECTIONS);
  const layers = COLLECTIONS.flatMap(({ id, geometryKind }) => {
    const look = all.get(id);
    const source = (hidden: string | undefined): LayerSource =>
      ({ id, geometry: geometryKind, labelField: "name", look: look as NonNullable<typeof look>, hidden, written });
    return look ? layersOf(source(id === "stations" ? "Waterloo" : undefined), p) : [];
  });
  return inOrder([...basemap(p), ...layers, ...markLayers(p), ...highlight(p)]);
}

describe.each([["light", LIGHT], ["dark", DARK]] as const)("layers in the %s theme", (_, p) => {
  it("are valid by the style specification", () => {
    const vector = { type: "vector" as const, tiles: ["https://example.invalid/{z}/{x}/{y}.mvt"] };
    const geojson = { type: "geojson" as const, data: { type: "FeatureCollection" as const, features: [] } };
    const sources = Object.fromEntries(COLLECTIONS.map(({ id }) => [id, vector]));
    const style = {
      version: 8 as const,
      "font-faces": { "Inter Regular": "https://example.invalid/inter.woff2" },
      sources: { ...sources, land: geojson, coast: geojson, lit: geojson, flows: geojson },
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
  it("hatches what is released, in the tone of what it stands for", () => {
    const all = looks(COLLECTIONS);
    expect(all.get("address-cells")).toEqual({ kind: "released", tone: 8, counts: false });
    expect(all.get("seizure-counts")).toMatchObject({ kind: "released", counts: true });
    const fills = everyLayer(LIGHT).filter(({ id }) => /^area-fill:(address-cells|seizure-counts)$/.test(id));
    expect(fills.map(({ paint }) => (paint as { "fill-pattern": string })["fill-pattern"])).toEqual([
      `hatch-${LIGHT.tones[8]}`,
      `hatch-${LIGHT.tones[5]}`,
    ]);
  });
  it("keeps the hatched diamond for addresses", () => {
    const all = looks([...COLLECTIONS, ...Array.from({ length: 18 }, (_, n) => collection(`more-${n}`, "point"))]);
    expect([...all].filter(([, look]) => look.kind === "plain" && look.form === 3).map(([id]) => id)).toEqual(["addresses"]);
  });
});

describe("usualLayers", () => {
  it("are names, stations, forces, lines between places and the user's own layers", () => {
    const on = usualLayers(withFlows(COLLECTIONS));
    expect(on.slice(0, 4).sort()).toEqual(["flows", "forces", "places", "stations"]);
    expect(on.slice(4)).toEqual(expect.arrayContaining(["point-0", "line-0", "polygon-0"]));
    for (const id of ["regions", "calls", "legs", "hubs", "towns", "addresses", "corridors"]) expect(on).not.toContain(id);
  });
  it("have no lines between places without links, hubs, or a link to draw", () => {
    for (const gone of ["legs", "hubs"]) {
      expect(usualLayers(withFlows(COLLECTIONS.filter(({ id }) => id !== gone)))).not.toContain("flows");
    }
    const empty = COLLECTIONS.map((each) => (each.id === "legs" ? { ...each, extent: {} } : each));
    expect(usualLayers(withFlows(empty))).not.toContain("flows");
  });
  it("take the lines between places for no collection of the tiles", () => {
    const all = withFlows(COLLECTIONS);
    expect(all[0]).toMatchObject({ id: "flows", title: "Lines between places", class: "register" });
    expect(looks(all).get("flows")).toEqual({ kind: "flows" });
    expect(withFlows(all)).toBe(all);
  });
});

describe("marks of the lines between places", () => {
  it("say what they are, the one with most lines first", () => {
    const { features } = markData(PICTURE);
    expect(features.map(({ properties }) => [properties?.title, properties?.detail, properties?.name])).toEqual([
      ["London", "Exporting area · 2 lines drawn", "area"],
      ["Norwich", "Destination town · 2 lines drawn", "first"],
    ]);
  });
});

describe("clusterRadius", () => {
  it("grows with the count up to a limit", () => {
    expect(clusterRadius(10)).toBeLessThan(clusterRadius(100));
    expect(clusterRadius(1e9)).toBe(clusterRadius(1e8));
  });
});
