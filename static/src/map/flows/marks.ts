// Ends of the lines between places: rings with a pale core, dots, and their names. (picture, palette) -> data and layers. Pure.
import type { Feature, FeatureCollection, Point } from "geojson";
import type { ExpressionSpecification, FilterSpecification, LayerSpecification } from "maplibre-gl";
import type { Part } from "../order.ts";
import { DESTINATION, EXPORTER, type Palette } from "../palette.ts";
import { LIT, MEDIUM, SEMIBOLD } from "../parts.ts";
import type { DrawnPlace, Picture } from "./picture.ts";
import { placeInWords } from "./words.ts";

/** A property of a mark, see `markData`. */
const get = (name: string): ExpressionSpecification => ["get", name];
const RELATED = get("related");
const RADIUS = get("radius");
/** What has nothing to do with the selection steps back, but stays to be found. */
const STEPPED_BACK: ExpressionSpecification = ["case", RELATED, 1, 0.2];
/** Large circles first, so that small ones lie on top of them. */
const SORT: ExpressionSpecification = ["-", 0, RADIUS];
const HUB_TEXT_PX = { least: 13, most: 17 };
const TOWN_TEXT_PX = { least: 11, most: 13 };
/** How a name is placed; so many towns before all others, even over their dots. */
type Name = "area" | "hub" | "first" | "town";
const MOST_FIRST = 16;
/** Two of the same name as near as this are one place, in degrees of latitude. */
const NEAR_DEGREES = 0.06;
/** Between a circle and its name. */
const GAP_PX = 5;
/** Side of the picture that keeps a circle free of names. */
const PICTURE_PX = 12;

export function markData({ places, largest }: Picture): FeatureCollection<Point> {
  // Strong ones first: their names are placed first, and of two at one place it is the first that a pointer meets.
  const sorted = [...places].sort((a, b) => b.lines - a.lines);
  const rings = sorted.filter(({ kind }) => kind === "origin");
  // A city can be hub and town at once: it is named once.
  const ofRing = (place: DrawnPlace): boolean => rings.some((ring) => ring.label === place.label && isNear(ring, place));
  let first = MOST_FIRST;
  const nameOf = (place: DrawnPlace): Name | null => {
    if (place.kind === "origin") return place.collection === "hubs" ? "hub" : "area";
    if (ofRing(place)) return null;
    if (place.related) first -= 1;
    return place.chosen || (place.related && first >= 0) ? "first" : "town";
  };
  const features = sorted.map((place, at) => mark(place, at, largest, nameOf(place)));
  return { type: "FeatureCollection", features };
}

function mark(place: DrawnPlace, at: number, largest: number, name: Name | null): Feature<Point> {
  const isRing = place.kind === "origin";
  const size = isRing ? HUB_TEXT_PX : TOWN_TEXT_PX;
  const text = size.least + (size.most - size.least) * Math.min(1, Math.sqrt(place.lines / largest));
  return {
    type: "Feature",
    id: at,
    geometry: { type: "Point", coordinates: [place.lon, place.lat] },
    properties: {
      collection: place.collection,
      id: place.id,
      title: place.label,
      detail: placeInWords(place),
      ring: isRing,
      related: place.related,
      chosen: place.chosen,
      name,
      radius: place.radiusPx,
      text: Math.round(text * 2) / 2,
      // The selected one and its partners come before all others.
      order: (place.chosen ? 0 : 1e6) - place.lines,
    },
  };
}

const isNear = (a: DrawnPlace, b: DrawnPlace): boolean =>
  Math.abs(a.lat - b.lat) < NEAR_DEGREES && Math.abs(a.lon - b.lon) < NEAR_DEGREES / Math.cos((a.lat * Math.PI) / 180);

const both = (...parts: ExpressionSpecification[]): FilterSpecification => ["all", ...parts] as FilterSpecification;
const IS_RING = get("ring");
const IS_DOT: ExpressionSpecification = ["!", IS_RING];

export function markLayers(p: Palette): LayerSpecification[] {
  const source = "flows";
  const wider: ExpressionSpecification = ["case", LIT, 1.5, 0];
  return [
    {
      id: "flow-chosen",
      type: "circle",
      source,
      filter: get("chosen") as FilterSpecification,
      paint: {
        "circle-radius": ["+", RADIUS, 4],
        "circle-color": p.accent,
        "circle-stroke-color": p.halo,
        "circle-stroke-width": 1.5,
      },
    },
    {
      id: "flow-dot",
      type: "circle",
      source,
      filter: IS_DOT as FilterSpecification,
      layout: { "circle-sort-key": SORT },
      paint: {
        "circle-radius": ["+", RADIUS, wider],
        "circle-color": p.tones[DESTINATION],
        "circle-opacity": STEPPED_BACK,
        "circle-stroke-color": p.halo,
        "circle-stroke-width": 1.2,
        "circle-stroke-opacity": STEPPED_BACK,
      },
    },
    {
      // Below all rings, so that where they overlap none is cut by the rim of another.
      id: "flow-halo",
      type: "circle",
      source,
      filter: IS_RING as FilterSpecification,
      paint: { "circle-radius": ["+", RADIUS, 1.6], "circle-color": p.halo, "circle-opacity": STEPPED_BACK },
    },
    {
      id: "flow-ring",
      type: "circle",
      source,
      filter: IS_RING as FilterSpecification,
      layout: { "circle-sort-key": SORT },
      paint: {
        "circle-radius": ["*", RADIUS, 0.42],
        "circle-color": p.halo,
        "circle-opacity": STEPPED_BACK,
        "circle-stroke-color": p.tones[EXPORTER],
        "circle-stroke-width": ["+", ["*", RADIUS, 0.58], wider],
        "circle-stroke-opacity": STEPPED_BACK,
      },
    },
    // Names are placed from the top layer down: first rings have their room, then come areas, hubs, the towns that most
    // lines lead to, the room of dots, and the other towns.
    names("flow-town-label", "town", p),
    room("dot-room", IS_DOT),
    names("flow-first-label", "first", p),
    names("flow-hub-label", "hub", p),
    names("flow-area-label", "area", p),
    room("ring-room", IS_RING),
  ];
}

/** Nothing to be seen: it keeps the names that are placed after it off the circles. */
function room(id: "dot-room" | "ring-room", kind: ExpressionSpecification): LayerSpecification {
  return {
    id,
    type: "symbol",
    source: "flows",
    filter: both(kind, RELATED),
    layout: {
      "icon-image": "dot",
      "icon-size": ["/", ["*", 2, RADIUS], PICTURE_PX],
      "icon-allow-overlap": true,
      "icon-padding": 0,
    },
    paint: { "icon-opacity": 0 },
  };
}

function names(id: Part, name: Name, p: Palette): LayerSpecification {
  const isHub = name === "hub" || name === "area";
  const bold: ExpressionSpecification = ["case", get("chosen"), ["literal", [SEMIBOLD]], ["literal", [isHub ? SEMIBOLD : MEDIUM]]];
  return {
    id,
    type: "symbol",
    source: "flows",
    filter: both(RELATED, ["==", get("name"), name]),
    layout: {
      "text-field": get("title"),
      "text-font": bold,
      "text-size": get("text"),
      "text-variable-anchor": ["left", "right", "top", "bottom", "bottom-left", "top-left", "bottom-right", "top-right"],
      "text-radial-offset": ["/", ["+", RADIUS, GAP_PX, ["case", get("chosen"), 4, 0]], get("text")],
      "text-justify": "auto",
      "text-max-width": 8,
      "text-line-height": 1.1,
      "text-padding": 3,
      // An exporting area is named even where there is no room: there are four at most.
      "text-allow-overlap": name === "area",
      "symbol-sort-key": get("order"),
    },
    paint: {
      "text-color": isHub ? p.text : ["case", get("chosen"), p.text, p.text2],
      "text-halo-color": p.halo,
      "text-halo-width": 1.6,
    },
  };
}

/** Which features of the collection of places have their name written here. */
export function writtenHere({ places }: Picture, labelField: string): ExpressionSpecification {
  const squares = places.map(({ lon, lat }) => {
    const [dx, dy] = [NEAR_DEGREES / Math.cos((lat * Math.PI) / 180), NEAR_DEGREES];
    return [[[lon - dx, lat - dy], [lon + dx, lat - dy], [lon + dx, lat + dy], [lon - dx, lat + dy], [lon - dx, lat - dy]]];
  });
  const labels = [...new Set(places.map(({ label }) => label))].sort();
  return [
    "all",
    ["in", ["to-string", ["get", labelField]], ["literal", labels]],
    ["within", { type: "MultiPolygon", coordinates: squares }],
  ];
}
