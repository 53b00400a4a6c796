// What a pointer on the map does to the state: previews, lit rows, selection. Loaded once the map shows.
import * as actions from "../actions.ts";
import { getItemOfTile } from "../api/client.ts";
import * as format from "../format.ts";
import * as state from "../state.ts";
import type { TileRef } from "../state.ts";
import type { Hit } from "./types.ts";

const publicIds = new Map<string, string>();
const MOST_REMEMBERED = 500;
let hoverTimer = 0;
const HOVER_ASKS_AFTER_MS = 80;

export function hover(hit: Hit | null, x: number, y: number): void {
  clearTimeout(hoverTimer);
  if (hit && "id" in hit.ref) {
    preview(hit, x, y);
    return;
  }
  const collection = hit ? state.byId.value.get(hit.ref.collection) : undefined;
  if (!hit || !collection) {
    state.preview.value = null;
    state.hoveredFeature.value = null;
    return;
  }
  const named = collection.labelField ? hit.properties[collection.labelField] : undefined;
  state.preview.value =
    hit.count > 1
      ? { x, y, title: `${format.count(hit.count)} here`, detail: `${collection.title} · click to come closer` }
      : { x, y, title: String(named ?? collection.title), detail: named === undefined ? "" : collection.title };
  // Which row this is, only the server knows: ask once the pointer rests, and only if there are rows to light.
  if (state.hoveredFeature.value?.collection === "flows") state.hoveredFeature.value = null;
  const { ref } = hit;
  if (hit.count > 1 || !state.tableOpen.value || "id" in ref) return;
  hoverTimer = window.setTimeout(() => void lightRow(ref), HOVER_ASKS_AFTER_MS);
}

/** Says of a line between places, or of one of its ends, what it says of itself. */
function preview({ properties }: Hit, x: number, y: number): string {
  const { title, detail, line } = properties as { title: string; detail: string; line?: string };
  state.preview.value = { x, y, title, detail };
  state.hoveredFeature.value = line === undefined ? null : { collection: "flows", id: line };
  return `${title}: ${detail}`;
}

async function lightRow({ collection, tileId }: TileRef): Promise<void> {
  const key = `${collection}:${tileId}`;
  if (!publicIds.has(key)) {
    try {
      const item = await getItemOfTile(collection, tileId);
      if (publicIds.size >= MOST_REMEMBERED) publicIds.clear();
      publicIds.set(key, String(item.id));
    } catch {
      // Only the light on the row is lost; a click on the feature says what is wrong.
      return;
    }
  }
  const id = publicIds.get(key);
  if (id !== undefined && state.preview.value) state.hoveredFeature.value = { collection, id };
}

export function pick(hits: Hit[], x: number, y: number): void {
  const [top] = hits;
  if (!top) {
    actions.clearSelection();
    return;
  }
  // A finger does not hover: what was met is said now.
  if (top.properties.line !== undefined) actions.say(preview(top, x, y));
  void actions.selectFromStack(hits.map(({ ref }) => ref), 0);
}
