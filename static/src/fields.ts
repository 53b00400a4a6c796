// Properties of features: their titles and units, asked once for each collection, and their values in words.
import type { Item, Queryable } from "./api/client.ts";
import { getQueryables } from "./api/items.ts";
import * as state from "./state.ts";

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

/** Several words in one value: `crack;heroin`. */
const LIST = /^[\w-]+(;[\w-]+)+$/;
/** Codes of stations with minutes on foot: `PMS:2 FTN:22`. */
const STATIONS = /^[A-Z]{3}:\d+( [A-Z]{3}:\d+)*$/;

/** Titles and units of a collection's properties; asked once. */
export async function loadFields(collection: string): Promise<void> {
  if (state.fields.value[collection]) return;
  try {
    const found = await getQueryables(collection);
    state.fields.value = { ...state.fields.value, [collection]: found };
  } catch {
    // Only titles and units are lost: names of properties stand in for them, and the next look asks again.
  }
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
  if (STATIONS.test(raw)) return raw.replaceAll(/([A-Z]{3}):(\d+)/g, "$1 $2 min").replaceAll("min ", "min, ");
  if (ours && LIST.test(raw)) return raw.replaceAll(";", ", ");
  // Reference facts hold ids of countries, kinds, forces: `northern-ireland` is meant for programs.
  if (ours && /^[a-z]+(-[a-z]+)*$/.test(raw)) return words(raw);
  const instant = /^\d{4}-\d\d-\d\d(T|$)/.test(raw) ? new Date(raw) : null;
  if (!instant || Number.isNaN(instant.getTime())) return raw;
  return field?.format === "date-time" || raw.includes("T") ? minute.format(instant) : day.format(instant);
}

export function isNumeric(field: Queryable | undefined): boolean {
  return field?.type === "number" || field?.type === "integer";
}

/** Whether a property is nothing but the identifier, which the heading or the name stands for. */
export const repeatsId = (property: string, item: Item | undefined): boolean =>
  property === "id" && item !== undefined && String(item.properties[property]) === String(item.id);
