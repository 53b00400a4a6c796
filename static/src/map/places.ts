// Names of places, as a printed atlas sets them: by size of the place, more of them as one comes closer. Pure.
import type { ExpressionSpecification, LayerSpecification } from "maplibre-gl";
import type { Part } from "./order.ts";
import type { Palette } from "./palette.ts";
import { type LayerSource, MEDIUM, REGULAR, SEMIBOLD, base, named } from "./parts.ts";

/** Coasts that look west: names there are written out to sea, as in an atlas, and leave the land to others. */
const IN_THE_WEST: ExpressionSpecification = [
  "within",
  {
    type: "Polygon",
    coordinates: [[[-9, 49], [-2.75, 49], [-2.75, 55.2], [-3.7, 55.2], [-3.7, 57.2], [-9, 57.2], [-9, 49]]],
  },
];

/** Where a name may stand about its place: anchor of the text and offset in ems, the first that is free. */
type Stands = ["literal", (string | [number, number])[]];
const RIGHT: (string | [number, number])[] = ["left", [0.45, 0]];
const LEFT: (string | [number, number])[] = ["right", [-0.45, 0]];
const AROUND: (string | [number, number])[] = ["top", [0, 0.35], "bottom", [0, -0.35], "top-left", [0.3, 0.3]];
const RIGHT_FIRST: Stands = ["literal", [...RIGHT, ...LEFT, ...AROUND]];
const LEFT_FIRST: Stands = ["literal", [...LEFT, ...RIGHT, ...AROUND]];
const ON_THE_PLACE: Stands = ["literal", ["center", [0, 0], "top", [0, 0.3], "bottom", [0, -0.3]]];

/** A class of places: who belongs to it at which zoom, and how its names are set. */
interface PlaceClass {
  part: Part;
  minzoom: number;
  /** Smallest population by zoom: the first number, then pairs of zoom and number. */
  least: [number, ...number[]];
  most?: number;
  font: string;
  size: [number, number, number, number, number, number];
  colour: string;
}

export function places(source: LayerSource, p: Palette): LayerSpecification[] {
  const classes: PlaceClass[] = [
    {
      part: "city-label",
      minzoom: 0,
      least: [240_000, 6, 175_000, 7, 150_000],
      font: SEMIBOLD,
      size: [5, 12, 8, 14.5, 12, 19],
      colour: p.text,
    },
    {
      part: "town-label",
      minzoom: 5,
      least: [90_000, 7, 45_000, 8, 25_000, 9, 12_000],
      most: 150_000,
      font: MEDIUM,
      size: [5, 10.5, 8, 12, 12, 15],
      colour: p.text2,
    },
    {
      part: "village-label",
      minzoom: 9,
      least: [6_000, 10, 2_500, 11, 0],
      most: 12_000,
      font: REGULAR,
      size: [9, 10.5, 11, 11.5, 14, 13.5],
      colour: p.text3,
    },
  ];
  return classes.map((each) => placeLabels(source, each, p));
}

function placeLabels(source: LayerSource, each: PlaceClass, p: Palette): LayerSpecification {
  const population: ExpressionSpecification = ["to-number", ["get", "population"], 0];
  const least = ["step", ["zoom"], ...each.least] as unknown as ExpressionSpecification;
  const enough: ExpressionSpecification = [">=", population, each.least.length > 1 ? least : each.least[0]];
  const most: ExpressionSpecification[] = each.most === undefined ? [] : [["<", population, each.most]];
  const [z0, s0, z1, s1, z2, s2] = each.size;
  return {
    ...base(source, each.part),
    type: "symbol",
    minzoom: each.minzoom,
    filter: named(source, enough, ...most),
    layout: {
      "text-field": ["to-string", ["coalesce", ["get", source.labelField ?? "name"], ""]],
      "text-font": [each.font],
      "text-size": ["interpolate", ["linear"], ["zoom"], z0, s0, z1, s1, z2, s2],
      // Close by, the name stands on the place itself: there the streets say where it is, and no dot is true.
      "icon-image": ["step", ["zoom"], "dot", 10, ""],
      "icon-size": ["interpolate", ["linear"], ["zoom"], 5, s0 / 15, 10, s1 / 14],
      "icon-padding": 1,
      "text-variable-anchor-offset": ["step", ["zoom"], ["case", IN_THE_WEST, LEFT_FIRST, RIGHT_FIRST], 10, ON_THE_PLACE],
      "text-justify": "auto",
      "text-max-width": 8,
      "text-line-height": 1.1,
      "text-padding": 4,
      "symbol-sort-key": ["-", 0, population],
    },
    paint: {
      "text-color": each.colour,
      "text-halo-color": p.halo,
      "text-halo-width": 1.6,
      "icon-color": each.colour,
      "icon-halo-color": p.halo,
      "icon-halo-width": 1,
    },
  };
}
