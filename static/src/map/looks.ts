// Which look a collection has: its own if it is built in, else the next tone and form of the palette.
import type { Collection } from "../api/client.ts";

/** Tone is an index into the palette, form one of three ways to draw, so that tones are never told apart by colour alone. */
export type Look =
  | { kind: "places" }
  | { kind: "stations" }
  | { kind: "boundary"; weight: number }
  | { kind: "plain"; tone: number; form: 0 | 1 | 2 };

const BUILT_IN: Record<string, Look> = {
  places: { kind: "places" },
  stations: { kind: "stations" },
  forces: { kind: "boundary", weight: 0.9 },
  regions: { kind: "boundary", weight: 1.8 },
};

const TONES = 6;
const FORMS = 3;

/** Looks of all collections. Tones go round over all, forms over those of one geometry: the first is the plainest. */
export function looks(collections: Collection[]): Map<string, Look> {
  let next = 0;
  const ofKind = new Map<string, number>();
  const found = new Map<string, Look>();
  for (const { id, geometryKind } of collections) {
    const own = BUILT_IN[id];
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

/** Layers that are on when nobody has said otherwise. */
const USUAL_REFERENCE = new Set(["places", "stations", "forces"]);
const MOST_USUAL = 8;

/** The usual layers: names, stations, force areas, and what the user has brought. */
export function usualLayers(collections: Collection[]): string[] {
  const drawn = collections.filter((each) => each.extent?.spatial && each.geometryKind !== "none");
  const reference = drawn.filter((each) => each.class === "reference" && USUAL_REFERENCE.has(each.id));
  const others = drawn.filter((each) => each.class !== "reference").slice(0, MOST_USUAL);
  return [...reference, ...others].map((each) => each.id);
}

/** Zoom from which a collection is drawn at all. */
export const drawnFrom = (id: string): number => (id === "stations" ? 6.5 : 0);
