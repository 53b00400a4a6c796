// Rows of the table: the features of one layer that are in view at this moment, page by page.
import { signal } from "@preact/signals";
import { reason, track } from "./actions.ts";
import type { Bounds, Item } from "./api/client.ts";
import { firstPagePath, getPage } from "./api/items.ts";
import { loadFields } from "./fields.ts";

export const PAGE = 100;

export interface Rows {
  collection: string;
  items: Item[];
  matched: number;
  next: string | null;
  failure: string | null;
}

export const rows = signal<Rows | null>(null);
export const loadingRows = signal(false);

let asking: AbortController | null = null;

async function load(collection: string, path: string, before: Item[]): Promise<void> {
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  loadingRows.value = true;
  try {
    const page = await track(getPage(path, mine.signal));
    if (asking !== mine) return;
    rows.value = {
      collection,
      items: [...before, ...page.items],
      matched: page.matched,
      next: page.next,
      failure: null,
    };
  } catch (fault) {
    if (mine.signal.aborted) return;
    rows.value = { collection, items: before, matched: before.length, next: null, failure: reason(fault) };
  } finally {
    if (asking === mine) loadingRows.value = false;
  }
}

/** Loads the first page. Rows of the same layer stay until the new ones are there. */
export function loadRows(collection: string, bounds: Bounds | null): void {
  if (rows.value?.collection !== collection) rows.value = null;
  void loadFields(collection);
  void load(collection, firstPagePath(collection, bounds, PAGE), []);
}

export function loadMore(): void {
  const have = rows.value;
  if (have?.next) void load(have.collection, have.next, have.items);
}

export type Sort = { by: string; descending: boolean } | null;

/** Sorted by a property; rows without a value come last either way. */
export function sorted<T>(items: T[], sort: Sort, read: (item: T, by: string) => unknown): T[] {
  if (!sort) return items;
  const sign = sort.descending ? -1 : 1;
  const keyed = items.map((item) => ({ item, key: read(item, sort.by) ?? null }));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return Number(a.key === null) - Number(b.key === null);
    if (typeof a.key === "number" && typeof b.key === "number") return sign * (a.key - b.key);
    return sign * String(a.key).localeCompare(String(b.key), "en-GB", { numeric: true });
  });
  return keyed.map(({ item }) => item);
}
