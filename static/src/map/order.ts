// Drawing order of the map: every part of the picture, from the bottom up. A layer id is `part` or `part:collection`.

const PARTS = [
  "sea",
  "wash-outer",
  "wash-inner",
  "other-land",
  "land",
  "area-fill",
  "selected-fill",
  "area-band",
  "border",
  "coast",
  "edge",
  "area-line",
  "line-casing",
  "line",
  "lit-line-casing",
  "lit-line",
  "quiet-point",
  "flow",
  "point",
  "cluster",
  "lit-point",
  "flow-chosen",
  "flow-dot",
  "flow-halo",
  "flow-ring",
  "mark",
  "cluster-count",
  "quiet-label",
  "village-label",
  "point-label",
  "town-label",
  "city-label",
  "flow-town-label",
  "dot-room",
  "flow-first-label",
  "flow-hub-label",
  "flow-area-label",
  "lit-label",
  "ring-room",
] as const;

export type Part = (typeof PARTS)[number];

const RANK = new Map<string, number>(PARTS.map((part, rank) => [part, rank]));

export function layerId(part: Part, collection?: string): string {
  return collection === undefined ? part : `${part}:${collection}`;
}

/** The collection that a layer belongs to, if it belongs to one. */
export function collectionOf(id: string): string | null {
  const colon = id.indexOf(":");
  return colon < 0 ? null : id.slice(colon + 1);
}

/** Place of a layer's part in the drawing order. Throws on a part that is not listed: an unplaced layer is a mistake. */
export function rank(id: string): number {
  const part = id.split(":", 1)[0] ?? "";
  const found = RANK.get(part);
  if (found === undefined) throw new Error(`no place in the drawing order for layer "${id}"`);
  return found;
}

/** Sorts by part; within a part the given order stands, so the first collection of the list lies undermost. */
export function inOrder<T extends { id: string }>(layers: T[]): T[] {
  return layers
    .map((layer, index) => ({ layer, index, rank: rank(layer.id) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ layer }) => layer);
}
