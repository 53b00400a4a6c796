// The map itself: the only file that holds the MapLibre object. It knows layers and positions, nothing of panels.
import {
  type FeatureIdentifier,
  type GeoJSONSource,
  type LayerSpecification,
  type MapGeoJSONFeature,
  Map as MapLibre,
  type PointLike,
  setWorkerUrl,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import type { FeatureCollection } from "geojson";
import { type Bounds, BASE } from "../api/client.ts";
import type { View } from "../state.ts";
import { basemap } from "./basemap.ts";
import { type Step, diff } from "./diff.ts";
import { highlight } from "./highlight.ts";
import { PICTURES, PICTURE_RATIO, hatchOf, hatching } from "./icons.ts";
import { type Land, fetchLand } from "./land.ts";
import { layersOf } from "./layers.ts";
import { collectionOf, inOrder, rank } from "./order.ts";
import { palette } from "./palette.ts";
import { EMPTY, startStyle } from "./style.ts";
import type { DrawnLayer, FlowPicture, Hit, Inset, LitFeature, MapEvents } from "./types.ts";

export type MapHandle = ReturnType<typeof createMap>;

const FULL_LAND_FROM = 6.6;
/** Deeper tiles would not be finer: at this level a unit of a tile is below half a metre. */
const DEEPEST_TILES = 14;
const DEEPEST = 18;
const MOVE_MS = 500;
const PICKED = /^(point|quiet-point|cluster|line|area-fill|quiet-label|point-label|village-label|town-label|city-label):|^flow-/;
/** Finer than a hand is: a line is thin, and a finger is not. */
const LINE_REACH = { pointer: 6, finger: 12 };
/** Room for the key to circles, where it would lie on the country. */
const keyRoom = (container: HTMLElement): number => (container.clientWidth < 720 ? 128 : 16);

export const canDraw = (): boolean => document.createElement("canvas").getContext("webgl2") !== null;

export function createMap(container: HTMLElement, start: View | Bounds, dark: boolean, events: MapEvents) {
  setWorkerUrl(workerUrl);
  let layers = inOrder([...basemap(palette(dark)), ...highlight(palette(dark))]);
  let wanted: { drawn: DrawnLayer[]; dark: boolean } | null = null;
  let lit: LitFeature[] = [];
  let flows: FlowPicture | null = null;
  let ready = false;
  let detail: "none" | "low" | "full" = "none";
  let inset: Inset = { right: 0, bottom: 0 };

  const map = new MapLibre({
    container,
    style: startStyle(layers),
    ...(Array.isArray(start)
      ? { bounds: start, fitBoundsOptions: { padding: { top: 16, left: 16, right: 16, bottom: keyRoom(container) } } }
      : { center: [start.lon, start.lat] as [number, number], zoom: start.zoom }),
    minZoom: 4,
    maxZoom: DEEPEST,
    maxBounds: [-32, 43, 28, 67],
    renderWorldCopies: false,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxPitch: 0,
    fadeDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 150,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  for (const [name, picture] of Object.entries(PICTURES)) {
    map.addImage(name, picture, { sdf: true, pixelRatio: PICTURE_RATIO });
  }
  for (const colour of new Set([false, true].flatMap((dark) => palette(dark).tones))) {
    map.addImage(hatchOf(colour), hatching(colour), { pixelRatio: PICTURE_RATIO });
  }

  const view = (): View => {
    const { lng, lat } = map.getCenter();
    return { lon: lng, lat, zoom: map.getZoom() };
  };
  const bounds = (): Bounds => {
    const box = map.getBounds();
    return [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()];
  };

  // --- land -----------------------------------------------------------------------------------------------------

  const setData = (source: string, data: FeatureCollection): void => {
    map.getSource<GeoJSONSource>(source)?.setData(data);
  };
  let land: Land | null = null;
  const putLand = (): void => {
    if (!ready || !land) return;
    setData("land", land.land);
    setData("coast", land.coast);
  };
  /** Coasts under way: the picture is not at rest before they are in it. */
  let landing = 0;
  const loadLand = async (which: "low" | "full"): Promise<void> => {
    const before = detail;
    detail = which;
    landing += 1;
    try {
      land = await fetchLand(which);
      putLand();
    } catch (fault) {
      detail = before;
      events.failed("land", null, String(fault));
    } finally {
      landing -= 1;
      // Without new data nothing else would make the map say that it is at rest.
      map.triggerRepaint();
    }
  };
  const checkLand = (): void => {
    if (detail !== "full" && map.getZoom() > FULL_LAND_FROM) void loadLand("full");
  };

  // --- layers ---------------------------------------------------------------------------------------------------

  const take = (step: Step): void => {
    if (step.do === "remove") map.removeLayer(step.id);
    else if (step.do === "add") map.addLayer(step.layer, step.before);
    else if (step.do === "filter") map.setFilter(step.id, step.value);
    // Names and values come from layer specifications that a test validates.
    else if (step.do === "paint") map.setPaintProperty(step.id, step.name as never, step.value as never);
    else map.setLayoutProperty(step.id, step.name as never, step.value as never);
  };
  const apply = (): void => {
    if (!ready || !wanted) return;
    const colours = palette(wanted.dark);
    const next = inOrder([
      ...basemap(colours),
      ...wanted.drawn.flatMap((each) => layersOf({ ...each, written: flows?.written }, colours)),
      // No layer of a style, but it has its place among them.
      ...(flows ? [flows.lines as unknown as LayerSpecification, ...flows.layers(colours)] : []),
      ...highlight(colours),
    ]);
    map.setMaxZoom(Math.min(DEEPEST, ...wanted.drawn.map(({ maxZoom }) => maxZoom ?? DEEPEST)));
    for (const { id, bounds: box, maxZoom } of wanted.drawn) {
      if (map.getSource(id)) continue;
      const tiles = [`${location.origin}${BASE}/tiles/${encodeURIComponent(id)}/{z}/{x}/{y}.mvt`];
      map.addSource(id, { type: "vector", tiles, maxzoom: Math.min(DEEPEST_TILES, maxZoom ?? DEEPEST_TILES), bounds: box });
    }
    unlight();
    diff(layers, next).forEach(take);
    const drawn = new Set(wanted.drawn.map(({ id }) => id));
    for (const id of new Set(layers.map(({ id }) => collectionOf(id)))) {
      if (id !== null && !drawn.has(id)) map.removeSource(id);
    }
    layers = next;
  };

  // --- pointer --------------------------------------------------------------------------------------------------

  const hitsAt = (x: number, y: number, reach: number): Hit[] => {
    if (!ready) return [];
    const picked = layers.filter(({ id }) => PICKED.test(id)).map(({ id }) => id);
    const box: [PointLike, PointLike] = [
      [x - reach, y - reach],
      [x + reach, y + reach],
    ];
    const seen = new Set<string>();
    const hits: Hit[] = [];
    const add = (hit: Hit | null | undefined): void => {
      const key = JSON.stringify(hit?.ref);
      if (hit && !seen.has(key)) hits.push(hit);
      seen.add(key);
    };
    let line = flows?.hit(x, y, reach < LINE_REACH.finger ? LINE_REACH.pointer : reach);
    for (const found of picked.length > 0 ? map.queryRenderedFeatures(box, { layers: picked }) : []) {
      if (rank(found.layer.id) < rank("flow")) {
        add(line);
        line = null;
      }
      add(asHit(found));
    }
    add(line);
    return hits;
  };
  const asHit = (found: MapGeoJSONFeature): Hit => {
    const { lng, lat } = map.getCenter();
    const [lon, latitude] = found.geometry.type === "Point" ? found.geometry.coordinates : [lng, lat];
    const isCluster = found.layer.id.startsWith("cluster:");
    const { source, sourceLayer, id, properties } = found;
    const named = properties as { collection: string; id: string };
    return {
      ref: source === "flows" ? { collection: named.collection, id: named.id } : { collection: source, tileId: Number(id) },
      properties,
      target: { source, ...(sourceLayer ? { sourceLayer } : {}), id: Number(id) },
      count: isCluster ? Number(found.properties.count) : 1,
      lon: lon ?? lng,
      lat: latitude ?? lat,
    };
  };
  let lighted: FeatureIdentifier | null = null;
  const unlight = (): void => {
    if (lighted && map.getSource(lighted.source)) map.removeFeatureState(lighted);
    lighted = null;
  };
  const light = (hit: Hit | null): void => {
    const target = hit?.target;
    if (target && lighted?.source === target.source && lighted.id === target.id) return;
    unlight();
    if (!target) return;
    lighted = target;
    map.setFeatureState(target, { lit: true });
  };
  let asked = 0;
  map.on("mousemove", ({ point, lngLat }) => {
    events.pointer({ lon: lngLat.lng, lat: lngLat.lat });
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => {
      const hit = map.isMoving() ? null : (hitsAt(point.x, point.y, 3)[0] ?? null);
      light(hit);
      map.getCanvas().style.cursor = hit ? "pointer" : "";
      events.hover(hit, point.x, point.y);
    });
  });
  map.on("mouseout", () => {
    cancelAnimationFrame(asked);
    light(null);
    events.pointer(null);
    events.hover(null, 0, 0);
  });
  map.on("click", ({ point, originalEvent }) => {
    const touch = (originalEvent as PointerEvent).pointerType === "touch";
    const hits = hitsAt(point.x, point.y, touch ? LINE_REACH.finger : 4);
    const [top] = hits;
    if (top && top.count > 1) {
      map.easeTo({ center: [top.lon, top.lat], zoom: Math.min(map.getZoom() + 2, 12), duration: MOVE_MS });
      return;
    }
    events.pick(hits.filter((hit) => hit.count === 1), point.x, point.y);
  });

  // --- state of the picture ---------------------------------------------------------------------------------------

  map.on("move", () => events.moving(view()));
  map.on("moveend", () => {
    checkLand();
    events.moved(view(), bounds());
  });
  map.on("resize", () => events.moved(view(), bounds()));
  map.on("dataloading", () => {
    container.removeAttribute("data-idle");
    events.loading(true);
  });
  map.on("movestart", () => container.removeAttribute("data-idle"));
  map.on("idle", () => {
    if (landing > 0) return;
    container.dataset.idle = "true";
    events.loading(false);
    const ids = layers.filter(({ id }) => id.startsWith("cluster:")).map(({ id }) => id);
    const found = ids.length > 0 && map.getZoom() < 12 ? map.queryRenderedFeatures({ layers: ids }) : [];
    events.clustered([...new Set(found.map(({ source }) => source))].sort());
  });
  map.on("error", (event) => {
    const { sourceId, error } = event as unknown as { sourceId?: string; error?: Error };
    events.failed("tiles", sourceId ?? null, error?.message ?? "");
  });
  map.on("sourcedata", ({ sourceId, isSourceLoaded }) => {
    if (isSourceLoaded && sourceId) events.works(sourceId);
  });
  map.on("webglcontextlost", () => {
    ready = false;
  });
  // The first style, and the one that comes back after the graphics card was lost: that has no layer that draws itself.
  map.on("style.load", () => {
    ready = true;
    layers = layers.filter(({ id }) => id !== "flow");
    putLand();
    setData("lit", { type: "FeatureCollection", features: lit });
    if (flows) setData("flows", flows.data);
    apply();
    events.moved(view(), bounds());
  });
  void loadLand("low").then(checkLand);

  const offset = (): [number, number] => [-inset.right / 2, -inset.bottom / 2];
  return {
    /** Draws these collections, the first undermost, in the colours of the theme. */
    draw(drawn: DrawnLayer[], isDark: boolean): void {
      wanted = { drawn, dark: isDark };
      apply();
    },
    setLit(features: LitFeature[]): void {
      lit = features;
      if (ready) setData("lit", { type: "FeatureCollection", features });
    },
    /** Draws these lines between places in place of those before, or none. */
    setFlows(next: FlowPicture | null): void {
      const same = flows?.data === next?.data;
      flows = next;
      if (ready && !same) setData("flows", next?.data ?? EMPTY);
      apply();
    },
    repaint(): void {
      map.triggerRepaint();
    },
    setInset(next: Inset): void {
      inset = next;
    },
    /** Goes to a position, which comes to stand in the middle of what no panel covers. */
    goTo(lon: number, lat: number, zoom: number): void {
      map.flyTo({ center: [lon, lat], zoom, offset: offset(), duration: MOVE_MS * 2 });
    },
    jumpTo(to: View): void {
      map.jumpTo({ center: [to.lon, to.lat], zoom: to.zoom });
    },
    fit(box: Bounds, deepest: number): void {
      const room = { top: 48, left: 48, right: 48 + inset.right, bottom: 48 + inset.bottom };
      map.fitBounds(box, { padding: room, maxZoom: deepest, duration: MOVE_MS, linear: true });
    },
    /** Moves just so far that the position is in sight, and not below a panel. */
    reveal(lon: number, lat: number): void {
      const { x, y } = map.project([lon, lat]);
      const { clientWidth, clientHeight } = container;
      const margin = 56;
      const labelWidth = 130;
      const over = (value: number, least: number, most: number): number =>
        value < least ? value - least : value > most ? value - most : 0;
      const dx = over(x, margin, clientWidth - inset.right - labelWidth);
      const dy = over(y, margin, clientHeight - inset.bottom - margin);
      if (dx !== 0 || dy !== 0) map.panBy([dx, dy], { duration: MOVE_MS });
    },
    zoomBy(steps: number): void {
      map.easeTo({ zoom: map.getZoom() + steps, duration: MOVE_MS / 2 });
    },
    focus(): void {
      map.getCanvas().focus();
    },
  };
}

