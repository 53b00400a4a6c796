// The map and what lies on it: buttons, scale, key to circles, preview, failures, drawer; the line under it.
import { useEffect, useRef } from "preact/hooks";
import { WHOLE_COUNTRY, recover } from "../actions.ts";
import { count, plural, scaleBar } from "../format.ts";
import { position } from "../gridref.ts";
import { startMap } from "../map/bridge.ts";
import { clusterRadius } from "../map/layers.ts";
import { looks } from "../map/looks.ts";
import { palette } from "../map/palette.ts";
import * as state from "../state.ts";
import { CloseIcon, HomeIcon, MinusIcon, PlusIcon } from "./icons.tsx";
import { lazyPart } from "./lazy.tsx";

const Drawer = lazyPart(async () => (await import("./Drawer.tsx")).Drawer);

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
            <div class="corner">
              <CircleKey />
              <Scale />
            </div>
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

const WIDEST_PX = 112;

function Scale() {
  const view = state.view.value;
  if (!view) return null;
  // Web Mercator at the middle of the map; tiles of 512 px.
  const metresPerPixel = (Math.cos((view.lat * Math.PI) / 180) * 40_075_016.686) / (512 * 2 ** view.zoom);
  const [upper, lower] = [scaleBar(metresPerPixel, WIDEST_PX, "imperial"), scaleBar(metresPerPixel, WIDEST_PX, "metric")];
  return (
    <div class="scale" role="img" aria-label={`Scale: the upper bar is ${upper.words}, the lower ${lower.words}`}>
      <span style={{ width: `${upper.widthPixels}px` }}>{upper.label}</span>
      <span style={{ width: `${lower.widthPixels}px` }}>{lower.label}</span>
    </div>
  );
}

const KEY_COUNTS = [10, 100, 1_000];

/** What the size of a circle means; only while there are clusters in sight. */
function CircleKey() {
  const [id] = state.clustered.value;
  const collection = id === undefined ? undefined : state.byId.value.get(id);
  if (!collection) return null;
  const look = looks(state.collections.value ?? []).get(collection.id);
  const p = palette(state.dark.value);
  const tone = look?.kind === "plain" ? p.tones[look.tone] : p.rail;
  const several = state.clustered.value.length > 1;
  return (
    <figure class="card key">
      <figcaption>{several ? "Features in a circle" : `${collection.title} in a circle`}</figcaption>
      <ol>
        {KEY_COUNTS.map((each) => {
          const r = clusterRadius(each);
          const side = Math.ceil(2 * r + 4);
          return (
            <li key={each}>
              <svg width={side} height={side} aria-hidden="true">
                <circle cx={side / 2} cy={side / 2} r={r} fill={tone} fill-opacity="0.22" stroke={tone} />
              </svg>
              <span>{count(each)}</span>
            </li>
          );
        })}
      </ol>
    </figure>
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
const FINE_FROM_ZOOM = 13;

function Foot() {
  const view = state.view.value;
  const at = state.pointer.value ?? view;
  const layers = state.shownCollections.value.flatMap(({ attribution }) => attribution ?? []);
  const credits = [...new Set([OSM, ...layers])];
  return (
    <div class="foot">
      <span class="readout">
        <span class="what">{state.pointer.value ? "Pointer" : "Centre"}</span>
        {at && view && <span>{position(at.lon, at.lat, view.zoom >= FINE_FROM_ZOOM ? 8 : 6)}</span>}
      </span>
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
