// Keeps the address of the page and the state the same: moving replaces the entry, everything else makes a new one.
import { batch, effect } from "@preact/signals";
import * as state from "./state.ts";
import { type Permalink, read, write } from "./url.ts";

const WRITE_AFTER_MS = 200;

function current(): Permalink {
  return {
    view: state.view.value,
    layers: state.shown.value,
    selection: state.selection.value,
    table: state.tableOpen.value,
    tableLayer: state.tableWanted.value,
  };
}

function take(link: Permalink): void {
  batch(() => {
    if (link.layers) state.shown.value = link.layers;
    const was = state.selection.value;
    const same = was?.collection === link.selection?.collection && was?.id === link.selection?.id;
    if (!same) {
      state.stack.value = null;
      state.selection.value = link.selection;
    }
    state.tableOpen.value = link.table;
    state.tableWanted.value = link.tableLayer;
  });
}

/** Reads the address the page was opened with. */
export function readAddress(): void {
  const link = read(location.hash);
  state.view.value = link.view;
  take(link);
}

export function keepAddress(): void {
  let lasting: string | null = null;
  let timer = 0;
  const replace = (): void => history.replaceState(null, "", write(current()) || location.pathname);
  effect(() => {
    const link = current();
    if (link.layers === null) return;
    const now = write({ ...link, view: null });
    clearTimeout(timer);
    if (lasting !== null && now !== lasting) history.pushState(null, "", write(link));
    // Browsers refuse addresses that change with every frame.
    else timer = window.setTimeout(replace, WRITE_AFTER_MS);
    lasting = now;
  });
  addEventListener("popstate", () => {
    const link = read(location.hash);
    lasting = write({ ...link, view: null });
    take(link);
    if (link.view) state.camera.value = { do: "jump", view: link.view };
  });
}
