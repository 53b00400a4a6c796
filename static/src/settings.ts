// What this browser remembers of its user: appearance, and whether single keys do something.
import { effect } from "@preact/signals";
import * as state from "./state.ts";

const APPEARANCE = "throughline.appearance";
const SINGLE_KEYS = "throughline.single-keys";

/** Storage may be forbidden; then nothing is remembered. */
function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Forbidden: the choice holds until the page is left.
  }
}

export function rememberSettings(): void {
  const appearance = stored(APPEARANCE);
  if (appearance === "light" || appearance === "dark") state.appearance.value = appearance;
  state.singleKeys.value = stored(SINGLE_KEYS) !== "off";
  const system = matchMedia("(prefers-color-scheme: dark)");
  state.systemDark.value = system.matches;
  system.addEventListener("change", () => {
    state.systemDark.value = system.matches;
  });
  const middling = matchMedia("(min-width: 720px) and (max-width: 1100px)");
  state.middling.value = middling.matches;
  middling.addEventListener("change", () => {
    state.middling.value = middling.matches;
  });
  effect(() => {
    store(APPEARANCE, state.appearance.value);
    document.documentElement.dataset.theme = state.dark.value ? "dark" : "light";
  });
  effect(() => store(SINGLE_KEYS, state.singleKeys.value ? "on" : "off"));
}
