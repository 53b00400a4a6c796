// The one state of the application, as signals. No DOM, no map, no requests: `actions.ts` changes it.
import { computed, signal } from "@preact/signals";
import type { Bounds, Collection, Item, Queryable, Session } from "./api/client.ts";

export interface View {
  lon: number;
  lat: number;
  zoom: number;
}

/** Names one feature: the id is the public one of the address `/ogc/collections/{collection}/items/{id}`. */
export interface FeatureRef {
  collection: string;
  id: string;
}

/** Names one feature as the tiles do. */
export interface TileRef {
  collection: string;
  tileId: number;
}

/** One feature, by either of its names. */
export type AnyRef = FeatureRef | TileRef;

/** A position without a feature, found by its grid reference. */
export interface Mark {
  lon: number;
  lat: number;
  label: string;
}

/** What the map is asked to do next; it happens once. */
export type CameraOrder =
  | { do: "go"; lon: number; lat: number; zoom: number }
  | { do: "jump"; view: View }
  | { do: "fit"; box: Bounds; deepest: number }
  | { do: "reveal"; lon: number; lat: number }
  | { do: "zoom"; steps: number }
  | { do: "focus" };

/** Words beside the pointer about what is under it. */
export interface Preview {
  x: number;
  y: number;
  title: string;
  detail: string;
}

export type Selected = Item & { collection: string };

/** What failed, in words; `key` keeps the same failure from being said twice. */
export interface Failure {
  key: string;
  text: string;
}

export type Appearance = "system" | "light" | "dark";

export const session = signal<Session | null>(null);
export const collections = signal<Collection[] | null>(null);
/** Per collection: title, type and unit of each property. */
export const fields = signal<Record<string, Record<string, Queryable>>>({});

/** Names of councils by their codes; empty until they are needed. */
export const councils = signal<Record<string, string>>({});

/** Null until the map has found what shows the whole country. */
export const view = signal<View | null>(null);
/** What the map shows at this moment; null without a map. */
export const bounds = signal<Bounds | null>(null);
export const hasMap = signal(true);
export const camera = signal<CameraOrder | null>(null);
/** Where the pointer is on the map. */
export const pointer = signal<{ lon: number; lat: number } | null>(null);
export const preview = signal<Preview | null>(null);

/** Ids of the layers that are on; null until the collections are known. */
export const shown = signal<string[] | null>(null);
export const selection = signal<FeatureRef | null>(null);
/** The selected feature once it is loaded. */
export const selected = signal<Selected | null>(null);
/** Whether the selection was made by keyboard: then the focus goes to the drawer. */
export const selectedByKeyboard = signal(false);
/** The features under the last click, if there was more than one, and which of them is selected. */
export const stack = signal<{ refs: AnyRef[]; at: number } | null>(null);
export const mark = signal<Mark | null>(null);

/** The row under the pointer or with the focus: lit on the map. */
export const hoveredRow = signal<{ collection: string; item: Item } | null>(null);
/** The feature under the pointer on the map: its row is lit. */
export const hoveredFeature = signal<FeatureRef | null>(null);

/** Whether the screen has room for the layers or the drawer, not both. */
export const middling = signal(false);

export const tableOpen = signal(false);
/** The layer that the table was asked to show. */
export const tableWanted = signal<string | null>(null);
export const panelOpen = signal(true);
export const helpOpen = signal(false);
export const rolesOpen = signal(false);
export const appearance = signal<Appearance>("system");
export const systemDark = signal(false);
export const singleKeys = signal(true);

export const failures = signal<Failure[]>([]);
/** The last message for screen readers. */
export const announcement = signal("");
/** Requests under way, those of the map included. */
export const requests = signal(0);
export const mapLoading = signal(false);
/** Whether the map has shown its first picture. What it does not need for that is loaded from then on. */
export const mapShown = signal(false);
/** Features, as `collection:id`, that the lines between places draw as ring or dot with its name, and where: lon, lat. */
export const ends = signal<ReadonlyMap<string, [number, number]>>(new Map());
/** Ids of layers of which clusters are drawn at this moment. */
export const clustered = signal<string[]>([]);

export const dark = computed(() =>
  appearance.value === "system" ? systemDark.value : appearance.value === "dark",
);

export const busy = computed(() => requests.value > 0 || mapLoading.value);

export const byId = computed(() => new Map((collections.value ?? []).map((each) => [each.id, each])));

/** The layers that are on, in the order of the list. */
export const shownCollections = computed(() => {
  const on = new Set(shown.value ?? []);
  return (collections.value ?? []).filter((each) => on.has(each.id));
});

/** Whether the lines between places are on. */
export const flowsOn = computed(() => shownCollections.value.some(({ id }) => id === "flows"));

const LINE_ENDS = ["hubs", "towns", "forces", "regions"];

/** Whether lines can begin or end at a feature, or within it. */
export const isLineEnd = (collection: string): boolean => LINE_ENDS.includes(collection);

const CLASSES = ["register", "release", "layer", "reference"];

/** The layers that are on, as the panel and the table list them: what is worked on before what it stands on. */
export const listedCollections = computed(() =>
  shownCollections.value.toSorted((a, b) => CLASSES.indexOf(a.class) - CLASSES.indexOf(b.class)),
);

/** The layer in the table: the wanted one if it is on, else the first that is. */
export const tableCollection = computed(() => {
  const on = listedCollections.value;
  return on.find((each) => each.id === tableWanted.value) ?? on[0] ?? null;
});

export function isDrawn(collection: Collection): boolean {
  return collection.geometryKind !== "none" && collection.extent?.spatial !== undefined;
}
