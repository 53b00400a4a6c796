// The table beside the map: for each layer that is on, what of it is in view. The map in words.
import { useEffect, useRef, useState } from "preact/hooks";
import { fitCollection, select } from "../actions.ts";
import type { Collection, Item } from "../api/client.ts";
import { fieldTitle, isNumeric, reference, repeatsId, value } from "../fields.ts";
import { loadingFlows } from "../flows.ts";
import * as format from "../format.ts";
import { position } from "../gridref.ts";
import { drawnFrom } from "../map/looks.ts";
import { type Sort, loadMore, loadRows, loadingRows, rows, sorted } from "../rows.ts";
import * as state from "../state.ts";
import { CloseIcon } from "./icons.tsx";
import { FlowTable } from "./FlowTable.tsx";
import { Swatch } from "./Swatch.tsx";
import { TableHead } from "./TableHead.tsx";

const ASK_AFTER_MS = 150;
const NAME = "\u0000name";
const PLACE = "\u0000place";

export function TablePanel() {
  const collection = state.tableCollection.value;
  const bounds = state.bounds.value;
  const waiting = state.hasMap.value && !bounds;
  const isFlows = collection?.id === "flows";
  const [sort, setSort] = useState<Sort>(null);

  useEffect(() => {
    if (!collection || isFlows || waiting) return undefined;
    // Not while the map is still on its way.
    const timer = setTimeout(() => loadRows(collection.id, bounds), rows.value ? ASK_AFTER_MS : 0);
    return () => clearTimeout(timer);
  }, [collection?.id, bounds?.join(), waiting]);
  useEffect(() => setSort(null), [collection?.id]);

  return (
    <section class="table-panel" aria-label="Table">
      <div class="table-head">
        <Tabs current={collection} />
        <button
          type="button"
          class="bare"
          aria-label="Close the table"
          onClick={() => {
            state.tableOpen.value = false;
          }}
        >
          <CloseIcon />
        </button>
      </div>
      {collection ? (
        <div
          id="table-rows"
          class="table-body"
          role="tabpanel"
          aria-label={collection.title}
          aria-busy={isFlows ? loadingFlows.value : loadingRows.value}
        >
          {isFlows ? (
            <FlowTable sort={sort} setSort={setSort} />
          ) : (
            <>
              <CountLine collection={collection} sorted={sort !== null} />
              <Grid collection={collection} sort={sort} setSort={setSort} />
            </>
          )}
        </div>
      ) : (
        <p class="hint">No layer is on. Switch one on to see its rows here.</p>
      )}
    </section>
  );
}

function Tabs({ current }: { current: Collection | null }) {
  const list = useRef<HTMLDivElement>(null);
  const on = state.listedCollections.value;
  const show = (collection: Collection | undefined): void => {
    if (collection) state.tableWanted.value = collection.id;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0 || !current) return;
    event.preventDefault();
    const at = (on.indexOf(current) + step + on.length) % on.length;
    show(on[at]);
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[at]?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Layers in the table" ref={list} onKeyDown={onKeyDown}>
      {on.map((each) => (
        <button
          key={each.id}
          type="button"
          role="tab"
          aria-selected={each === current}
          aria-controls={each === current ? "table-rows" : undefined}
          tabIndex={each === current ? 0 : -1}
          onClick={() => show(each)}
        >
          <Swatch collection={each} />
          {each.title}
        </button>
      ))}
    </div>
  );
}

function CountLine({ collection, sorted: isSorted }: { collection: Collection; sorted: boolean }) {
  const have = rows.value;
  const where = state.bounds.value && state.isDrawn(collection) ? "in view" : "in all";
  const tooFar = state.hasMap.value && (state.view.value?.zoom ?? 0) < drawnFrom(collection.id);
  if (!have || have.collection !== collection.id) return <p class="count-line">{"\u00a0"}</p>;
  if (have.failure) {
    return (
      <p class="count-line failure" role="alert">
        The rows of {collection.title} could not be read: {have.failure}. The map still works.
      </p>
    );
  }
  const all = have.items.length >= have.matched;
  return (
    <p class="count-line" aria-live="polite">
      <b>
        {format.count(have.matched)} {where}
      </b>
      {!all && `, ${format.count(have.items.length)} shown`}
      {isSorted && !all && `, sorted among the ${format.count(have.items.length)} shown`}
      {tooFar && " · zoom in to see them on the map"}
    </p>
  );
}

interface Column {
  key: string;
  title: string;
  numeric: boolean;
  read: (item: Item) => unknown;
  show: (item: Item) => string | null;
}

function columnsOf(collection: Collection): Column[] {
  const fields = state.fields.value[collection.id] ?? {};
  const first = rows.value?.items[0];
  const names = [...new Set([...Object.keys(fields), ...Object.keys(first?.properties ?? {})])];
  // A random identifier of another feature says nothing here; the details name that feature.
  const isReference = (name: string): boolean =>
    collection.class !== "layer" && (rows.value?.items ?? []).some((item) => reference(item.properties[name], name));
  const others = names.filter((name) => name !== collection.labelField && !repeatsId(name, first) && !isReference(name));
  const place: Column = { key: PLACE, title: "Place", numeric: false, read: placeOf, show: placeOf };
  // A random identifier names nothing to a reader: such rows begin with where they are.
  if (collection.labelField === undefined && format.isRandomId(first?.id)) {
    return [{ ...place, key: NAME }, ...others.map((name) => column(name, collection))];
  }
  return [
    {
      key: NAME,
      title: collection.labelField ? fieldTitle(collection.labelField, fields[collection.labelField]) : "Identifier",
      numeric: false,
      read: (item) => format.label(item, collection),
      show: (item) => format.label(item, collection),
    },
    ...others.map((name) => column(name, collection)),
    place,
  ];
}

function column(name: string, collection: Collection): Column {
  const field = state.fields.value[collection.id]?.[name];
  return {
    key: name,
    title: fieldTitle(name, field),
    numeric: isNumeric(field),
    read: (item) => item.properties[name],
    show: (item) => value(item.properties[name], name, field, collection.class !== "layer"),
  };
}

function placeOf(item: Item): string | null {
  const box = format.extent(item.geometry);
  if (!box) return null;
  const middle = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] as const;
  return item.geometry?.type === "Point" ? position(...middle) : `near ${position(...middle, 4)}`;
}

function Grid(props: { collection: Collection; sort: Sort; setSort: (sort: Sort) => void }) {
  const { collection, sort, setSort } = props;
  const have = rows.value;
  if (!have || have.collection !== collection.id || have.failure) return null;
  if (have.items.length === 0) {
    return (
      <p class="hint">
        No row of {collection.title} is in view.{" "}
        {state.isDrawn(collection) && (
          <button type="button" class="button" onClick={() => fitCollection(collection)}>
            Show all of it
          </button>
        )}
      </p>
    );
  }
  const columns = columnsOf(collection);
  const column = columns.find((each) => each.key === sort?.by);
  const items = sorted(have.items, column ? sort : null, (item) => column?.read(item));
  const chosen = state.selection.value?.collection === collection.id ? state.selection.value.id : null;
  const lit = state.hoveredFeature.value?.collection === collection.id ? state.hoveredFeature.value.id : null;
  return (
    <div class={`table-scroll${loadingRows.value ? " old" : ""}`} tabIndex={0} role="region" aria-label="Rows">
      <table>
        <thead>
          <tr>
            {columns.map((each) => (
              <TableHead key={each.key} column={each} sort={sort} setSort={setSort} />
            ))}
          </tr>
        </thead>
        <tbody
          onPointerLeave={() => {
            state.hoveredRow.value = null;
          }}
        >
          {items.map((item) => {
            const id = String(item.id);
            const class_ = `${id === lit ? "lit" : ""}${id === chosen ? " chosen" : ""}`.trim();
            return <Row key={id} item={item} collection={collection} columns={columns} class_={class_} />;
          })}
        </tbody>
      </table>
      {have.next && (
        <p class="more">
          <button type="button" class="button" disabled={loadingRows.value} onClick={loadMore}>
            Show more rows
          </button>
        </p>
      )}
    </div>
  );
}

function Row(props: { item: Item; collection: Collection; columns: Column[]; class_: string }) {
  const { item, collection, columns, class_ } = props;
  const row = useRef<HTMLTableRowElement>(null);
  const isLit = class_.startsWith("lit");
  useEffect(() => {
    if (isLit) row.current?.scrollIntoView({ block: "nearest" });
  }, [isLit]);
  const choose = (byKeyboard: boolean): void =>
    select({ collection: collection.id, id: String(item.id) }, byKeyboard);
  const light = (): void => {
    state.hoveredRow.value = { collection: collection.id, item };
  };
  return (
    <tr ref={row} class={class_} onClick={() => choose(false)} onPointerEnter={light}>
      {columns.map(({ key, numeric, show }) => {
        const text = show(item);
        if (key === NAME) {
          return (
            <th key={key} scope="row">
              <button
                type="button"
                aria-pressed={class_.includes("chosen")}
                onFocus={light}
                onBlur={() => {
                  state.hoveredRow.value = null;
                }}
                onClick={(event) => {
                  event.stopPropagation();
                  // A click made by a key has no pointer position.
                  choose(event.detail === 0);
                }}
              >
                {text ?? "no place"}
              </button>
            </th>
          );
        }
        return (
          <td key={key} class={numeric ? "number" : ""}>
            {text ?? <span class="unknown">{key === PLACE ? "no place" : "–"}</span>}
          </td>
        );
      })}
    </tr>
  );
}
