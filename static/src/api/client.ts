// Talks to the server, in its own words. Every failure becomes an `ApiProblem` that says what the server said.
import type { Feature, FeatureCollection, Geometry } from "geojson";

export interface Session {
  principal: "local-operator" | "anonymous";
  register: "synthetic" | "operational";
  synthetic: boolean;
  marking: string;
}

export type GeometryKind = "point" | "line" | "area" | "any" | "none";

export interface Collection {
  id: string;
  title: string;
  description?: string;
  itemCount: number;
  geometryKind: GeometryKind;
  class: "reference" | "register" | "layer";
  attribution?: string;
  extent?: { spatial?: { bbox: [Bounds, ...Bounds[]] } };
  dataVersion: string;
  labelField?: string;
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
  lon: number;
  lat: number;
  zoom: number;
}

/** West, south, east, north in degrees. */
export type Bounds = [number, number, number, number];

/** A feature as the server sends it; rows of some collections have no place. */
export type Item = Feature<Geometry | null, Record<string, unknown>> & { id: string | number };

export interface Page {
  items: Item[];
  matched: number;
  /** Address of the next page, if there is one. */
  next: string | null;
}

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

export function itemPath(collection: string, id: string | number): string {
  return `/ogc/collections/${enc(collection)}/items/${enc(id)}`;
}

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { headers: { accept: "application/json" }, ...(signal ? { signal } : {}) });
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

/** Title, type and unit of each property, without the geometry. */
export async function getQueryables(collection: string): Promise<Record<string, Queryable>> {
  const path = `/ogc/collections/${enc(collection)}/queryables`;
  const { properties } = await get<{ properties: Record<string, Queryable> }>(path);
  const fields = Object.entries(properties).filter(([, field]) => field["x-ogc-role"] !== "primary-geometry");
  return Object.fromEntries(fields);
}

export function firstPagePath(collection: string, bounds: Bounds | null, limit: number): string {
  const box = bounds ? `&bbox=${bounds.map((degrees) => degrees.toFixed(6)).join(",")}` : "";
  return `/ogc/collections/${enc(collection)}/items?limit=${limit}${box}`;
}

export async function getPage(path: string, signal: AbortSignal): Promise<Page> {
  type Wire = FeatureCollection<Geometry | null, Record<string, unknown>> & {
    numberMatched: number;
    links: { rel: string; href: string }[];
  };
  const wire = await get<Wire>(path, signal);
  const next = wire.links.find((link) => link.rel === "next");
  // Only path and query: the server may name itself by another address than the one this page came from.
  const address = next ? new URL(next.href, location.href) : null;
  return {
    items: wire.features as Item[],
    matched: wire.numberMatched,
    next: address ? address.pathname + address.search : null,
  };
}

export const getItem = (collection: string, id: string, signal?: AbortSignal): Promise<Item> =>
  get(itemPath(collection, id), signal);

export const getItemOfTile = (collection: string, tileId: number): Promise<Item> =>
  get(`/tiles/${enc(collection)}/features/${tileId}.json`);

export async function search(text: string, signal: AbortSignal): Promise<SearchResult[]> {
  return (await get<{ results: SearchResult[] }>(`/api/search?q=${enc(text)}&limit=10`, signal)).results;
}
