// Between state and map: state -> layers, lit features and camera; events of the map -> state.
import { effect } from "@preact/signals";
import * as actions from "../actions.ts";
import { getItemOfTile } from "../api/client.ts";
import * as format from "../format.ts";
import * as state from "../state.ts";
import { looks } from "./looks.ts";
import { type DrawnLayer, type Hit, type LitFeature, type MapHandle, createMap } from "./map.ts";

const DRAWER_PIXELS = 364;
const SHEET_SHARE = 0.46;
export const NARROW = "(max-width: 719px)";

/** Puts the map into the container and ties it to the state. Called once. */
export function startMap(container: HTMLElement): void {
  const start = state.view.value ?? actions.WHOLE_COUNTRY;
  const map = createMap(container, start, state.dark.value, {
    moving: (view) => {
      state.view.value = view;
      state.preview.value = null;
    },
    moved: (view, bounds) => {
      state.view.value = view;
      state.bounds.value = bounds;
    },
    pointer: (at) => {
      state.pointer.value = at;
    },
    hover,
    pick,
    loading: (active) => {
      state.mapLoading.value = active;
    },
    clustered: (ids) => {
      if (ids.join() !== state.clustered.value.join()) state.clustered.value = ids;
    },
    failed,
    works: (id) => actions.recover(`tiles:${id}`),
  });
  effect(() => map.draw(drawnLayers(), state.dark.value));
  effect(() => map.setLit(litFeatures()));
  effect(() => keepInset(map, container));
  effect(() => obey(map));
}

function drawnLayers(): DrawnLayer[] {
  const all = looks(state.collections.value ?? []);
  const chosen = state.selected.value;
  return state.shownCollections.value.flatMap((each) => {
    const look = all.get(each.id);
    const bounds = each.extent?.spatial?.bbox[0];
    if (!look || !bounds) return [];
    const hidden = chosen?.collection === each.id ? (format.name(chosen, each) ?? undefined) : undefined;
    return [{ id: each.id, geometry: each.geometryKind, labelField: each.labelField, look, bounds, hidden }];
  });
}

function litFeatures(): LitFeature[] {
  const lit: LitFeature[] = [];
  const row = state.hoveredRow.value?.item;
  if (row?.geometry) lit.push({ type: "Feature", geometry: row.geometry, properties: { role: "row" } });
  const chosen = state.selected.value;
  if (chosen?.geometry) {
    const label = format.name(chosen, state.byId.value.get(chosen.collection));
    const properties = label === null ? { role: "selected" as const } : { role: "selected" as const, label };
    lit.push({ type: "Feature", geometry: chosen.geometry, properties });
  }
  const mark = state.mark.value;
  if (mark) {
    const geometry = { type: "Point" as const, coordinates: [mark.lon, mark.lat] };
    lit.push({ type: "Feature", geometry, properties: { role: "mark", label: mark.label } });
  }
  return lit;
}

/** Tells the map what the drawer covers. */
function keepInset(map: MapHandle, container: HTMLElement): void {
  const open = state.selection.value !== null;
  const narrow = matchMedia(NARROW).matches;
  map.setInset({
    right: open && !narrow ? DRAWER_PIXELS : 0,
    bottom: open && narrow ? container.clientHeight * SHEET_SHARE : 0,
  });
}

function obey(map: MapHandle): void {
  const order = state.camera.value;
  if (!order) return;
  if (order.do === "go") map.goTo(order.lon, order.lat, order.zoom);
  else if (order.do === "jump") map.jumpTo(order.view);
  else if (order.do === "fit") map.fit(order.box, order.deepest);
  else if (order.do === "reveal") map.reveal(order.lon, order.lat);
  else if (order.do === "zoom") map.zoomBy(order.steps);
  else map.focus();
}

const publicIds = new Map<string, string>();
const MOST_REMEMBERED = 500;
let hoverTimer = 0;
const HOVER_ASKS_AFTER_MS = 80;

function hover(hit: Hit | null, x: number, y: number): void {
  clearTimeout(hoverTimer);
  const collection = hit ? state.byId.value.get(hit.collection) : undefined;
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
  if (hit.count > 1 || !state.tableOpen.value) return;
  hoverTimer = window.setTimeout(() => void lightRow(hit), HOVER_ASKS_AFTER_MS);
}

async function lightRow(hit: Hit): Promise<void> {
  const key = `${hit.collection}:${hit.tileId}`;
  if (!publicIds.has(key)) {
    try {
      const item = await getItemOfTile(hit.collection, hit.tileId);
      if (publicIds.size >= MOST_REMEMBERED) publicIds.clear();
      publicIds.set(key, String(item.id));
    } catch {
      // Only the light on the row is lost; a click on the feature says what is wrong.
      return;
    }
  }
  const id = publicIds.get(key);
  if (id !== undefined && state.preview.value) state.hoveredFeature.value = { collection: hit.collection, id };
}

function pick(hits: Hit[]): void {
  if (hits.length === 0) {
    actions.clearSelection();
    return;
  }
  const refs = hits.map(({ collection, tileId }) => ({ collection, tileId }));
  void actions.selectFromStack(refs, 0);
}

function failed(what: "land" | "tiles", id: string | null, reason: string): void {
  if (what === "land") {
    actions.fail("land", "The coast could not be loaded. Layers, search and table still work.");
    return;
  }
  if (id === null) {
    actions.fail("map", `The map reports a fault (${reason}). Search and table still work.`);
    return;
  }
  const title = state.byId.value.get(id)?.title ?? id;
  actions.fail(`tiles:${id}`, `${title} cannot be drawn whole (${reason}). Other layers and the table still work.`);
}
