// State <-> URL fragment: `#v=lon,lat,zoom&l=stations,places&s=stations:WAT&tab=table`. Ids only, no names.
import type { FeatureRef, View } from "./state.ts";

export interface Permalink {
  view: View | null;
  /** Null: nothing is said about layers, so the usual ones are on. */
  layers: string[] | null;
  selection: FeatureRef | null;
  table: boolean;
  tableLayer: string | null;
}

const enc = (text: string): string => encodeURIComponent(text).replaceAll("%20", "+");

function dec(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", "%20"));
  } catch {
    return text;
  }
}

export function write(link: Permalink): string {
  const parts: string[] = [];
  if (link.view) {
    const { lon, lat, zoom } = link.view;
    // Five decimals are a metre: enough at the deepest zoom.
    parts.push(`v=${Number(lon.toFixed(5))},${Number(lat.toFixed(5))},${Number(zoom.toFixed(2))}`);
  }
  if (link.layers) parts.push(`l=${link.layers.map(enc).join(",")}`);
  if (link.selection) parts.push(`s=${enc(link.selection.collection)}:${enc(link.selection.id)}`);
  if (link.table) parts.push(link.tableLayer ? `tab=table:${enc(link.tableLayer)}` : "tab=table");
  return parts.length > 0 ? `#${parts.join("&")}` : "";
}

function readView(text: string): View | null {
  const [lon, lat, zoom, ...rest] = text.split(",").map(Number);
  if (lon === undefined || lat === undefined || zoom === undefined || rest.length > 0) return null;
  const sane = Math.abs(lon) <= 180 && Math.abs(lat) <= 85 && zoom >= 0 && zoom <= 24;
  return sane ? { lon, lat, zoom } : null;
}

/** Reads a fragment. What cannot be read is as if it were not there. */
export function read(fragment: string): Permalink {
  const link: Permalink = { view: null, layers: null, selection: null, table: false, tableLayer: null };
  for (const part of fragment.replace(/^#/, "").split("&")) {
    const at = part.indexOf("=");
    if (at < 0) continue;
    const key = part.slice(0, at);
    const value = part.slice(at + 1);
    if (key === "v") {
      link.view = readView(value);
    } else if (key === "l") {
      link.layers = value.split(",").filter(Boolean).map(dec);
    } else if (key === "s") {
      const colon = value.indexOf(":");
      const collection = dec(value.slice(0, colon));
      const id = dec(value.slice(colon + 1));
      if (colon > 0 && id) link.selection = { collection, id };
    } else if (key === "tab") {
      const [tab, layer] = value.split(":");
      link.table = tab === "table";
      link.tableLayer = link.table && layer ? dec(layer) : null;
    }
  }
  return link;
}
