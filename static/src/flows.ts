// Lines between places: which the server is asked for, and what it answered. No DOM, no map; the picture is made in map/flows/.
import { computed, effect, signal, untracked } from "@preact/signals";
import { fail, reason, recover, track } from "./actions.ts";
import { type FlowQuestion, type Flows, flowsPath, getFlows } from "./api/flows.ts";
import * as state from "./state.ts";
import type { FeatureRef } from "./state.ts";

/** So many of the strongest are drawn; the rest is said in words. */
export const MOST_DRAWN = 150;
const MOST_LISTED = 1000;
/** From this zoom hubs stand for themselves; before, they are gathered into exporting areas. */
export const HUBS_FROM_ZOOM = 8;
/** Any zoom at which they are gathered. */
const GATHERED_ZOOM = 5;
const MOST_REMEMBERED = 24;

/** The strongest lines of the country. */
export const flows = signal<Flows | null>(null);
export const loadingFlows = signal(false);

/** The lines of one selected place. */
export interface PlaceLines {
  ref: FeatureRef;
  /** Lines that leave it, and lines that reach it; null where the question has no sense, as for what reaches a hub. */
  out: Flows | null;
  into: Flows | null;
  failure: string | null;
}

/** The lines of the selected place, as the drawer lists them. */
export const placeLines = signal<PlaceLines | null>(null);
/** The same lines as the map draws them: gathered into areas as far as the rest of the map is. */
export const own = signal<Flows[]>([]);

/** The line of the row under the pointer or with the focus, as `hubs:leeds>towns:york`: lit on the map. */
export const hoveredLine = signal<string | null>(null);

/** The selected feature if lines can begin or end there. */
export const chosen = computed(() => {
  const ref = state.selection.value;
  return ref && state.isLineEnd(ref.collection) ? ref : null;
});

export const today = (): string => new Date().toISOString().slice(0, 10);

/** The day that is shown; null until it is known. */
export const day = computed((): string | null => {
  const { value } = state.session;
  if (value) return value.reference_date ?? today();
  return state.failures.value.some(({ key }) => key === "session") ? today() : null;
});

const gathered = computed(() => (state.view.value?.zoom ?? 0) < HUBS_FROM_ZOOM);
const dataVersion = computed(() => state.byId.value.get("flows")?.dataVersion ?? "");

/** Everything that asks for other lines. */
const wanted = computed(() => (day.value === null ? null : `${day.value} ${gathered.value} ${dataVersion.value}`));

const answers = new Map<string, Promise<Flows>>();

/** Asks once for each question and version of the data. A failure is not remembered. */
function ask(question: FlowQuestion): Promise<Flows> {
  const key = `${flowsPath(question)} ${dataVersion.value}`;
  const known = answers.get(key);
  if (known) return known;
  if (answers.size >= MOST_REMEMBERED) answers.clear();
  const asked = track(getFlows(question));
  answers.set(key, asked);
  asked.catch(() => answers.delete(key));
  return asked;
}

let latest = 0;

async function loadFlows(datetime: string): Promise<void> {
  const mine = ++latest;
  loadingFlows.value = true;
  try {
    const zoom = Math.floor(state.view.value?.zoom ?? GATHERED_ZOOM);
    const found = await ask({ level: "auto", zoom, datetime, limit: MOST_DRAWN });
    recover("flows");
    if (mine !== latest) return;
    flows.value = found;
    state.collections.value = (state.collections.value ?? []).map((each) =>
      each.id === "flows" ? { ...each, itemCount: found.totals.flows } : each,
    );
  } catch (fault) {
    if (mine === latest) {
      fail("flows", `The lines between places could not be read (${reason(fault)}). The rest of the map still works.`);
    }
  } finally {
    if (mine === latest) loadingFlows.value = false;
  }
}

/** The questions about the lines that leave a feature and those that reach it. */
export function questionsOf(ref: FeatureRef, isGathered: boolean, datetime: string): Partial<Record<"out" | "into", FlowQuestion>> {
  const name = `${ref.collection}:${ref.id}`;
  const area: FlowQuestion = { level: "auto", zoom: GATHERED_ZOOM, datetime, limit: MOST_LISTED };
  const place: FlowQuestion = { level: "place", datetime, limit: MOST_LISTED };
  // A hub that is gathered into its area would have no lines of its own.
  if (ref.collection === "hubs") return { out: { ...place, from: name } };
  const question = isGathered ? area : place;
  if (ref.collection === "towns") return { into: { ...question, to: name } };
  return { out: { ...question, from: name }, into: { ...question, to: name } };
}

/** An answer about the selection comes too late if something else is selected by now. */
const stillSelected = (ref: FeatureRef): boolean =>
  state.selection.value?.collection === ref.collection && state.selection.value.id === ref.id;

async function loadPlaceLines(ref: FeatureRef, datetime: string): Promise<void> {
  const { out, into } = questionsOf(ref, true, datetime);
  try {
    const [from, to] = await Promise.all([out ? ask(out) : null, into ? ask(into) : null]);
    if (stillSelected(ref)) placeLines.value = { ref, out: from, into: to, failure: null };
  } catch (fault) {
    if (stillSelected(ref)) placeLines.value = { ref, out: null, into: null, failure: reason(fault) };
  }
}

async function loadOwn(ref: FeatureRef, isGathered: boolean, datetime: string): Promise<void> {
  try {
    const found = await Promise.all(Object.values(questionsOf(ref, isGathered, datetime)).map(ask));
    if (stillSelected(ref) && gathered.value === isGathered) own.value = found;
  } catch {
    // The drawer says so; the strongest lines are drawn all the same.
  }
}

const running = new Set<string>();

function once(what: string, run: () => void): void {
  if (running.has(what)) return;
  running.add(what);
  effect(run);
}

/** Loads the strongest lines while their layer is on, and loads them again when the day, the zoom class or the data change. */
export function keepFlows(): void {
  once("flows", () => {
    const datetime = day.value;
    if (wanted.value === null || datetime === null || !state.flowsOn.value) return;
    untracked(() => void loadFlows(datetime));
  });
}

/** Loads the lines of the selected place, and loads them again when the selection, the day or the data change. */
export function keepPlaceLines(): void {
  once("place-lines", () => {
    const ref = chosen.value;
    const datetime = day.value;
    void dataVersion.value;
    untracked(() => {
      placeLines.value = null;
      if (ref && datetime !== null) void loadPlaceLines(ref, datetime);
    });
  });
}

/** Loads the lines of the selected place that the map draws beside the strongest ones. */
export function keepOwn(): void {
  once("own", () => {
    const ref = chosen.value;
    const datetime = day.value;
    const isGathered = gathered.value;
    const isOn = state.flowsOn.value;
    void dataVersion.value;
    untracked(() => {
      own.value = [];
      if (ref && datetime !== null && isOn) void loadOwn(ref, isGathered, datetime);
    });
  });
}
