// Properties of features: their titles and units, asked once for each collection, and their values in words.
import type { Item, Queryable } from "./api/client.ts";
import { getAllItems, getQueryables } from "./api/items.ts";
import * as format from "./format.ts";
import * as state from "./state.ts";
import type { FeatureRef } from "./state.ts";

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
/** Code of a council by the Government Statistical Service: `E06000044`. */
const COUNCIL = /^[ENSW]\d{8}$/;
/** Codes of stations with minutes on foot: `PMS:2 FTN:22`. */
const STATIONS = /^[A-Z]{3}:\d+( [A-Z]{3}:\d+)*$/;

const pounds = new Intl.NumberFormat("en-GB", { style: "currency", currency: "GBP", maximumFractionDigits: 0 });

/** The collection that holds the names of councils. */
const COUNCILS = "areas";
let councilsAsked = false;

/** Loads the names of councils by their codes; asked once. */
export async function loadCouncils(): Promise<void> {
  const labelField = state.byId.value.get(COUNCILS)?.labelField;
  if (councilsAsked || labelField === undefined) return;
  councilsAsked = true;
  try {
    const found = await getAllItems(COUNCILS);
    state.councils.value = Object.fromEntries(found.map((item) => [String(item.id), String(item.properties[labelField])]));
  } catch {
    // The codes stand in for the names, and the next look asks again.
    councilsAsked = false;
  }
}

/** Collections of the features that a property names by a random identifier. */
const NAMED_BY: Record<string, string> = { line: "lines", exposure: "exposures" };

/** The feature that a property of one of our collections names, if its value is a random identifier. */
export function reference(raw: unknown, name: string): FeatureRef | null {
  const collection = NAMED_BY[name];
  return collection !== undefined && format.isRandomId(raw) ? { collection, id: String(raw) } : null;
}

/** Titles and units of a collection's properties; asked once. */
export async function loadFields(collection: string): Promise<void> {
  if (state.fields.value[collection]) return;
  try {
    const found = await getQueryables(collection);
    state.fields.value = { ...state.fields.value, [collection]: found };
    if (state.byId.value.get(collection)?.class !== "layer") void loadCouncils();
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

/** Titles that say the unit themselves. */
const SAYS_UNIT: Record<string, RegExp> = { "/wk": /a week$/, min: /minutes$/ };

export function fieldTitle(name: string, field: Queryable | undefined): string {
  const title = humanise(field?.title ?? name);
  const unit = field?.["x-ogc-unit"];
  return unit && !SAYS_UNIT[unit]?.test(title) ? `${title} (${unit})` : title;
}

/** Sums of money are stored in pence. */
const PENCE = /(^|_)pence(_|$)/;

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
  if (typeof raw === "number") {
    if (ours && PENCE.test(name)) return pounds.format(raw / 100);
    return isName(name) ? String(raw) : fine.format(raw);
  }
  if (Array.isArray(raw) && raw.every((each) => typeof each !== "object")) return raw.join(", ") || null;
  if (typeof raw !== "string") return JSON.stringify(raw);
  if (/^\d{4}-(0\d|1[0-2])$/.test(raw)) return month.format(new Date(`${raw}-01T00:00:00Z`));
  if (STATIONS.test(raw)) return raw.replaceAll(/([A-Z]{3}):(\d+)/g, "$1 $2 min").replaceAll("min ", "min, ");
  if (ours && COUNCIL.test(raw) && name !== "code") return state.councils.value[raw] ?? raw;
  if (ours && LIST.test(raw)) return raw.replaceAll(";", ", ");
  // Ids of countries, kinds and forces, such as `northern-ireland`, are written for programs.
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
