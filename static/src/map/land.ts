// Land and coast of the basemap: fetches the files that build/land.ts wrote and makes two GeoJSON sources of each.
import type { Feature, FeatureCollection, Geometry, Position } from "geojson";
import { full, low } from "virtual:land";

export interface Land {
  /** Areas with `iso`. */
  land: FeatureCollection;
  /** Lines with `kind`: "coast", "border" (on land between two countries), "edge" (where neighbours are cut off). */
  coast: FeatureCollection;
}

/** The part of TopoJSON that the build writes: quantised arcs, and geometries as (nested) lists of arc numbers. */
export interface LandFile {
  transform: { scale: [number, number]; translate: [number, number] };
  arcs: [number, number][][];
  objects: Record<"land" | "lines", { geometries: Shape[] }>;
}

type Arcs = number | Arcs[];

interface Shape {
  type: string;
  arcs: Arcs[];
  properties: Record<string, string>;
}

/** The box that the neighbours are cut along, in degrees: west, south, east, north. */
const CUT = [-12, 48.5, 8, 62.5] as const;

export async function fetchLand(detail: "low" | "full"): Promise<Land> {
  const response = await fetch(detail === "low" ? low : full);
  if (!response.ok) throw new Error(`land: ${response.status}`);
  return decode((await response.json()) as LandFile);
}

export function decode({ transform, arcs, objects }: LandFile): Land {
  const lines = arcs.map((arc) => {
    let [x, y] = [0, 0];
    return arc.map(([dx, dy]): Position => {
      x += dx;
      y += dy;
      return [x * transform.scale[0] + transform.translate[0], y * transform.scale[1] + transform.translate[1]];
    });
  });
  /** A list of numbers is a line of arcs end to end (a negative one backwards); a list of lists is a list of lines. */
  const walk = (list: Arcs[]): unknown => {
    if (Array.isArray(list[0])) return list.map((each) => walk(each as Arcs[]));
    return (list as number[]).flatMap((arc, index) => {
      const line = arc < 0 ? (lines[~arc] ?? []).toReversed() : (lines[arc] ?? []);
      return index === 0 ? line : line.slice(1);
    });
  };
  const features = (shapes: Shape[]): Feature[] =>
    shapes.map(({ type, arcs: list, properties }) => ({
      type: "Feature",
      properties,
      geometry: { type, coordinates: walk(list) } as Geometry,
    }));
  const [west, south, east, north] = CUT;
  const edge: Feature = {
    type: "Feature",
    properties: { kind: "edge" },
    geometry: { type: "LineString", coordinates: [[west, north], [west, south], [east, south], [east, north]] },
  };
  return {
    land: { type: "FeatureCollection", features: features(objects.land.geometries) },
    coast: { type: "FeatureCollection", features: [...features(objects.lines.geometries), edge] },
  };
}
