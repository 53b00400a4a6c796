// Sea, land, coast: layers over the sources `land` and `coast` (map/land.ts). Pure.
import type { LayerSpecification } from "maplibre-gl";
import type { Palette } from "./palette.ts";

export function basemap(p: Palette): LayerSpecification[] {
  const coast = { source: "coast", filter: ["==", ["get", "kind"], "coast"] as ["==", ["get", string], string] };
  return [
    { id: "sea", type: "background", paint: { "background-color": p.sea } },
    {
      id: "wash-outer",
      type: "line",
      ...coast,
      layout: { "line-join": "round", "line-cap": "round" },
      paint: {
        "line-color": p.wash[0],
        "line-width": ["interpolate", ["linear"], ["zoom"], 4, 10, 7, 20, 11, 30],
        "line-blur": 2,
      },
    },
    {
      id: "wash-inner",
      type: "line",
      ...coast,
      layout: { "line-join": "round", "line-cap": "round" },
      paint: {
        "line-color": p.wash[1],
        "line-width": ["interpolate", ["linear"], ["zoom"], 4, 4.5, 7, 9, 11, 14],
        "line-blur": 1,
      },
    },
    {
      id: "other-land",
      type: "fill",
      source: "land",
      filter: ["!=", ["get", "iso"], "GBR"],
      paint: { "fill-color": p.otherLand },
    },
    {
      id: "land",
      type: "fill",
      source: "land",
      filter: ["==", ["get", "iso"], "GBR"],
      paint: { "fill-color": p.land },
    },
    {
      id: "border",
      type: "line",
      source: "coast",
      filter: ["==", ["get", "kind"], "border"],
      paint: { "line-color": p.border, "line-width": 1, "line-dasharray": [4, 3] },
    },
    {
      id: "coast",
      type: "line",
      ...coast,
      layout: { "line-join": "round" },
      paint: {
        "line-color": p.coast,
        "line-width": ["interpolate", ["linear"], ["zoom"], 4, 0.5, 8, 0.9, 13, 1.4],
      },
    },
    {
      // The neighbours are cut along a box: the cut dissolves into the sea.
      id: "edge",
      type: "line",
      source: "coast",
      filter: ["==", ["get", "kind"], "edge"],
      paint: {
        "line-color": p.sea,
        "line-width": ["interpolate", ["exponential", 2], ["zoom"], 4, 40, 7, 320],
        "line-blur": ["interpolate", ["exponential", 2], ["zoom"], 4, 20, 7, 160],
      },
    },
  ];
}
