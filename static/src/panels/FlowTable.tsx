// The lines between places as a table: what the map draws of them, the strongest first. It needs no map.
import { useEffect } from "preact/hooks";
import { select } from "../actions.ts";
import type { FlowPlace, Flows } from "../api/flows.ts";
import { chosen, flows, hoveredLine, keepFlows, loadingFlows, today } from "../flows.ts";
import { count } from "../format.ts";
import { placeKey } from "../map/flows/picture.ts";
import { dayInWords, shownInWords } from "../map/flows/words.ts";
import { type Sort, sorted } from "../rows.ts";
import * as state from "../state.ts";
import { TableHead } from "./TableHead.tsx";

interface Row {
  key: string;
  from: FlowPlace;
  to: FlowPlace;
  lines: number;
  trips: number | null;
  minutes: number | null;
}

interface Column {
  key: string;
  title: string;
  numeric: boolean;
  read: (row: Row) => string | number | null;
}

const COLUMNS: Column[] = [
  { key: "origin", title: "Origin", numeric: false, read: ({ from }) => from.label },
  { key: "destination", title: "Destination", numeric: false, read: ({ to }) => to.label },
  { key: "lines", title: "Lines", numeric: true, read: ({ lines }) => lines },
  { key: "trips", title: "Journeys a week", numeric: true, read: ({ trips }) => (trips === null ? null : Math.round(trips)) },
  { key: "minutes", title: "Rail minutes", numeric: true, read: ({ minutes }) => minutes },
];

function rowsOf({ places, flows: pairs }: Flows): Row[] {
  return pairs.flatMap(({ origin, destination, lines, trips_per_week: trips, minutes }) => {
    const [from, to] = [places[origin], places[destination]];
    return from && to ? [{ key: `${placeKey(from)}>${placeKey(to)}`, from, to, lines, trips, minutes }] : [];
  });
}

export function FlowTable({ sort, setSort }: { sort: Sort; setSort: (sort: Sort) => void }) {
  useEffect(keepFlows, []);
  const answer = flows.value;
  if (!answer) {
    const failed = state.failures.value.find(({ key }) => key === "flows");
    return failed ? <p class="count-line failure">{failed.text}</p> : <p class="count-line">{"\u00a0"}</p>;
  }
  const column = COLUMNS.find(({ key }) => key === sort?.by);
  const rows = sorted(rowsOf(answer), column ? sort : null, (row) => column?.read(row));
  return (
    <>
      <p class="count-line" aria-live="polite">
        <b>Active on {dayInWords(answer.reference_date ?? today())}:</b> {shownInWords(answer, "listed")}
      </p>
      <div class={`table-scroll${loadingFlows.value ? " old" : ""}`} tabIndex={0} role="region" aria-label="Rows">
        <table>
          <thead>
            <tr>
              {COLUMNS.map((each) => (
                <TableHead key={each.key} column={each} sort={sort} setSort={setSort} />
              ))}
            </tr>
          </thead>
          <tbody
            onPointerLeave={() => {
              hoveredLine.value = null;
            }}
          >
            {rows.map((row) => (
              <FlowRow key={row.key} row={row} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function FlowRow({ row }: { row: Row }) {
  const light = (): void => {
    hoveredLine.value = row.key;
  };
  const onMap = state.hoveredFeature.value;
  const isLit = onMap?.collection === "flows" && onMap.id === row.key;
  const here = chosen.value;
  const isChosen = here !== null && [row.from, row.to].some((end) => placeKey(end) === placeKey(here));
  return (
    <tr class={`${isLit ? "lit" : ""}${isChosen ? " chosen" : ""}`.trim()} onPointerEnter={light} onClick={() => {
        const { collection, id } = row.to;
        if (id !== null) select({ collection, id }, false);
      }}>
      <th scope="row">
        <End place={row.from} onFocus={light} />
      </th>
      <td class="end">
        <End place={row.to} onFocus={light} />
      </td>
      <td class="number">{count(row.lines)}</td>
      <td class="number">{row.trips === null ? <span class="unknown">–</span> : count(row.trips)}</td>
      <td class="number">{row.minutes === null ? <span class="unknown">–</span> : count(row.minutes)}</td>
    </tr>
  );
}

function End({ place: { collection, id, label }, onFocus }: { place: FlowPlace; onFocus: () => void }) {
  const here = chosen.value;
  // An end that is not known is no feature.
  if (id === null) return <span>{label}</span>;
  return (
    <button
      type="button"
      aria-pressed={here?.collection === collection && here.id === id}
      onFocus={onFocus}
      onBlur={() => {
        hoveredLine.value = null;
      }}
      onClick={(event) => {
        event.stopPropagation();
        // A click made by a key has no pointer position.
        select({ collection, id }, event.detail === 0);
      }}
    >
      {label}
    </button>
  );
}
