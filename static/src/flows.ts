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

export interface Links {
  ref: FeatureRef;
  /** Out of it, and into it; null where that is not asked. */
  out: Flows | null;
  into: Flows | null;
  failure: string | null;
}

/** The links of what is selected, as the drawer lists them. */
export const links = signal<Links | null>(null);
/** The same as the map draws them: as gathered as the rest of its picture. */
export const own = signal<Flows[]>([]);

/** The line of the row under the pointer or with the focus, as `hubs:leeds>towns:york`: lit on the map. */
export const hoveredLine = signal<string | null>(null);

/** The selected feature if it can have lines. */
export const chosen = computed(() => {
  const ref = state.selection.value;
  return ref && state.isLinked(ref.collection) ? ref : null;
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

/** The questions about what leaves a feature and what comes into it. */
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

async function loadLinks(ref: FeatureRef, datetime: string): Promise<void> {
  const { out, into } = questionsOf(ref, true, datetime);
  try {
    const [from, to] = await Promise.all([out ? ask(out) : null, into ? ask(into) : null]);
    if (stillSelected(ref)) links.value = { ref, out: from, into: to, failure: null };
  } catch (fault) {
    if (stillSelected(ref)) links.value = { ref, out: null, into: null, failure: reason(fault) };
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

/** Keeps the strongest lines loaded for as long as somebody shows them. */
export function keepFlows(): void {
  once("flows", () => {
    const datetime = day.value;
    if (wanted.value === null || datetime === null || !state.flowsOn.value) return;
    untracked(() => void loadFlows(datetime));
  });
}

/** Keeps the links of the selected feature loaded. */
export function keepLinks(): void {
  once("links", () => {
    const ref = chosen.value;
    const datetime = day.value;
    void dataVersion.value;
    untracked(() => {
      links.value = null;
      if (ref && datetime !== null) void loadLinks(ref, datetime);
    });
  });
}

/** Keeps what the map draws of the selected feature beyond the strongest lines. */
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
