// What is read off the map: the key to circles and lines, the scale, the grid reference. Loaded once the map shows.
import { count, scaleBar } from "../format.ts";
import { position } from "../gridref.ts";
import { looks } from "../map/looks.ts";
import { palette } from "../map/palette.ts";
import { clusterRadius } from "../map/points.ts";
import * as state from "../state.ts";
import { FlowKey } from "./late.ts";

export function Corner() {
  return (
    <>
      <CircleKey />
      {state.flowsOn.value && <FlowKey />}
      <Scale />
    </>
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

const FINE_FROM_ZOOM = 13;

/** Where the pointer is, or else the middle of the map. */
export function Readout() {
  const view = state.view.value;
  const at = state.pointer.value ?? view;
  return (
    <>
      <span class="what">{state.pointer.value ? "Pointer" : "Centre"}</span>
      {at && view && <span>{position(at.lon, at.lat, view.zoom >= FINE_FROM_ZOOM ? 8 : 6)}</span>}
    </>
  );
}
