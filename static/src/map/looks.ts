// Which look a collection has: its own if it is built in, else the next tone and form of the palette.
import type { Collection } from "../api/client.ts";

/**
 * Tone is an index into the palette, form one of three ways to draw, so that tones are never told apart by colour alone.
 * The fourth form, a hatched diamond, is kept for addresses.
 */
export type Look =
  | { kind: "places" }
  | { kind: "stations" }
  | { kind: "boundary"; weight: number }
  | { kind: "plain"; tone: number; form: 0 | 1 | 2 | 3 }
  /** What is released in place of records: cells, or counts of areas. */
  | { kind: "released"; tone: number; counts: boolean }
  /** Drawn by map/flows/, not from tiles. */
  | { kind: "flows" };

const BUILT_IN: Record<string, Look> = {
  places: { kind: "places" },
  stations: { kind: "stations" },
  forces: { kind: "boundary", weight: 0.9 },
  regions: { kind: "boundary", weight: 1.8 },
  areas: { kind: "boundary", weight: 0.5 },
  hubs: { kind: "plain", tone: 6, form: 1 },
  towns: { kind: "plain", tone: 7, form: 0 },
  addresses: { kind: "plain", tone: 8, form: 3 },
  "address-cells": { kind: "released", tone: 8, counts: false },
  "line-cells": { kind: "released", tone: 6, counts: false },
  corridors: { kind: "plain", tone: 9, form: 0 },
  flows: { kind: "flows" },
};

/** Counts are drawn in the tone of what they count, where that has one of its own. */
const TONE_OF_COUNTS: Record<string, number> = { "address-counts": 8, "line-counts": 6, "leg-counts": 7 };
const RELEASED = 5;

const TONES = 6;
const FORMS = 3;

/** Looks of all collections. Tones go round over all, forms over those of one geometry: the first is the plainest. */
export function looks(collections: Collection[]): Map<string, Look> {
  let next = 0;
  const ofKind = new Map<string, number>();
  const found = new Map<string, Look>();
  for (const { id, geometryKind, class: kind } of collections) {
    const counts: Look = { kind: "released", tone: TONE_OF_COUNTS[id] ?? RELEASED, counts: true };
    const own = BUILT_IN[id] ?? (kind === "release" && geometryKind !== "none" ? counts : undefined);
    if (own) {
      found.set(id, own);
    } else if (geometryKind !== "none") {
      const before = ofKind.get(geometryKind) ?? 0;
      ofKind.set(geometryKind, before + 1);
      const form = ((before + Math.floor(next / TONES)) % FORMS) as 0 | 1 | 2;
      found.set(id, { kind: "plain", tone: next % TONES, form });
      next += 1;
    }
  }
  return found;
}

/** Layers that are on until the user or the address says otherwise. */
const USUAL = new Set(["places", "stations", "forces", "flows"]);
const MOST_USUAL = 8;

/** The usual layers: names, stations, force areas, lines between places, and what the user has brought. */
export function usualLayers(collections: Collection[]): string[] {
  const drawn = collections.filter((each) => each.extent?.spatial && each.geometryKind !== "none");
  const ours = drawn.filter((each) => USUAL.has(each.id));
  const others = drawn.filter((each) => each.class === "layer" && !USUAL.has(each.id)).slice(0, MOST_USUAL);
  return [...ours, ...others].map((each) => each.id);
}

/** The lines between places are made of legs: they are no collection of the server, but they go on and off as one does. */
export function withFlows(collections: Collection[]): Collection[] {
  const ids = collections.map(({ id }) => id);
  const legs = collections[ids.indexOf("legs")];
  if (!legs || !ids.includes("hubs") || ids.includes("flows")) return collections;
  // How many pairs of places there are is known with the first answer.
  return [{ ...legs, id: "flows", title: "Lines between places", itemCount: -1 }, ...collections];
}

/** Zoom from which a collection is drawn at all. */
export const drawnFrom = (id: string): number => (id === "stations" ? 6.5 : 0);
