// Layers of the collections: (source, palette) -> LayerSpecification[]. Pure; the order between them is map/order.ts.
import type {
  ExpressionSpecification,
  FilterSpecification,
  LayerSpecification,
  SymbolLayerSpecification,
} from "maplibre-gl";
import type { GeometryKind } from "../api/client.ts";
import { drawnFrom } from "./looks.ts";
import type { Palette } from "./palette.ts";
import {
  COUNT,
  LIT,
  type LayerSource,
  MEDIUM,
  NEVER_CLUSTERED_FROM,
  REGULAR,
  SINGLE,
  base,
  both,
  isKind,
  named,
} from "./parts.ts";
import { places } from "./places.ts";

/** Radius of the circle of a cluster, in pixels. It grows a little slower than the root of what it counts, so that circles of a full town leave their neighbours in sight. */
const CIRCLE = { least: 3, factor: 0.9, power: 0.42, most: 20 };

/** The same for the legend. */
export const clusterRadius = (count: number): number =>
  Math.min(CIRCLE.most, CIRCLE.least + CIRCLE.factor * count ** CIRCLE.power);

/** All layers of one collection. */
export function layersOf(source: LayerSource, p: Palette): LayerSpecification[] {
  const { look } = source;
  if (look.kind === "places") return places(source, p);
  if (look.kind === "stations") return stations(source, p);
  if (look.kind === "boundary") return boundary(source, look.weight, p);
  if (look.kind === "flows") return [];
  const has = (kind: GeometryKind): boolean => source.geometry === kind || source.geometry === "any";
  const tone = p.tones[look.tone] ?? p.text2;
  return [
    ...(has("area") ? areas(source, tone, look.form) : []),
    ...(has("line") ? lines(source, tone, look.form, p) : []),
    ...(has("point") ? points(source, tone, look.form, p) : []),
  ];
}

function areas(source: LayerSource, tone: string, form: number): LayerSpecification[] {
  return [
    {
      ...base(source, "area-fill"),
      type: "fill",
      filter: isKind("Polygon") as FilterSpecification,
      paint: { "fill-color": tone, "fill-opacity": ["case", LIT, 0.2, 0.06], "fill-antialias": false },
    },
    {
      ...base(source, "area-line"),
      type: "line",
      filter: isKind("Polygon") as FilterSpecification,
      layout: { "line-join": "round" },
      paint: {
        "line-color": tone,
        "line-width": ["interpolate", ["linear"], ["zoom"], 5, ["case", LIT, 2, 0.6], 8, ["case", LIT, 2.4, 1]],
        "line-opacity": ["interpolate", ["linear"], ["zoom"], 5, ["case", LIT, 1, 0.45], 9, ["case", LIT, 1, 0.8]],
        ...dashes(form),
      },
    },
  ];
}

function dashes(form: number): { "line-dasharray"?: [number, number] } {
  if (form === 1) return { "line-dasharray": [5, 2.5] };
  return form === 2 ? { "line-dasharray": [2, 1.5] } : {};
}

function lines(source: LayerSource, tone: string, form: number, p: Palette): LayerSpecification[] {
  const filter = isKind("LineString") as FilterSpecification;
  const layout = { "line-join": "round", "line-cap": form === 0 ? "round" : "butt" } as const;
  return [
    {
      ...base(source, "line-casing"),
      type: "line",
      filter,
      layout: { "line-join": "round", "line-cap": "round" },
      paint: {
        "line-color": p.halo,
        "line-width": ["interpolate", ["linear"], ["zoom"], 5, 2, 10, 4, 14, 6],
        "line-opacity": 0.85,
      },
    },
    {
      ...base(source, "line"),
      type: "line",
      filter,
      layout,
      paint: {
        "line-color": tone,
        "line-width": [
          "interpolate",
          ["linear"],
          ["zoom"],
          5,
          ["case", LIT, 2.4, 0.8],
          10,
          ["case", LIT, 3.6, 1.7],
          14,
          ["case", LIT, 5, 2.8],
        ],
        ...dashes(form),
      },
    },
  ];
}

function points(source: LayerSource, tone: string, form: number, p: Palette): LayerSpecification[] {
  const size = (scale: number): ExpressionSpecification => [
    "interpolate",
    ["linear"],
    ["zoom"],
    5,
    ["case", LIT, 5 * scale, 2.2 * scale],
    10,
    ["case", LIT, 6.5 * scale, 3.6 * scale],
    14,
    ["case", LIT, 8 * scale, 5.2 * scale],
  ];
  // Forms: a disc; a ring; a small disc in a wide soft one.
  const paint = [
    {
      "circle-color": tone,
      "circle-radius": size(1),
      "circle-stroke-color": p.halo,
      "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 5, 0.4, 10, 1] as ExpressionSpecification,
    },
    { "circle-color": p.halo, "circle-radius": size(0.9), "circle-stroke-color": tone, "circle-stroke-width": 1.8 },
    {
      "circle-color": tone,
      "circle-radius": size(0.75),
      "circle-stroke-color": tone,
      "circle-stroke-width": 3,
      "circle-stroke-opacity": 0.3,
    },
  ][form];
  const single = { ...base(source, "point"), filter: both(isKind("Point"), SINGLE) };
  const layers: LayerSpecification[] = [
    paint ? { ...single, type: "circle", paint } : { ...single, type: "symbol", ...diamonds(tone, p) },
    ...clusters(source, tone, p),
  ];
  if (source.labelField !== undefined) {
    layers.push({
      ...base(source, "point-label"),
      type: "symbol",
      minzoom: 12.5,
      filter: named(source),
      layout: {
        "text-field": ["to-string", ["coalesce", ["get", source.labelField], ""]],
        "text-font": [REGULAR],
        "text-size": 11,
        // Always at the same side: of many features at one place only one name finds room.
        "text-anchor": "left",
        "text-offset": [0.8, 0],
        "text-justify": "left",
        "text-max-width": 9,
        "text-padding": 6,
      },
      paint: { "text-color": p.text2, "text-halo-color": p.halo, "text-halo-width": 1.6 },
    });
  }
  return layers;
}

function diamonds(tone: string, p: Palette): Pick<SymbolLayerSpecification, "layout" | "paint"> {
  return {
    layout: {
      "icon-image": "address",
      "icon-size": ["interpolate", ["linear"], ["zoom"], 6, 0.4, 10, 0.7, 13, 1],
      "icon-allow-overlap": true,
      // Diamonds close by each other do not keep names from the map.
      "icon-ignore-placement": true,
    },
    paint: { "icon-color": ["case", LIT, p.accent, tone], "icon-halo-color": p.halo, "icon-halo-width": 1.5 },
  };
}

function clusters(source: LayerSource, tone: string, p: Palette): LayerSpecification[] {
  const radius: ExpressionSpecification = [
    "min",
    CIRCLE.most,
    ["+", CIRCLE.least, ["*", CIRCLE.factor, ["^", COUNT, CIRCLE.power]]],
  ];
  const filter = both(isKind("Point"), [">", COUNT, 1]);
  return [
    {
      ...base(source, "cluster"),
      type: "circle",
      maxzoom: NEVER_CLUSTERED_FROM,
      filter,
      // Large circles first, so that small ones stay in sight and within reach.
      layout: { "circle-sort-key": ["-", 0, COUNT] },
      paint: {
        "circle-radius": radius,
        "circle-color": tone,
        "circle-opacity": ["case", LIT, 0.5, 0.22],
        "circle-stroke-color": tone,
        "circle-stroke-width": ["case", LIT, 2, 1],
        "circle-stroke-opacity": 0.9,
      },
    },
    {
      ...base(source, "cluster-count"),
      type: "symbol",
      maxzoom: NEVER_CLUSTERED_FROM,
      filter: both(isKind("Point"), [">=", COUNT, 60]),
      layout: {
        "text-field": ["number-format", COUNT, { locale: "en-GB", "max-fraction-digits": 0 }],
        "text-font": [MEDIUM],
        "text-size": ["interpolate", ["linear"], COUNT, 60, 10.5, 500, 12.5],
        "symbol-sort-key": ["-", 0, COUNT],
        "text-padding": 1,
      },
      paint: { "text-color": p.text, "text-halo-color": p.halo, "text-halo-width": 1.2 },
    },
  ];
}

const BAND_FROM = 9;

function boundary(source: LayerSource, weight: number, p: Palette): LayerSpecification[] {
  return [
    {
      ...base(source, "area-fill"),
      type: "fill",
      filter: isKind("Polygon") as FilterSpecification,
      paint: { "fill-color": p.accent, "fill-opacity": ["case", LIT, 0.09, 0], "fill-antialias": false },
    },
    {
      // Close by, a band in place of the line: along the coast it need not follow every creek.
      ...base(source, "area-band"),
      type: "line",
      minzoom: BAND_FROM,
      filter: isKind("Polygon") as FilterSpecification,
      layout: { "line-join": "round" },
      paint: {
        "line-color": p.boundary,
        "line-width": ["interpolate", ["linear"], ["zoom"], BAND_FROM, 3 * weight, 14, 9 * weight],
        "line-opacity": 0.26,
      },
    },
    {
      ...base(source, "area-line"),
      type: "line",
      maxzoom: BAND_FROM,
      filter: isKind("Polygon") as FilterSpecification,
      layout: { "line-join": "round" },
      paint: {
        "line-color": p.boundary,
        "line-width": ["interpolate", ["linear"], ["zoom"], 5, weight * 0.7, 10, weight * 1.3],
        "line-opacity": ["interpolate", ["linear"], ["zoom"], 5, 0.55, 9, 0.9],
        "line-dasharray": [6, 2, 1.5, 2],
      },
    },
  ];
}

function stations(source: LayerSource, p: Palette): LayerSpecification[] {
  const minzoom = drawnFrom(source.id);
  return [
    {
      ...base(source, "quiet-point"),
      type: "circle",
      minzoom,
      filter: both(isKind("Point"), SINGLE),
      paint: {
        "circle-color": p.halo,
        "circle-radius": [
          "interpolate",
          ["linear"],
          ["zoom"],
          6.5,
          ["case", LIT, 4, 0.7],
          9,
          ["case", LIT, 5, 1.5],
          12,
          ["case", LIT, 6, 2.8],
          15,
          ["case", LIT, 8, 5],
        ],
        "circle-stroke-color": ["case", LIT, p.accent, p.rail],
        "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 6.5, 0.7, 12, 1.6, 15, 2.2],
        "circle-opacity": ["interpolate", ["linear"], ["zoom"], 6.5, 0, 7, 1],
        "circle-stroke-opacity": ["interpolate", ["linear"], ["zoom"], 6.5, 0, 7, 0.9],
      },
    },
    ...clusters(source, p.rail, p).map((layer) => ({ ...layer, minzoom }) as LayerSpecification),
    {
      ...base(source, "quiet-label"),
      type: "symbol",
      minzoom: 10.5,
      filter: named(source),
      layout: {
        "text-field": ["to-string", ["coalesce", ["get", source.labelField ?? "name"], ""]],
        "text-font": [REGULAR],
        "text-size": ["interpolate", ["linear"], ["zoom"], 10.5, 10.5, 14, 12],
        "text-variable-anchor": ["left", "right", "top", "bottom"],
        "text-radial-offset": 0.7,
        "text-justify": "auto",
        "text-max-width": 8,
        "text-padding": 8,
      },
      paint: { "text-color": p.text3, "text-halo-color": p.halo, "text-halo-width": 1.6 },
    },
  ];
}
