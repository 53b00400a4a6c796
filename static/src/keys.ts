// Keys of the whole page. Those of the map (arrows, plus, minus) are the map's own; those of a panel are in the panel.
import { clearSelection } from "./actions.ts";
import * as state from "./state.ts";

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input:not([type=checkbox]), select, textarea") !== null;
}

export function listenToKeys(): void {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || state.helpOpen.value || state.rolesOpen.value) return;
    if (event.key === "Escape") {
      if (state.selection.value || state.mark.value) clearSelection();
      else if (state.panelOpen.value && matchMedia("(max-width: 719px)").matches) state.panelOpen.value = false;
      return;
    }
    if (!state.singleKeys.value || isTyping(event.target)) return;
    if (event.key === "/") {
      event.preventDefault();
      document.getElementById("search")?.focus();
    } else if (event.key === "?") {
      event.preventDefault();
      state.helpOpen.value = true;
    }
  });
}
