// Start-up only: what is remembered, the address, the first requests, the page.
import { effect, untracked } from "@preact/signals";
import { h, render } from "preact";
import { loadCollections, loadSelected, loadSession, say } from "./actions.ts";
import * as format from "./format.ts";
import { keepAddress, readAddress } from "./history.ts";
import { listenToKeys } from "./keys.ts";
import { canDraw } from "./map/map.ts";
import { App } from "./panels/App.tsx";
import { rememberSettings } from "./settings.ts";
import * as state from "./state.ts";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/panels.css";
import "./styles/map.css";
import "./styles/flows.css";
import "./styles/roles.css";

rememberSettings();
readAddress();
state.hasMap.value = canDraw();
if (!state.hasMap.value) state.tableOpen.value = true;
if (matchMedia("(max-width: 719px)").matches) state.panelOpen.value = false;

void loadSession();
void loadCollections();

render(h(App, {}), document.getElementById("app") as HTMLElement);
keepAddress();
listenToKeys();
effect(() => {
  const ref = state.selection.value;
  untracked(() => void loadSelected(ref));
});
effect(() => {
  const item = state.selected.value;
  if (!item) return;
  untracked(() => {
    const collection = state.byId.value.get(item.collection);
    say(`${format.label(item, collection)} selected, ${collection?.title ?? item.collection}`);
  });
});
