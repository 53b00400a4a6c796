// What the layers of all collections are made of: their source, filters, names. Pure.
//
// A dense point layer comes clustered below zoom 12: there every feature has `count`, and only those with 1 have the rest.
import type { ExpressionSpecification, FilterSpecification } from "maplibre-gl";
import type { GeometryKind } from "../api/client.ts";
import type { Look } from "./looks.ts";
import { type Part, layerId } from "./order.ts";

export interface LayerSource {
  /** Id of the collection, of its source and of its layer in the tiles. */
  id: string;
  geometry: GeometryKind;
  labelField: string | undefined;
  look: Look;
  /** Name that is written elsewhere (of the selected feature), so that it is not written twice. */
  hidden?: string | undefined;
  /** Which features have their name written by the lines between places. */
  written?: ExpressionSpecification | undefined;
}

export const REGULAR = "Inter Regular";
export const MEDIUM = "Inter Medium";
export const SEMIBOLD = "Inter SemiBold";

/** From this zoom the server draws every feature. */
export const NEVER_CLUSTERED_FROM = 12;

export const COUNT: ExpressionSpecification = ["coalesce", ["to-number", ["get", "count"], 1], 1];
export const SINGLE: ExpressionSpecification = ["step", ["zoom"], ["<=", COUNT, 1], NEVER_CLUSTERED_FROM, true];
export const LIT: ExpressionSpecification = ["boolean", ["feature-state", "lit"], false];

export const isKind = (kind: "Point" | "LineString" | "Polygon"): ExpressionSpecification => ["==", ["geometry-type"], kind];
export const both = (...parts: ExpressionSpecification[]): FilterSpecification => ["all", ...parts] as FilterSpecification;

/** Names of single points, without the hidden one. */
export function named(source: LayerSource, ...more: ExpressionSpecification[]): FilterSpecification {
  const text: ExpressionSpecification = ["to-string", ["get", source.labelField ?? "name"]];
  const seen: ExpressionSpecification[] = source.hidden === undefined ? [] : [["!=", text, source.hidden]];
  if (source.written) seen.push(["!", source.written]);
  return both(isKind("Point"), SINGLE, ...more, ...seen);
}

export function base(source: LayerSource, part: Part): { id: string; source: string; "source-layer": string } {
  return { id: layerId(part, source.id), source: source.id, "source-layer": source.id };
}
