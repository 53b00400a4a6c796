// Lines of the selected hub, town, force or region: where they come from and where they go. A part of the details.
import { useEffect, useState } from "preact/hooks";
import { select } from "../actions.ts";
import type { Flows } from "../api/flows.ts";
import { day, hoveredLine, keepPlaceLines, placeLines } from "../flows.ts";
import { count } from "../format.ts";
import { placeKey } from "../map/flows/picture.ts";
import { type Row, byPlace, countsTwice, dayInWords, sumInWords } from "../map/flows/words.ts";
import * as state from "../state.ts";

const FIRST = 12;

export function PlaceLines() {
  useEffect(keepPlaceLines, []);
  const ref = state.selection.value;
  const have = placeLines.value;
  if (!have || !ref || have.ref.id !== ref.id || have.ref.collection !== ref.collection) {
    return <section class="place-lines" aria-label="Lines of this place" aria-busy="true" />;
  }
  const { into, out, failure } = have;
  const date = into?.reference_date ?? out?.reference_date ?? day.value;
  const some = [into, out].some((each) => (each?.flows.length ?? 0) > 0);
  return (
    <section class="place-lines" aria-label="Lines of this place">
      <h3>
        Lines {date && <span>active on {dayInWords(date)}</span>}
      </h3>
      {failure !== null ? (
        <p class="failure" role="alert">
          The lines of this place could not be read: {failure}. The rest still works.
        </p>
      ) : (
        !some && <p class="none">No line was active on this day.</p>
      )}
      {into && <List key={`in ${placeKey(ref)}`} title="Fed by" answer={into} end="origin" />}
      {out && <List key={`out ${placeKey(ref)}`} title="Feeds" answer={out} end="destination" />}
    </section>
  );
}

function List({ title, answer, end }: { title: string; answer: Flows; end: "origin" | "destination" }) {
  const [all, setAll] = useState(false);
  const rows = byPlace(answer, end);
  if (rows.length === 0) return null;
  const most = rows[0]?.lines ?? 1;
  return (
    <>
      <h4>
        {title} <span>{sumInWords(answer, end)}</span>
      </h4>
      <ul>
        {rows.slice(0, all ? undefined : FIRST).map((row) => (
          <Place key={placeKey(row.place)} row={row} most={most} isRing={end === "origin"} />
        ))}
      </ul>
      {rows.length > FIRST && !all && (
        <button type="button" class="button" onClick={() => setAll(true)}>
          Show all {count(rows.length)}
        </button>
      )}
      {end === "origin" && countsTwice(answer) && <p class="none">A line that goes to several towns is counted for each of them.</p>}
    </>
  );
}

function Place({ row: { place, lines }, most, isRing }: { row: Row; most: number; isRing: boolean }) {
  const { collection, id, label } = place;
  const here = state.selection.value;
  const light = (): void => {
    if (here) hoveredLine.value = isRing ? `${placeKey(place)}>${placeKey(here)}` : `${placeKey(here)}>${placeKey(place)}`;
  };
  const dark = (): void => {
    hoveredLine.value = null;
  };
  return (
    <li>
      <button
        type="button"
        onPointerEnter={light}
        onPointerLeave={dark}
        onFocus={light}
        onBlur={dark}
        // A click made by a key has no pointer position.
        onClick={(event) => {
          if (id !== null) select({ collection, id }, event.detail === 0);
        }}
        // An end that is not known is no feature.
        disabled={id === null}
      >
        <span class={isRing ? "ring" : "dot"} aria-hidden="true" />
        <span class="label">{label}</span>
        <span class="bar" aria-hidden="true">
          <span style={{ width: `${(100 * lines) / most}%` }} />
        </span>
        <span class="lines">
          {count(lines)}
          <span class="unseen"> {lines === 1 ? "line" : "lines"}</span>
        </span>
      </button>
    </li>
  );
}
