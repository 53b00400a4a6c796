// What is drawn of the lines between places: the strongest of the country, those of the selection, and what belongs to it. Pure.
import type { FlowPair, FlowPlace, Flows } from "../../api/flows.ts";
import type { FeatureRef } from "../../state.ts";
import { radiusPx } from "./scale.ts";

export interface DrawnPlace extends FlowPlace {
  key: string;
  /** Lines that leave or reach it, of those drawn. */
  lines: number;
  radiusPx: number;
  /** Whether it has to do with the selection; all have if nothing is selected that could be an end. */
  related: boolean;
  chosen: boolean;
}

export interface DrawnFlow {
  key: string;
  from: DrawnPlace;
  to: DrawnPlace;
  lines: number;
  trips: number | null;
  minutes: number | null;
  /** Its lines divided by those of a pair drawn at full width; at most 1. */
  share: number;
  related: boolean;
}

export interface Picture {
  places: DrawnPlace[];
  /** In drawing order: what is unrelated first, the strongest last, so that it lies on top. */
  flows: DrawnFlow[];
  /** Lines of a pair of places drawn at full width. */
  strongest: number;
  /** Whether some have more. */
  capped: boolean;
  /** Lines of the largest circle. */
  largest: number;
}

/** More than this of one selection would be a hairball again; the drawer lists all. */
const MOST_OWN = 150;

export const placeKey = ({ collection, id }: { collection: string; id: string | null }): string =>
  `${collection}:${id ?? ""}`;

type End = Pick<FlowPlace, "collection" | "id" | "force" | "region">;

/** Whether a place is the selected thing or lies in it. */
function belongs(place: End, chosen: FeatureRef): boolean {
  if (place.collection === chosen.collection && place.id === chosen.id) return true;
  if (chosen.collection === "forces") return place.force === chosen.id;
  return chosen.collection === "regions" && place.region === chosen.id;
}

/** Whether a line has to do with the selected feature, by its ends. Everything has if nothing is selected that could be an end. */
export const related = (from: End, to: End, chosen: FeatureRef | null): boolean =>
  chosen === null || belongs(from, chosen) || belongs(to, chosen);

/** Lines that leave or reach each place of an answer. */
function sums(places: FlowPlace[], flows: FlowPair[]): number[] {
  const found = places.map(() => 0);
  for (const { origin, destination, lines } of flows) {
    for (const end of new Set([origin, destination])) found[end] = (found[end] ?? 0) + lines;
  }
  return found;
}

/** Pairs nearer than this lie under their circles while hubs are gathered. */
const SEEN_FROM_KM = 40;
const KM_OF_DEGREE = 111.2;

/** Good for telling near from far: degrees of longitude shrink with latitude. */
function distanceKm(a: FlowPlace, b: FlowPlace): number {
  const shrink = Math.cos((((a.lat + b.lat) / 2) * Math.PI) / 180);
  return KM_OF_DEGREE * Math.hypot(a.lat - b.lat, (a.lon - b.lon) * shrink);
}

/** What is drawn at full width: the strongest pair that is long enough to be seen. A stronger one under its circles would make all others thin. */
export function scaleOf(base: Flows | null): Pick<Picture, "strongest" | "capped"> {
  const pairs = (base?.flows ?? []).flatMap(({ origin, destination, lines }) => {
    const [from, to] = [base?.places[origin], base?.places[destination]];
    return from && to && origin !== destination ? [{ lines, seen: distanceKm(from, to) >= SEEN_FROM_KM }] : [];
  });
  const most = Math.max(1, ...pairs.map(({ lines }) => lines));
  const seen = pairs.filter((pair) => pair.seen).map(({ lines }) => lines);
  const strongest = base?.levels.origin === "place" || seen.length === 0 ? most : Math.max(...seen);
  return { strongest, capped: most > strongest };
}

/** `chosen`: the selected feature if it can be an end of a line or holds ends, else null. */
export function picture(base: Flows | null, own: Flows[], chosen: FeatureRef | null): Picture {
  const places = new Map<string, DrawnPlace>();
  const flows = new Map<string, DrawnFlow>();
  const largest = Math.max(1, ...(base ? sums(base.places, base.flows) : []));
  const { strongest, capped } = scaleOf(base);

  const put = (place: FlowPlace, lines: number): DrawnPlace => {
    const key = placeKey(place);
    const isChosen = chosen !== null && placeKey(chosen) === key;
    const is: DrawnPlace = places.get(key) ?? {
      ...place,
      key,
      lines,
      // The sizes of the country's picture stay when more is drawn for a selection.
      radiusPx: radiusPx(lines, largest, place.kind === "origin" ? "ring" : "dot"),
      related: chosen === null || isChosen,
      chosen: isChosen,
    };
    is.lines = Math.max(is.lines, lines);
    places.set(key, is);
    return is;
  };
  const add = (list: Flows, pairs: FlowPair[]): void => {
    const totals = sums(list.places, pairs);
    const ends = list.places.map((place, at) => ((totals[at] ?? 0) > 0 ? put(place, totals[at] ?? 0) : null));
    for (const pair of pairs) {
      const [from, to] = [ends[pair.origin], ends[pair.destination]];
      // What stays within a place is part of its ring.
      if (!from || !to || from === to) continue;
      const key = `${from.key}>${to.key}`;
      if (flows.has(key)) continue;
      const isRelated = related(from, to, chosen);
      if (isRelated) from.related = to.related = true;
      const { lines, trips_per_week: trips, minutes } = pair;
      flows.set(key, { key, from, to, lines, trips, minutes, share: Math.min(1, lines / strongest), related: isRelated });
    }
  };
  if (base) add(base, base.flows);
  for (const list of own) add(list, list.flows.slice(0, MOST_OWN));
  return { places: [...places.values()], flows: [...flows.values()].sort(byStrength), strongest, capped, largest };
}

/** Unrelated before related, weak before strong; then by journeys, then by key, so that the order is always the same. */
export function byStrength(a: DrawnFlow, b: DrawnFlow): number {
  return (
    Number(a.related) - Number(b.related) || a.lines - b.lines || (a.trips ?? -1) - (b.trips ?? -1) || (a.key < b.key ? -1 : Number(a.key > b.key))
  );
}
