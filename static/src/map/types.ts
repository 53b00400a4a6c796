// What goes into the map and comes out of it: the words between map/map.ts and those who use it.
import type { Feature, FeatureCollection, Geometry } from "geojson";
import type { CustomLayerInterface, ExpressionSpecification, FeatureIdentifier, LayerSpecification } from "maplibre-gl";
import type { Bounds } from "../api/client.ts";
import type { AnyRef, View } from "../state.ts";
import type { Palette } from "./palette.ts";
import type { LayerSource } from "./parts.ts";

/** What is under a point of the map. A cluster has a count above 1 and no properties. */
export interface Hit {
  ref: AnyRef;
  properties: Record<string, unknown>;
  count: number;
  lon: number;
  lat: number;
  /** What of the style is lit when the pointer is on it. */
  target?: FeatureIdentifier;
}

export interface MapEvents {
  moving(view: View): void;
  moved(view: View, bounds: Bounds): void;
  /** The pointer is at a position, or has left the map. */
  pointer(at: { lon: number; lat: number } | null): void;
  hover(hit: Hit | null, x: number, y: number): void;
  /** Features under a click, the topmost first; none if the click met land or sea. */
  pick(hits: Hit[], x: number, y: number): void;
  loading(active: boolean): void;
  /** Collections of which clusters are in sight. */
  clustered(collections: string[]): void;
  failed(what: "land" | "tiles", collection: string | null, reason: string): void;
  works(collection: string): void;
}

/** A collection to draw: how, and where its features are. */
export interface DrawnLayer extends LayerSource {
  bounds: Bounds;
  maxZoom: number | undefined;
}

/** The lines between places, which come with a part that is loaded later (map/flows/). */
export interface FlowPicture {
  /** Features of the source `flows`: they have `collection` and `id` of what they stand for, `title` and `detail` to be said of it. */
  data: FeatureCollection;
  layers(p: Palette): LayerSpecification[];
  /** The layer that draws the lines itself. */
  lines: CustomLayerInterface;
  /** Which places have their name written already. */
  written: ExpressionSpecification;
  /** The line within some pixels of a point of the map. */
  hit(x: number, y: number, reach: number): Hit | null;
}

export type LitFeature = Feature<Geometry, { role: "selected" | "row" | "mark"; label?: string }>;

/** Pixels of the map's sides that panels cover. */
export interface Inset {
  right: number;
  bottom: number;
}
