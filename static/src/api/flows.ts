// Lines between places as the server gathers them: pairs of an origin and a destination, the strongest first.
import { get } from "./client.ts";
import type { components } from "./schema.gen.ts";

type Schemas = components["schemas"];

/** An end of lines. The server calls it "not known" where it has no name. */
export type FlowPlace = Schemas["flowEnd"];
export type FlowPair = Schemas["flow"];
export type FlowTotals = Schemas["flowSums"];
export type Flows = Omit<Schemas["flows"], "as_at" | "params" | "n_records" | "marking">;

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
