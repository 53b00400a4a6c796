// Layers of points: single ones in four forms, their names, and the circles of clusters. Pure.
import type { ExpressionSpecification, LayerSpecification, SymbolLayerSpecification } from "maplibre-gl";
import type { Palette } from "./palette.ts";
import { COUNT, LIT, type LayerSource, MEDIUM, NEVER_CLUSTERED_FROM, REGULAR, SINGLE, base, both, isKind, named } from "./parts.ts";

/** Radius of the circle of a cluster, in pixels. It grows a little slower than the root of what it counts, so that circles of a full town leave their neighbours in sight. */
const CIRCLE = { least: 3, factor: 0.9, power: 0.42, most: 20 };

/** The same for the legend. */
export const clusterRadius = (count: number): number =>
  Math.min(CIRCLE.most, CIRCLE.least + CIRCLE.factor * count ** CIRCLE.power);

export function points(source: LayerSource, tone: string, form: number, p: Palette): LayerSpecification[] {
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

export function clusters(source: LayerSource, tone: string, p: Palette): LayerSpecification[] {
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
