// What is lit: the selected feature, the row under the pointer, a position that was looked up. Pure.
import type { FilterSpecification, LayerSpecification } from "maplibre-gl";
import { SEMIBOLD } from "./parts.ts";
import type { Palette } from "./palette.ts";

/** Layers over the source `lit`, of which features have `role` "selected", "row" or "mark" and perhaps `label`. */
export function highlight(p: Palette): LayerSpecification[] {
  const kind = (name: string): FilterSpecification => ["==", ["geometry-type"], name];
  const width: [number, number] = [3, 4.5];
  return [
    {
      id: "selected-fill",
      type: "fill",
      source: "lit",
      filter: kind("Polygon"),
      paint: { "fill-color": p.accent, "fill-opacity": 0.12, "fill-antialias": false },
    },
    {
      id: "lit-line-casing",
      type: "line",
      source: "lit",
      filter: ["in", ["geometry-type"], ["literal", ["LineString", "Polygon"]]],
      layout: { "line-join": "round", "line-cap": "round" },
      paint: {
        "line-color": p.halo,
        "line-width": ["interpolate", ["linear"], ["zoom"], 6, width[0] + 3, 14, width[1] + 4],
      },
    },
    {
      id: "lit-line",
      type: "line",
      source: "lit",
      filter: ["in", ["geometry-type"], ["literal", ["LineString", "Polygon"]]],
      layout: { "line-join": "round", "line-cap": "round" },
      paint: {
        "line-color": p.accent,
        "line-width": ["interpolate", ["linear"], ["zoom"], 6, width[0] - 0.5, 14, width[1]],
      },
    },
    {
      id: "lit-point",
      type: "circle",
      source: "lit",
      filter: ["all", kind("Point"), ["!=", ["get", "role"], "mark"]] as FilterSpecification,
      paint: {
        "circle-color": ["case", ["==", ["get", "role"], "selected"], p.accent, p.halo],
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 6, 5, 14, 7.5],
        "circle-stroke-color": ["case", ["==", ["get", "role"], "selected"], p.halo, p.accent],
        "circle-stroke-width": 3,
      },
    },
    {
      id: "mark",
      type: "symbol",
      source: "lit",
      filter: ["==", ["get", "role"], "mark"],
      layout: { "icon-image": "cross", "icon-allow-overlap": true, "icon-ignore-placement": true },
      paint: { "icon-color": p.accent, "icon-halo-color": p.halo, "icon-halo-width": 2 },
    },
    {
      id: "lit-label",
      type: "symbol",
      source: "lit",
      filter: ["all", kind("Point"), ["has", "label"]] as FilterSpecification,
      layout: {
        "text-field": ["get", "label"],
        "text-font": [SEMIBOLD],
        "text-size": 14,
        "text-variable-anchor": ["left", "right", "top", "bottom"],
        "text-radial-offset": 0.95,
        "text-justify": "auto",
        "text-max-width": 10,
        "text-allow-overlap": true,
      },
      paint: { "text-color": p.text, "text-halo-color": p.halo, "text-halo-width": 2 },
    },
  ];
}
