// Details of the selected feature: over the map at the right, a sheet on narrow screens.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { clearSelection, say, select, selectFromStack, zoomTo } from "../actions.ts";
import { BASE, getItem, itemPath } from "../api/client.ts";
import { fieldTitle, isNumeric, loadFields, reference, repeatsId, value } from "../fields.ts";
import * as format from "../format.ts";
import { gridReference, position } from "../gridref.ts";
import * as state from "../state.ts";
import { BackIcon, CopyIcon, NextIcon, OpenIcon } from "./drawerIcons.tsx";
import { CloseIcon, FitIcon } from "./icons.tsx";
import { SyntheticTag } from "./LayersPanel.tsx";
import { PlaceLines } from "./late.ts";
import { Swatch } from "./Swatch.tsx";


export function Drawer() {
  const heading = useRef<HTMLHeadingElement>(null);
  const panel = useRef<HTMLElement>(null);
  const item = state.selected.value;
  const ref = state.selection.value;
  const collection = ref ? state.byId.value.get(ref.collection) : undefined;

  // The focus comes here only if the selection was made by keyboard, and goes back where it came from.
  useLayoutEffect(() => {
    const cameFrom = document.activeElement;
    const mine = panel.current;
    return () => {
      const here = document.activeElement;
      if (here !== null && here !== document.body && !mine?.contains(here)) return;
      if (cameFrom instanceof HTMLElement && cameFrom.isConnected) cameFrom.focus();
    };
  }, []);
  useEffect(() => {
    if (ref) void loadFields(ref.collection);
  }, [ref?.collection]);
  useEffect(() => {
    if (item && state.selectedByKeyboard.value) heading.current?.focus();
  }, [item]);

  return (
    <aside class="drawer" aria-label="Details" ref={panel}>
      <div class="drawer-head">
        <p class="kind">
          {collection && <Swatch collection={collection} />}
          {collection?.title ?? ref?.collection}
          {collection?.synthetic && <SyntheticTag />}
        </p>
        <button type="button" class="bare" aria-label="Close the details" onClick={clearSelection}>
          <CloseIcon />
        </button>
      </div>
      <div class="drawer-body">
        <h2 ref={heading} tabIndex={-1}>
          {item ? (legName(item) ?? format.label(item, collection)) : "\u00a0"}
        </h2>
        {item && <Place item={item} />}
        <Stack />
        {item && state.isLineEnd(item.collection) && state.byId.value.has("flows") && <PlaceLines />}
        {item && <Properties item={item} />}
      </div>
    </aside>
  );
}

const COPIED_FOR_MS = 2000;

function Place({ item }: { item: state.Selected }) {
  const [copied, setCopied] = useState(false);
  const box = format.extent(item.geometry);
  if (!box) return <p class="place">No place recorded</p>;
  const isPoint = item.geometry?.type === "Point";
  const [lon, lat] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
  const text = position(lon, lat, isPoint ? 8 : 6);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    say("Grid reference copied");
    setTimeout(() => setCopied(false), COPIED_FOR_MS);
  };
  const name = gridReference(lon, lat) ? "grid reference" : "position";
  return (
    <>
      <p class="place">
        {!isPoint && <span class="what">Middle </span>}
        <span class="reference">{text}</span>
        {navigator.clipboard && (
          <button type="button" class="bare" aria-label={`Copy the ${name}`} onClick={copy}>
            <CopyIcon />
          </button>
        )}
        {copied && <span class="what">copied</span>}
      </p>
      <p class="actions">
        {state.hasMap.value && (
          <button type="button" class="button main-button" onClick={() => zoomTo(item)}>
            <FitIcon />
            Zoom to it
          </button>
        )}
        <a class="button" href={BASE + itemPath(item.collection, item.id)} target="_blank" rel="noopener">
          <OpenIcon />
          Open as GeoJSON
        </a>
      </p>
    </>
  );
}

/** Several features under one click: which of them this is, and the way to the others. */
function Stack() {
  const stack = state.stack.value;
  if (!stack) return null;
  const { refs, at } = stack;
  const go = (to: number) => () => void selectFromStack(refs, to);
  return (
    <div class="stack" role="group" aria-label="Features at this place">
      <span>
        {format.count(at + 1)} of {format.count(refs.length)} here
      </span>
      <button type="button" class="bare" aria-label="The one before" disabled={at === 0} onClick={go(at - 1)}>
        <BackIcon />
      </button>
      <button type="button" class="bare" aria-label="The next one" disabled={at + 1 >= refs.length} onClick={go(at + 1)}>
        <NextIcon />
      </button>
    </div>
  );
}

/** A leg has no name of its own: it is called by its ends. */
function legName({ collection, properties: { hub, town } }: state.Selected): string | null {
  const [from, to] = [value(hub, "hub", undefined, true), value(town, "town", undefined, true)];
  return collection === "legs" && from !== null && to !== null ? `${from} to ${to}` : null;
}

/** The feature that a property names: a button with its name, which selects it. */
function Reference({ to }: { to: state.FeatureRef }) {
  const [name, setName] = useState<string | null>(null);
  useEffect(() => {
    const mine = new AbortController();
    setName(null);
    getItem(to.collection, to.id, mine.signal).then(
      (item) => setName(format.name(item, state.byId.value.get(to.collection)) ?? "Show it"),
      // It is not there for this role: there is nothing to show.
      () => undefined,
    );
    return () => mine.abort();
  }, [to.collection, to.id]);
  if (name === null) return <>–</>;
  return (
    <button type="button" class="link" onClick={(event) => select(to, event.detail === 0)}>
      {name}
    </button>
  );
}

function Properties({ item }: { item: state.Selected }) {
  const fields = state.fields.value[item.collection] ?? {};
  const collection = state.byId.value.get(item.collection);
  const label = collection?.labelField;
  const inWords = (name: string): string | null =>
    value(item.properties[name], name, fields[name], collection?.class !== "layer");
  const names = Object.keys(item.properties).filter((name) => name !== label && !repeatsId(name, item));
  const known = names.flatMap((name) => {
    const text = inWords(name);
    const to = collection?.class === "layer" ? null : reference(item.properties[name], name);
    return text === null ? [] : [[name, to ? <Reference to={to} /> : text] as const];
  });
  const missing = names.filter((name) => inWords(name) === null);
  const id = String(item.id);
  const idIsShown = format.isRandomId(id) || Object.values(item.properties).some((each) => String(each) === id);
  return (
    <>
      <dl class="properties">
        {known.map(([name, text]) => (
          <div key={name}>
            <dt>{fieldTitle(name, fields[name])}</dt>
            <dd class={isNumeric(fields[name]) ? "number" : ""}>{text}</dd>
          </div>
        ))}
        {!idIsShown && (
          <div>
            <dt>Identifier</dt>
            <dd class="identifier">{id}</dd>
          </div>
        )}
      </dl>
      {missing.length > 0 && (
        <p class="missing">Not recorded: {missing.map((name) => fieldTitle(name, fields[name])).join(", ")}</p>
      )}
    </>
  );
}
