// Layers of the collections: (source, palette) -> LayerSpecification[]. Pure; the order between them is map/order.ts.
import type { ExpressionSpecification, FilterSpecification, LayerSpecification } from "maplibre-gl";
import type { GeometryKind } from "../api/client.ts";
import { hatchOf } from "./icons.ts";
import { drawnFrom } from "./looks.ts";
import type { Palette } from "./palette.ts";
import { LIT, type LayerSource, REGULAR, SINGLE, base, both, isKind, named } from "./parts.ts";
import { places } from "./places.ts";
import { clusters, points } from "./points.ts";

/** All layers of one collection. */
export function layersOf(source: LayerSource, p: Palette): LayerSpecification[] {
  const { look } = source;
  if (look.kind === "places") return places(source, p);
  if (look.kind === "stations") return stations(source, p);
  if (look.kind === "boundary") return boundary(source, look.weight, p);
  if (look.kind === "released") return released(source, p.tones[look.tone] ?? p.text2, look.counts);
  if (look.kind === "flows") return [];
  const has = (kind: GeometryKind): boolean => source.geometry === kind || source.geometry === "any";
  const tone = p.tones[look.tone] ?? p.text2;
  return [
    ...(has("polygon") ? areas(source, tone, look.form) : []),
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

/** Counts from ten to some hundreds. */
const BY_COUNT: ExpressionSpecification = ["interpolate", ["linear"], ["sqrt", ["to-number", ["get", "count"], 0]], 3, 0.3, 14, 1];

/** Hatched: not where something is, but what was released of it. */
function released(source: LayerSource, tone: string, counts: boolean): LayerSpecification[] {
  const filter = isKind("Polygon") as FilterSpecification;
  return [
    {
      ...base(source, "area-fill"),
      type: "fill",
      filter,
      paint: { "fill-pattern": hatchOf(tone), "fill-opacity": counts ? ["case", LIT, 1, BY_COUNT] : ["case", LIT, 1, 0.3] },
    },
    {
      ...base(source, "area-line"),
      type: "line",
      filter,
      layout: { "line-join": "round" },
      paint: {
        "line-color": tone,
        "line-width": ["interpolate", ["linear"], ["zoom"], 5, ["case", LIT, 2.4, 0.8], 10, ["case", LIT, 2.6, 1]],
        "line-opacity": ["case", LIT, 1, counts ? 0.45 : 0.35],
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
