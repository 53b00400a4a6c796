// Talks to the server, in its own words. Every failure becomes an `ApiProblem` that says what the server said.
import type { Feature, Geometry } from "geojson";

export type Role =
  | "public"
  | "partner"
  | "force-analyst"
  | "regional-analyst"
  | "national-analyst"
  | "btp-planner"
  | "admin"
  | "auditor";

export interface Named {
  id: string;
  name: string;
}

export interface Session {
  /** The role the caller has. */
  role: Role;
  /** Force, region or areas of their own. */
  own: string[];
  /** Whether they gave a reason, and collections that would be there if they did. */
  reason_given: boolean;
  reason_wanted_for: { id: string; title: string }[];
  /** Roles that can be played here instead: in a demo alone. */
  roles: Role[];
  /** What can be theirs. */
  forces: Named[];
  regions: Named[];
  /** Areas of their own. */
  areas: Named[];
  register: "synthetic" | "operational";
  synthetic: boolean;
  marking: string;
  /** The day that the store's picture is drawn for; null: today. */
  reference_date?: string | null;
}

export type GeometryKind = "point" | "line" | "polygon" | "any" | "none";

export interface Collection {
  id: string;
  title: string;
  description?: string;
  itemCount: number;
  geometryKind: GeometryKind;
  class: "reference" | "register" | "release" | "layer";
  attribution?: string;
  extent?: { spatial?: { bbox: [Bounds, ...Bounds[]] } };
  dataVersion: string;
  labelField?: string;
  /** Whether its rows are invented. */
  synthetic?: boolean;
  /** Where its tiles end, if that is earlier than usual. */
  maxZoom?: number;
}

export interface Queryable {
  title?: string;
  type?: string;
  format?: string;
  description?: string;
  "x-ogc-role"?: string;
  "x-ogc-unit"?: string;
}

export interface SearchResult {
  kind: "feature" | "grid-reference";
  collection?: string;
  id?: string;
  label: string;
  detail: string;
  /** The middle of its geometry, if it has one. */
  lon?: number;
  lat?: number;
  /** How close a point is looked at; lines and areas have a box instead. */
  zoom?: number;
  bbox?: Bounds;
}

/** West, south, east, north in degrees. */
export type Bounds = [number, number, number, number];

/** A feature as the server sends it; rows of some collections have no place. */
export type Item = Feature<Geometry | null, Record<string, unknown>> & { id: string | number };

export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    title: string,
    readonly detail: string,
  ) {
    super(title);
  }
}

const enc = encodeURIComponent;

/**
 * The path under which the server stands, without a slash at its end: a proxy may have put one in front. Built scripts
 * are in `assets/` beside the page.
 */
export const BASE = import.meta.env.PROD ? new URL("..", import.meta.url).pathname.replace(/\/$/, "") : "";

export function itemPath(collection: string, id: string | number): string {
  return `/ogc/collections/${enc(collection)}/items/${enc(id)}`;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(BASE + path, { headers: { accept: "application/json" }, ...(signal ? { signal } : {}) });
  } catch (fault) {
    if (signal?.aborted) throw fault;
    throw new ApiProblem(0, "The server does not answer", "the connection failed");
  }
  if (response.ok) return (await response.json()) as T;
  const said = (await response.json().catch(() => ({}))) as { title?: string; detail?: string };
  throw new ApiProblem(response.status, said.title ?? `Error ${response.status}`, said.detail ?? "");
}

export const getSession = (): Promise<Session> => get("/api/session");

export async function getCollections(): Promise<Collection[]> {
  return (await get<{ collections: Collection[] }>("/ogc/collections")).collections;
}

export const getItem = (collection: string, id: string, signal?: AbortSignal): Promise<Item> =>
  get(itemPath(collection, id), signal);

export const getItemOfTile = (collection: string, tileId: number): Promise<Item> =>
  get(`/tiles/${enc(collection)}/features/${tileId}.json`);

export async function search(text: string, signal: AbortSignal): Promise<SearchResult[]> {
  return (await get<{ results: SearchResult[] }>(`/api/search?q=${enc(text)}&limit=10`, signal)).results;
}
