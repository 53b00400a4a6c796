// What the keys do, the switch for single-letter keys, and the way to the guides.
import { useEffect, useRef } from "preact/hooks";
import * as state from "../state.ts";
import { Guides } from "./Guides.tsx";
import { CloseIcon } from "./icons.tsx";

/** Keys and what they do. Where they are listened to: keys.ts and the panels. */
const KEYS: [string, string][] = [
  ["/", "Go to the search"],
  ["?", "Show these keys"],
  ["Esc", "Close what is open; clear the selection"],
  ["Tab", "Go to the next part: header, layers, map, table, details"],
  ["← ↑ → ↓", "Move the map while it has the focus"],
  ["+ −", "Zoom the map while it has the focus"],
  ["Enter", "Select the row or the result"],
];

export function HelpDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="help"
      aria-labelledby="help-title"
      onClose={() => {
        state.helpOpen.value = false;
      }}
    >
      <form method="dialog">
        <h2 id="help-title">Keys and help</h2>
        <button type="submit" class="bare" aria-label="Close the help">
          <CloseIcon />
        </button>
      </form>
      <dl>
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              {key.split(" ").map((each) => (
                <kbd key={each}>{each}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="setting">
        <input
          type="checkbox"
          checked={state.singleKeys.value}
          onChange={(event) => {
            state.singleKeys.value = event.currentTarget.checked;
          }}
        />
        Single keys (/ and ?) work outside of text fields
      </label>
      <p>
        Click a feature to select it, and the sea to clear the selection. A click on a line between places selects the town that
        it leads to. A circle with a number stands for that many features: click it to zoom in. Everything on the map is also in
        the table. The address of the page holds the view: copy it to share the view.
      </p>
      <Guides />
    </dialog>
  );
}
