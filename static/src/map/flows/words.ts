// The lines between places in words: key, previews, drawer, table. Pure.
import type { FlowPlace, Flows } from "../../api/flows.ts";
import { count, plural } from "../../format.ts";
import type { DrawnFlow, DrawnPlace } from "./picture.ts";

const longDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

/** 2024-04-30 -> 30 April 2024; what is no day stays as it is. */
export function dayInWords(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? day : longDay.format(date);
}

/** How many pairs of places are drawn or listed, of how many, and how many lines are in none of them. */
export function shownInWords({ totals, shown }: Pick<Flows, "totals" | "shown">, how: "drawn" | "listed"): string {
  if (totals.flows === 0) return "No line was active on this day";
  const rest = totals.flows - shown.flows;
  if (rest <= 0) return totals.flows === 1 ? `The only pair of places is ${how}` : `All ${count(totals.flows)} pairs of places are ${how}`;
  const lines = totals.lines - shown.lines;
  const left = `${count(rest)} weaker ${rest === 1 ? "pair is" : "pairs are"} not ${how}`;
  return `The ${count(shown.flows)} strongest of ${count(totals.flows)} pairs of places are ${how}; ${left}${lines > 0 ? ` (${plural(lines, "line")})` : ""}`;
}

const journeys = (trips: number | null): string =>
  trips === null ? "journeys not known" : `${plural(Math.round(trips), "journey")} a week`;

/** London to Norwich. */
export const pairInWords = ({ from, to }: { from: Pick<FlowPlace, "label">; to: Pick<FlowPlace, "label"> }): string =>
  `${from.label} to ${to.label}`;

/** 12 lines, 55 journeys a week. */
export const strengthInWords = ({ lines, trips }: Pick<DrawnFlow, "lines" | "trips">): string =>
  `${plural(lines, "line")}, ${journeys(trips)}`;

export function placeInWords({ kind, collection, lines }: Pick<DrawnPlace, "kind" | "collection" | "lines">): string {
  const what = kind === "destination" ? "Destination town" : collection === "hubs" ? "Exporting hub" : "Exporting area";
  return `${what} · ${plural(lines, "line")} drawn`;
}

export interface Row {
  place: FlowPlace;
  lines: number;
}

/** Lines summed by the place at their other end, the strongest first. */
export function byPlace({ places, flows }: Flows, end: "origin" | "destination"): Row[] {
  const rows = new Map<number, Row>();
  for (const flow of flows) {
    const place = places[flow[end]];
    if (!place) continue;
    const row = rows.get(flow[end]) ?? { place, lines: 0 };
    row.lines += flow.lines;
    rows.set(flow[end], row);
  }
  return [...rows.values()].sort((a, b) => b.lines - a.lines || a.place.label.localeCompare(b.place.label, "en-GB"));
}

/** Whether the rows by place have more lines than there are: one that goes to several towns counts in each. */
export const countsTwice = (answer: Flows): boolean =>
  answer.flows.reduce((sum, { lines }) => sum + lines, 0) > answer.totals.lines;

/** 20 lines from 7 areas; 312 lines to 96 towns. */
export function sumInWords(answer: Flows, end: "origin" | "destination"): string {
  const places = byPlace(answer, end).length;
  const where = end === "origin" ? `from ${plural(places, "area")}` : `to ${plural(places, "town")}`;
  return `${plural(answer.totals.lines, "line")} ${where}`;
}
