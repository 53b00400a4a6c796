// Cuts the committed land (TopoJSON) into two files for the page: a small one that is drawn first, and the full one.
//
// In: data/reference/land.topojson with objects `land`, `neighbours`, `land_low`, `neighbours_low`.
// Out: the module `virtual:land` with the address of each file. In a file: objects `land` (areas with `iso`) and
// `lines` (with `kind` "coast" or "border"), so that the page need not look for shared borders itself.
import { readFileSync } from "node:fs";
import type { GeoJsonProperties } from "geojson";
import { meshArcs } from "topojson-client";
import type { Plugin } from "vite";
import type { GeometryCollection, GeometryObject, Topology as Plain } from "topojson-specification";

type Topology = Plain<Record<string, GeometryObject<GeoJsonProperties>>>;
type Shape = GeometryObject<GeoJsonProperties>;

const MODULE = "virtual:land";

/** The named objects as one, with their coasts and borders, and only the arcs that they use. */
export function cut(topology: Topology, names: string[]): Topology {
  const geometries = names.flatMap((name) => {
    const object = topology.objects[name];
    if (object?.type !== "GeometryCollection") throw new Error(`the land has no object "${name}"`);
    return object.geometries;
  });
  const all = { type: "GeometryCollection", geometries } as GeometryCollection;
  const line = (kind: string, filter: (a: Shape, b: Shape) => boolean): Shape => ({
    ...meshArcs(topology, all, filter),
    properties: { kind },
  });
  const lines = [line("coast", (a, b) => a === b), line("border", (a, b) => a !== b)];

  const places = new Map<number, number>();
  const renumber = (arcs: unknown): unknown => {
    if (Array.isArray(arcs)) return arcs.map(renumber);
    const index = (arcs as number) < 0 ? ~(arcs as number) : (arcs as number);
    const found = places.get(index) ?? places.size;
    places.set(index, found);
    return (arcs as number) < 0 ? ~found : found;
  };
  const copy = (shape: Shape): Shape => ("arcs" in shape ? ({ ...shape, arcs: renumber(shape.arcs) } as Shape) : shape);
  const objects = {
    land: { type: "GeometryCollection" as const, geometries: geometries.map(copy) },
    lines: { type: "GeometryCollection" as const, geometries: lines.map(copy) },
  };
  const arcs = [...places.keys()].map((index) => topology.arcs[index] ?? []);
  return { type: "Topology", ...(topology.transform ? { transform: topology.transform } : {}), objects, arcs };
}

export function land(folder: URL): Plugin {
  let building = false;
  return {
    name: "throughline-land",
    configResolved({ command }) {
      building = command === "build";
    },
    resolveId: (id) => (id === MODULE ? `\0${MODULE}` : undefined),
    load(id) {
      if (id !== `\0${MODULE}`) return undefined;
      // Unit tests need no files.
      if (!building) return 'export const low = "";\nexport const full = "";';
      const topology = JSON.parse(readFileSync(new URL("land.topojson", folder), "utf8")) as Topology;
      const emit = (name: string, objects: string[]): string => {
        const source = JSON.stringify(cut(topology, objects));
        return `import.meta.ROLLUP_FILE_URL_${this.emitFile({ type: "asset", name, source })}`;
      };
      const low = emit("land-low.json", ["land_low", "neighbours_low"]);
      const full = emit("land-full.json", ["land", "neighbours"]);
      return `export const low = ${low};\nexport const full = ${full};`;
    },
  };
}
