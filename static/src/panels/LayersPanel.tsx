// Layers: what there is, what is on, how it is drawn. It is the legend too. Folded, it is a strip of swatches.
import { clearSelection, fitCollection, openTable, toggleLayer } from "../actions.ts";
import type { Collection } from "../api/client.ts";
import { count, plural } from "../format.ts";
import { drawnFrom } from "../map/looks.ts";
import * as state from "../state.ts";
import { Guides } from "./Guides.tsx";
import { FitIcon, FoldIcon, TableIcon, UnfoldIcon } from "./icons.tsx";
import { Swatch } from "./Swatch.tsx";

const GROUPS: [Collection["class"], string][] = [
  ["register", "Register"],
  ["release", "Released"],
  ["layer", "Imported layers"],
  ["reference", "Reference"],
];

export function LayersPanel() {
  const open = state.panelOpen.value && !(state.middling.value && state.selection.value !== null);
  return (
    <section id="layers" class={`panel${open ? "" : " folded"}`} aria-label="Layers">
      <div class="panel-head">
        <h2>Layers</h2>
        <button
          type="button"
          class="bare"
          aria-expanded={open}
          aria-label={open ? "Fold the layers" : "Show the layers"}
          onClick={() => {
            state.panelOpen.value = !open;
            if (!open && state.middling.value) clearSelection();
          }}
        >
          {open ? <FoldIcon /> : <UnfoldIcon />}
        </button>
      </div>
      {open ? <Groups /> : <Strip />}
    </section>
  );
}

function Groups() {
  const all = state.collections.value;
  if (!all) return null;
  if (all.length === 0) return <p class="hint">This store has no layer that you may see. An administrator adds one with “throughline import”.</p>;
  const wanting = state.session.value?.reason_wanted_for ?? [];
  return (
    <div class="panel-body">
      {wanting.length > 0 && (
        <p class="hint">
          {`Shown only after you give a reason: ${wanting.map(({ title }) => title).join(", ")}. `}
          <button type="button" class="link" onClick={() => (state.rolesOpen.value = true)}>
            Give a reason
          </button>
        </p>
      )}
      {GROUPS.map(([kind, title]) => {
        const members = all.filter((each) => each.class === kind);
        if (members.length === 0) return null;
        return (
          <section key={kind} aria-label={title}>
            <h3>
              {title} {members.every(({ synthetic }) => synthetic) && <SyntheticTag />}
            </h3>
            <ul class="layers">
              {members.map((each) => (
                <Row key={each.id} collection={each} tagged={members.some(({ synthetic }) => !synthetic)} />
              ))}
            </ul>
          </section>
        );
      })}
      <Guides />
    </div>
  );
}

export const SyntheticTag = () => <span class="tag">SYNTHETIC</span>;

/** `tagged`: whether invented rows are marked here, and not once for all at the head of the group. */
function Row({ collection, tagged }: { collection: Collection; tagged: boolean }) {
  const { id, title, itemCount, geometryKind, synthetic, maxZoom } = collection;
  const on = (state.shown.value ?? []).includes(id);
  const drawn = state.isDrawn(collection);
  const from = drawnFrom(id);
  const tooFar = on && drawn && state.hasMap.value && (state.view.value?.zoom ?? 0) < from;
  return (
    <li class={on ? "on" : ""}>
      <label>
        <input type="checkbox" checked={on} onChange={() => toggleLayer(collection)} />
        <Swatch collection={collection} />
        <span class="title">{title}</span>
        {tagged && synthetic && <SyntheticTag />}
        {itemCount >= 0 && (
          <span class="count">
            {count(itemCount)}
            <span class="unseen"> {itemCount === 1 ? "feature" : "features"}</span>
          </span>
        )}
      </label>
      {drawn && state.hasMap.value ? (
        <button type="button" class="bare" aria-label={`Show all of ${title}`} onClick={() => fitCollection(collection)}>
          <FitIcon />
        </button>
      ) : (
        <button
          type="button"
          class="bare"
          aria-label={`Table of ${title}`}
          onClick={() => {
            if (!on) toggleLayer(collection);
            openTable(id);
          }}
        >
          <TableIcon />
        </button>
      )}
      {tooFar && <p class="note">Zoom in to see it</p>}
      {!drawn && <p class="note">{geometryKind === "none" ? "Table only" : "No position yet: table only"}</p>}
      {on && maxZoom && <p class="note">{`${synthetic ? "Invented positions: the" : "The"} zoom stops at ${maxZoom}`}</p>}
    </li>
  );
}

function Strip() {
  const drawn = (state.collections.value ?? []).filter(state.isDrawn);
  return (
    <ul class="strip">
      {drawn.map((each) => {
        const on = (state.shown.value ?? []).includes(each.id);
        const words = each.itemCount < 0 ? each.title : `${each.title}, ${plural(each.itemCount, "feature")}`;
        return (
          <li key={each.id}>
            <button type="button" aria-pressed={on} aria-label={words} title={each.title} onClick={() => toggleLayer(each)}>
              <Swatch collection={each} />
            </button>
          </li>
        );
      })}
    </ul>
  );
}
