// Between state and map: state -> layers, lit features and camera; events of the map -> state.
import { effect } from "@preact/signals";
import * as actions from "../actions.ts";
import * as format from "../format.ts";
import * as state from "../state.ts";
import { looks } from "./looks.ts";
import { type MapHandle, createMap } from "./map.ts";
import type { DrawnLayer, LitFeature } from "./types.ts";

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
    // Nothing can be pointed at before the first picture, so this may come after it.
    hover: (...at) => void pointing().then(({ hover }) => hover(...at), lost),
    pick: (...at) => void pointing().then(({ pick }) => pick(...at), lost),
    loading: (active) => {
      state.mapLoading.value = active;
      const known = state.collections.value !== null || state.failures.value.length > 0;
      if (active || !known || state.mapShown.value) return;
      performance.mark("map-shown");
      state.mapShown.value = true;
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
  const stop = effect(() => {
    if (!state.mapShown.value || !state.flowsOn.value) return;
    import("./flows/bridge.ts").then(({ startFlowPicture }) => startFlowPicture(map), lost);
    queueMicrotask(() => stop());
  });
}

const pointing = (): Promise<typeof import("./pointing.ts")> => import("./pointing.ts");
const lost = (): void => actions.fail("part", "A part of this page could not be loaded. Load the page again to get it.");

function drawnLayers(): DrawnLayer[] {
  const all = looks(state.collections.value ?? []);
  const chosen = state.selected.value;
  return state.shownCollections.value.flatMap((each) => {
    const look = all.get(each.id);
    const bounds = each.extent?.spatial?.bbox[0];
    if (!look || look.kind === "flows" || !bounds) return [];
    const hidden = chosen?.collection === each.id ? (format.name(chosen, each) ?? undefined) : undefined;
    return [{ id: each.id, geometry: each.geometryKind, labelField: each.labelField, look, bounds, hidden, maxZoom: each.maxZoom }];
  });
}

function litFeatures(): LitFeature[] {
  const lit: LitFeature[] = [];
  const row = state.hoveredRow.value?.item;
  if (row?.geometry) lit.push({ type: "Feature", geometry: row.geometry, properties: { role: "row" } });
  const chosen = state.selected.value;
  // Of a ring or dot, the lines between places show themselves that it is selected.
  if (chosen?.geometry && !state.ends.value.has(`${chosen.collection}:${chosen.id}`)) {
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
