// Between the lines between places (flows.ts), the selection and the map: what is drawn and what is under the pointer.
import { computed, effect } from "@preact/signals";
import { fail } from "../../actions.ts";
import { chosen, flows, hoveredLine, keepFlows, keepOwn, own } from "../../flows.ts";
import * as state from "../../state.ts";
import type { MapHandle } from "../map.ts";
import { palette } from "../palette.ts";
import type { FlowPicture, Hit } from "../types.ts";
import { FlowLayer } from "./layer.ts";
import { markData, markLayers, writtenHere } from "./marks.ts";
import { type Picture, picture } from "./picture.ts";
import { pairInWords, strengthInWords } from "./words.ts";

export function startFlowPicture(map: MapHandle): void {
  const layer = new FlowLayer((reason) =>
    fail("flows-card", `The lines between places cannot be drawn here (${reason}). The table has them.`),
  );
  const drawn = computed((): Picture | null => {
    if (!state.flowsOn.value || !flows.value) return null;
    return picture(flows.value, own.value, chosen.value);
  });
  effect(() => {
    const now = drawn.value;
    if (now) layer.set(now.flows, state.dark.value, palette(state.dark.value).land);
    map.repaint();
  });
  effect(() => map.setFlows(drawn.value && flowPicture(drawn.value, layer)));
  effect(() => {
    state.ends.value = new Map(drawn.value?.places.map(({ key, lon, lat }) => [key, [lon, lat]]));
  });
  effect(() => {
    const onMap = state.hoveredFeature.value;
    const key = hoveredLine.value ?? (onMap?.collection === "flows" ? onMap.id : null);
    // The lines may be others by now.
    void drawn.value;
    if (layer.hover(key)) map.repaint();
  });
  keepFlows();
  keepOwn();
}

function flowPicture(now: Picture, layer: FlowLayer): FlowPicture {
  const labelField = state.byId.peek().get("places")?.labelField ?? "name";
  return {
    data: markData(now),
    layers: markLayers,
    lines: layer,
    written: writtenHere(now, labelField),
    hit: (x, y, reach) => hitOf(layer, x, y, reach),
  };
}

/** A line stands for its destination: that is what a click on it selects. */
function hitOf(layer: FlowLayer, x: number, y: number, reach: number): Hit | null {
  const flow = layer.at(x, y, reach);
  if (!flow) return null;
  const { collection, id, lon, lat } = flow.to;
  // An end that is not known is no feature to select.
  if (id === null) return null;
  const properties = { title: pairInWords(flow), detail: strengthInWords(flow), line: flow.key };
  return { ref: { collection, id }, properties, count: 1, lon, lat };
}
