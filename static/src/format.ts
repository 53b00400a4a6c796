// Words and numbers on the screen: en-GB, units named, nothing of the wire left.
import type { Geometry, Position } from "geojson";
import type { Bounds, Collection, Item, Queryable } from "./api/client.ts";

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 4 });
const month = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric", timeZone: "UTC" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const minute = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "Europe/London",
});

export const count = (value: number): string => whole.format(value);

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** `crime_type` -> "Crime type"; a title that is already in words stays as it is. */
export function humanise(name: string): string {
  if (/[A-Z ]/.test(name)) return name;
  const words = name.replaceAll(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function fieldTitle(name: string, field: Queryable | undefined): string {
  const title = humanise(field?.title ?? name);
  const unit = field?.["x-ogc-unit"];
  return unit ? `${title} (${unit})` : title;
}

/** Numbers that are names (years, codes) have no thousands separator. */
const isName = (field: string): boolean => /(^|_|\b)(id|code|year|ref|number|objectid|fid)$/i.test(field);

const words = (id: string): string =>
  id
    .split("-")
    .map((word, at) => (at > 0 && /^(and|of|the)$/.test(word) ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join(" ");

/** A value in words, or null for one that is not known. `ours`: of a collection whose ids are our own. */
export function value(raw: unknown, name: string, field: Queryable | undefined, ours = false): string | null {
  if (raw === null || raw === undefined || raw === "") return null;
  if (typeof raw === "boolean") return raw ? "Yes" : "No";
  if (typeof raw === "number") return isName(name) ? String(raw) : fine.format(raw);
  if (typeof raw !== "string") return JSON.stringify(raw);
  if (/^\d{4}-(0\d|1[0-2])$/.test(raw)) return month.format(new Date(`${raw}-01T00:00:00Z`));
  // Reference facts hold ids of countries, kinds, forces: `northern-ireland` is meant for programs.
  if (ours && /^[a-z]+(-[a-z]+)*$/.test(raw)) return words(raw);
  const instant = /^\d{4}-\d\d-\d\d(T|$)/.test(raw) ? new Date(raw) : null;
  if (!instant || Number.isNaN(instant.getTime())) return raw;
  return field?.format === "date-time" || raw.includes("T") ? minute.format(instant) : day.format(instant);
}

export function isNumeric(field: Queryable | undefined): boolean {
  return field?.type === "number" || field?.type === "integer";
}

/** An identifier that the store made, which names nothing to anybody. */
export const isRandomId = (id: unknown): boolean =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(String(id));

/** Whether a property is nothing but the identifier, which the heading or the name stands for. */
export const repeatsId = (property: string, item: Item | undefined): boolean =>
  property === "id" && item !== undefined && String(item.properties[property]) === String(item.id);

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
