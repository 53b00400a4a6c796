// Pages of a collection's items and what its properties are called: for table and drawer, which are loaded later.
import { type Bounds, type Item, type Queryable, get } from "./client.ts";
import type { components } from "./schema.gen.ts";

const enc = encodeURIComponent;

export interface Page {
  items: Item[];
  matched: number;
  /** Address of the next page, if there is one. */
  next: string | null;
}

/** Title, type and unit of each property, without the geometry. */
export async function getQueryables(collection: string): Promise<Record<string, Queryable>> {
  const path = `/ogc/collections/${enc(collection)}/queryables`;
  const { properties } = await get<components["schemas"]["queryables"]>(path);
  const fields = Object.entries(properties).filter(([, field]) => field["x-ogc-role"] !== "primary-geometry");
  return Object.fromEntries(fields);
}

/** Every feature of a small collection. */
export async function getAllItems(collection: string): Promise<Item[]> {
  const most = 10_000;
  return (await get<components["schemas"]["items"]>(`/ogc/collections/${enc(collection)}/items?limit=${most}`)).features as Item[];
}

export function firstPagePath(collection: string, bounds: Bounds | null, limit: number): string {
  const box = bounds ? `&bbox=${bounds.map((degrees) => degrees.toFixed(6)).join(",")}` : "";
  return `/ogc/collections/${enc(collection)}/items?limit=${limit}${box}`;
}

export async function getPage(path: string, signal: AbortSignal): Promise<Page> {
  const wire = await get<components["schemas"]["items"]>(path, signal);
  const next = wire.links.find((link) => link.rel === "next");
  // Only path and query: the server may name itself by another address than the one this page came from.
  const address = next ? new URL(next.href, location.href) : null;
  return {
    items: wire.features as Item[],
    matched: wire.numberMatched,
    next: address ? address.pathname + address.search : null,
  };
}
