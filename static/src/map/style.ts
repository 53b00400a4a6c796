// The style that the map begins with: fonts, and the sources of what does not come as tiles.
import type { FeatureCollection } from "geojson";
import type { LayerSpecification, SourceSpecification, StyleSpecification } from "maplibre-gl";
import { fontFaces } from "./fonts.ts";

export const EMPTY: FeatureCollection = { type: "FeatureCollection", features: [] };

export function startStyle(layers: LayerSpecification[]): StyleSpecification {
  const geojson: SourceSpecification = { type: "geojson", data: EMPTY, tolerance: 0.3 };
  return {
    version: 8,
    "font-faces": fontFaces(),
    sources: {
      // Not simplified: a ring that then crosses itself is filled across bays, the Thames estuary among them.
      land: { ...geojson, tolerance: 0 },
      // The pale bands along the coast are wider than the usual margin of a tile. Finer, the whole coast of Great Britain
      // in one tile has more corners than a line may have.
      coast: { ...geojson, buffer: 384, tolerance: 0.45 },
      lit: { ...geojson, buffer: 256, tolerance: 0.1 },
      flows: geojson,
    },
    layers,
  };
}
