// Words and numbers on the screen: en-GB, units named, nothing of the wire left. Values of properties: fields.ts.
import type { Geometry, Position } from "geojson";
import type { Bounds, Collection, Item } from "./api/client.ts";

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

export const count = (value: number): string => whole.format(value);

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** An identifier that the store made, which names nothing to anybody. */
export const isRandomId = (id: unknown): boolean =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(String(id));

/** What a feature is called; its identifier if that is all there is and means something; else null. */
export function name(item: Item, collection: Collection | undefined): string | null {
  const named = collection?.labelField ? item.properties[collection.labelField] : null;
  if (named !== null && named !== undefined && named !== "") return String(named);
  return isRandomId(item.id) ? null : String(item.id);
}

/** The same, for a heading: never empty. */
export const label = (item: Item, collection: Collection | undefined): string => name(item, collection) ?? "Unnamed";

/** West, south, east, north of a geometry; null if it has no position. */
export function extent(geometry: Geometry | null): Bounds | null {
  const box: Bounds = [Infinity, Infinity, -Infinity, -Infinity];
  const visit = (node: Position | unknown[]): void => {
    if (typeof node[0] !== "number") {
      for (const part of node) visit(part as unknown[]);
      return;
    }
    const [lon, lat] = node as [number, number];
    box[0] = Math.min(box[0], lon);
    box[1] = Math.min(box[1], lat);
    box[2] = Math.max(box[2], lon);
    box[3] = Math.max(box[3], lat);
  };
  const parts = geometry?.type === "GeometryCollection" ? geometry.geometries : geometry ? [geometry] : [];
  for (const part of parts) if ("coordinates" in part) visit(part.coordinates);
  return Number.isFinite(box[0]) ? box : null;
}

/** Units of the scale bar, the large one first: short and long name, metres. */
const IMPERIAL: [string, string, number][] = [["mi", "miles", 1609.344], ["yd", "yards", 0.9144]];
const METRIC: [string, string, number][] = [["km", "kilometres", 1000], ["m", "metres", 1]];

export interface ScaleBar {
  label: string;
  words: string;
  widthPixels: number;
}

/** The longest round distance that fits, in the large unit if it is at least one of it. */
export function scaleBar(metresPerPixel: number, widestPixels: number, system: "imperial" | "metric"): ScaleBar {
  const units = system === "imperial" ? IMPERIAL : METRIC;
  const widest = metresPerPixel * widestPixels;
  const [short, long, metres] = units.find(([, , unit]) => unit <= widest) ?? ["m", "metres", 1];
  const most = widest / metres;
  const power = 10 ** Math.floor(Math.log10(most));
  const step = ([5, 2, 1].find((factor) => factor * power <= most) ?? 1) * power;
  return { label: `${count(step)} ${short}`, words: `${count(step)} ${long}`, widthPixels: (step * metres) / metresPerPixel };
}
