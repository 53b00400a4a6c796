// What the user can do: changes of the state, with the requests that they need. No DOM, no map object.
import { batch } from "@preact/signals";
import {
  type Bounds,
  type Collection,
  type SearchResult,
  ApiProblem,
  getCollections,
  getItem,
  getItemOfTile,
  getSession,
} from "./api/client.ts";
import * as format from "./format.ts";
import { usualLayers, withFlows } from "./map/looks.ts";
import * as state from "./state.ts";
import type { AnyRef, FeatureRef } from "./state.ts";

/** Great Britain from Scilly to Caithness, and Northern Ireland: what the page opens with. */
export const WHOLE_COUNTRY: Bounds = [-8.2, 49.8, 1.9, 58.9];

const AREA_ZOOM = 12;
const POINT_ZOOM = 13;

export function say(text: string): void {
  // The same words twice would not be read twice: a space more makes them new.
  state.announcement.value = state.announcement.value === text ? `${text} ` : text;
}

export function fail(key: string, text: string): void {
  recover(key);
  state.failures.value = [...state.failures.value, { key, text }];
}

export function recover(key: string): void {
  if (state.failures.value.some((each) => each.key === key)) {
    state.failures.value = state.failures.value.filter((each) => each.key !== key);
  }
}

/** What went wrong, in the server's words if it had any. */
export function reason(fault: unknown): string {
  if (!(fault instanceof ApiProblem)) return String(fault);
  return fault.detail ? `${fault.message}: ${fault.detail}` : fault.message;
}

/** Counts a request as under way until it ends. */
export async function track<T>(request: Promise<T>): Promise<T> {
  state.requests.value += 1;
  try {
    return await request;
  } finally {
    state.requests.value -= 1;
  }
}

export async function loadSession(): Promise<void> {
  try {
    state.session.value = await track(getSession());
    recover("session");
  } catch (fault) {
    fail("session", `The marking of this data could not be read (${reason(fault)}). Treat it as the highest you know.`);
  }
}

export async function loadCollections(): Promise<void> {
  try {
    const found = withFlows(await track(getCollections()));
    batch(() => {
      state.collections.value = found;
      state.shown.value ??= usualLayers(found);
    });
    recover("collections");
  } catch (fault) {
    fail("collections", `The list of layers could not be read (${reason(fault)}). The base map still works.`);
  }
}

export function toggleLayer(collection: Collection): void {
  const on = new Set(state.shown.value ?? []);
  const off = on.delete(collection.id);
  if (!off) on.add(collection.id);
  const known = (state.collections.value ?? []).map((each) => each.id);
  state.shown.value = known.filter((id) => on.has(id));
  say(`${collection.title} ${off ? "off" : "on"}`);
}

export function fitCollection(collection: Collection): void {
  const box = collection.extent?.spatial?.bbox[0];
  if (box) state.camera.value = { do: "fit", box, deepest: AREA_ZOOM };
}

let selecting: AbortController | null = null;

/** Brings a selected point or ring out from under the drawer. Lines and areas are seen in part anyway. */
function reveal(item: state.Selected): void {
  const ring = state.ends.peek().get(`${item.collection}:${item.id}`);
  const [lon, lat] = item.geometry?.type === "Point" ? item.geometry.coordinates : (ring ?? []);
  if (lon !== undefined && lat !== undefined) state.camera.value = { do: "reveal", lon, lat };
}

/** Whether the map is to move so that the selection is in sight: not if an address names view and selection both. */
let revealing = false;

/** Loads the selected feature. Called for every change of the selection, also by Back. */
export async function loadSelected(ref: FeatureRef | null): Promise<void> {
  selecting?.abort();
  const current = state.selected.value;
  if (ref && current && String(current.id) === ref.id && current.collection === ref.collection) return;
  state.selected.value = null;
  if (!ref) return;
  // An address may name a feature and no view: then the feature is the view. The map will have one of its own by then.
  const unseen = state.view.value === null;
  const mine = new AbortController();
  selecting = mine;
  try {
    const item = await track(getItem(ref.collection, ref.id, mine.signal));
    recover("selection");
    if (selecting !== mine) return;
    const found = { ...item, collection: ref.collection };
    state.selected.value = found;
    if (unseen || !state.hasMap.value) zoomTo(found);
    else if (revealing) reveal(found);
    revealing = false;
  } catch (fault) {
    if (mine.signal.aborted) return;
    state.selection.value = null;
    fail("selection", `The selected feature could not be opened (${reason(fault)}). The map still works.`);
  }
}

/** An open table turns to the layer of what is selected. The table of lines between places stays for hubs and towns: it lists them too. */
function turnTableTo({ collection }: { collection: string }): void {
  if (state.tableCollection.value?.id === "flows" && state.isLineEnd(collection)) return;
  if (state.tableOpen.value && state.shown.value?.includes(collection)) state.tableWanted.value = collection;
}

/** Selects a feature. `byKeyboard` sends the focus to the drawer. */
export function select(ref: FeatureRef, byKeyboard: boolean): void {
  revealing = true;
  batch(() => {
    turnTableTo(ref);
    state.mark.value = null;
    state.stack.value = null;
    state.selectedByKeyboard.value = byKeyboard;
    state.selection.value = ref;
  });
}

export function clearSelection(): void {
  batch(() => {
    state.mark.value = null;
    state.stack.value = null;
    state.selection.value = null;
  });
}

/** Selects one of the features that a click met. */
export async function selectFromStack(refs: AnyRef[], at: number): Promise<void> {
  const ref = refs[at];
  if (!ref) return;
  try {
    const item = await track("id" in ref ? getItem(ref.collection, ref.id) : getItemOfTile(ref.collection, ref.tileId));
    batch(() => {
      turnTableTo(ref);
      state.mark.value = null;
      state.selected.value = { ...item, collection: ref.collection };
      state.selectedByKeyboard.value = false;
      state.stack.value = refs.length > 1 ? { refs, at } : null;
      state.selection.value = { collection: ref.collection, id: String(item.id) };
    });
    recover("selection");
    if (state.selected.value) reveal(state.selected.value);
  } catch (fault) {
    fail("selection", `This feature could not be opened (${reason(fault)}). The map still works.`);
  }
}

export function choose(result: SearchResult, byKeyboard: boolean): void {
  const { lon, lat, zoom, bbox, label, collection, id } = result;
  const isPlaced = lon !== undefined && lat !== undefined;
  if (result.kind === "feature" && collection !== undefined && id !== undefined) {
    select({ collection, id }, byKeyboard);
    // The camera goes there anyway; what has no place does not move it.
    revealing = false;
  } else if (isPlaced) {
    batch(() => {
      clearSelection();
      state.mark.value = { lon, lat, label };
    });
    say(`${label} marked on the map`);
  }
  if (bbox) state.camera.value = { do: "fit", box: bbox, deepest: AREA_ZOOM };
  else if (isPlaced) state.camera.value = { do: "go", lon, lat, zoom: zoom ?? POINT_ZOOM };
}

/** Brings a whole feature into sight. */
export function zoomTo(item: state.Selected): void {
  const box = format.extent(item.geometry);
  if (box) state.camera.value = { do: "fit", box, deepest: item.geometry?.type === "Point" ? POINT_ZOOM : AREA_ZOOM };
}

export function openTable(collection: string | null): void {
  batch(() => {
    state.tableOpen.value = true;
    if (collection !== null) state.tableWanted.value = collection;
  });
}
