// Talks to the server, in its own words. Every failure becomes an `ApiProblem` that says what the server said.
import type { Feature, Geometry } from "geojson";
import type { components } from "./schema.gen.ts";

type Schemas = components["schemas"];

export type Session = Schemas["session"];
export type Role = Session["role"];
export type Named = Schemas["named"];

/** What the map uses of a collection. */
export type Collection = Pick<
  Schemas["collection"],
  | "id"
  | "title"
  | "itemCount"
  | "geometryKind"
  | "class"
  | "attribution"
  | "extent"
  | "dataVersion"
  | "labelField"
  | "maxZoom"
> &
  Partial<Pick<Schemas["collection"], "description" | "synthetic">>;
export type GeometryKind = Collection["geometryKind"];

export type Queryable = Schemas["queryable"];
export type SearchResult = Schemas["searchHit"];

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
  const said = (await response.json().catch(() => ({}))) as Partial<Schemas["problem"]>;
  throw new ApiProblem(response.status, said.title ?? `Error ${response.status}`, said.detail ?? "");
}

export const getSession = (): Promise<Session> => get("/api/session");

export async function getCollections(): Promise<Collection[]> {
  return (await get<Schemas["collections"]>("/ogc/collections")).collections;
}

export const getItem = (collection: string, id: string, signal?: AbortSignal): Promise<Item> =>
  get(itemPath(collection, id), signal);

export const getItemOfTile = (collection: string, tileId: number): Promise<Item> =>
  get(`/tiles/${enc(collection)}/features/${tileId}.json`);

export async function search(text: string, signal: AbortSignal): Promise<SearchResult[]> {
  return (await get<Schemas["search"]>(`/api/search?q=${enc(text)}&limit=10`, signal)).results;
}
