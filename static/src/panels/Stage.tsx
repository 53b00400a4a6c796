// The map and what lies on it: buttons, scale, key to circles, preview, failures, drawer; the line under it.
import { useEffect, useRef } from "preact/hooks";
import { WHOLE_COUNTRY, recover } from "../actions.ts";
import { plural } from "../format.ts";
import { startMap } from "../map/bridge.ts";
import * as state from "../state.ts";
import { CloseIcon, HomeIcon, MinusIcon, PlusIcon } from "./icons.tsx";
import { Corner, Drawer, Readout } from "./late.ts";

const NO_MAP =
  "This browser cannot draw the map: it has no WebGL 2. Search, details and the tables work all the same.";

export function Stage() {
  const container = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (state.hasMap.value && container.current) startMap(container.current);
  }, []);
  const open = state.selection.value !== null;
  return (
    <div class={`stage${open ? " with-drawer" : ""}${state.hasMap.value ? "" : " without-map"}`}>
      <div class="canvas">
        {state.hasMap.value ? <div id="map" class="map" ref={container} /> : <p class="no-map">{NO_MAP}</p>}
        <BusyBar />
        <Failures />
        {state.hasMap.value && (
          <>
            <Zoom />
            <div class="corner">{state.mapShown.value && <Corner />}</div>
            <PreviewCard />
          </>
        )}
        {open && <Drawer />}
      </div>
      {state.hasMap.value && <Foot />}
    </div>
  );
}

function BusyBar() {
  // The class delays it by CSS: what takes less than 300 ms is not worth a sign.
  return <div class={`busy${state.busy.value ? " on" : ""}`} aria-hidden="true" />;
}

function Failures() {
  return (
    <ul class="failures" aria-label="What failed">
      {state.failures.value.map(({ key, text }) => (
        <li key={key} role="alert">
          <span>{text}</span>
          <button type="button" class="bare" aria-label="Close this message" onClick={() => recover(key)}>
            <CloseIcon />
          </button>
        </li>
      ))}
    </ul>
  );
}

function Zoom() {
  const zoom = (steps: number) => () => {
    state.camera.value = { do: "zoom", steps };
  };
  return (
    <div class="zoom" role="group" aria-label="Zoom">
      <button type="button" aria-label="Zoom in" onClick={zoom(1)}>
        <PlusIcon />
      </button>
      <button type="button" aria-label="Zoom out" onClick={zoom(-1)}>
        <MinusIcon />
      </button>
      <button
        type="button"
        aria-label="Show the whole country"
        onClick={() => {
          state.camera.value = { do: "fit", box: WHOLE_COUNTRY, deepest: 8 };
        }}
      >
        <HomeIcon />
      </button>
    </div>
  );
}

function PreviewCard() {
  const card = state.preview.value;
  if (!card) return null;
  return (
    <div class="preview" aria-hidden="true" style={{ transform: `translate(${card.x}px, ${card.y}px)` }}>
      <div>
        <b>{card.title}</b>
        {card.detail && <span>{card.detail}</span>}
      </div>
    </div>
  );
}

const OSM = "© OpenStreetMap contributors";
function Foot() {
  const layers = state.shownCollections.value.flatMap(({ attribution }) => attribution ?? []);
  const credits = [...new Set([OSM, ...layers])];
  return (
    <div class="foot">
      <span class="readout">{state.mapShown.value && <Readout />}</span>
      {credits.length === 1 ? (
        <span class="credits">{OSM}</span>
      ) : (
        <details class="credits">
          <summary>
            {OSM} and {plural(credits.length - 1, "more source")}
          </summary>
          <ul>
            {credits.map((credit) => (
              <li key={credit}>{credit}</li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
