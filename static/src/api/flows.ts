// Lines between places as the server gathers them: pairs of an origin and a destination, the strongest first.
import { get } from "./client.ts";

/** An end of lines. The server calls it "not known" where it has no name. */
export interface FlowPlace {
  /** The feature that the end is; a gathered exporting area is its force, under the name people use for the area. */
  collection: "hubs" | "towns" | "forces" | "regions";
  id: string;
  label: string;
  lon: number;
  lat: number;
  force: string | null;
  region: string | null;
  kind: "origin" | "destination";
}

export interface FlowPair {
  /** Places in the list of places. */
  origin: number;
  destination: number;
  lines: number;
  legs: number;
  /** Null where none of its legs says. */
  trips_per_week: number | null;
  /** By rail; null where it is not known. */
  minutes: number | null;
}

export interface FlowTotals {
  flows: number;
  lines: number;
  legs: number;
  trips_per_week: number | null;
}

export interface Flows {
  reference_date: string;
  data_version: string;
  synthetic: boolean;
  levels: { origin: string; destination: string };
  /** Everything that matches. */
  totals: FlowTotals;
  /** What is listed. */
  shown: FlowTotals;
  places: FlowPlace[];
  flows: FlowPair[];
  /** Legs that are in none of the pairs, because their hub or town is not known. */
  legs_without_ends: number;
}

export interface FlowQuestion {
  /** `auto` gathers hubs into exporting areas below zoom 8. */
  level: "auto" | "place";
  zoom?: number;
  /** A day, YYYY-MM-DD. */
  datetime: string;
  limit: number;
  /** COLLECTION:ID of hubs, towns, forces or regions. */
  from?: string;
  to?: string;
}

export function flowsPath(question: FlowQuestion): string {
  const said = Object.entries(question).map(([name, value]): [string, string] => [name, String(value)]);
  return `/api/flows?${new URLSearchParams(said)}`;
}

export const getFlows = (question: FlowQuestion, signal?: AbortSignal): Promise<Flows> =>
  get(flowsPath(question), signal);
