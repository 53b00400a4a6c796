import { beforeEach, describe, expect, it } from "vitest";
import { choose } from "./actions.ts";
import type { SearchResult } from "./api/client.ts";
import * as state from "./state.ts";

const found = (more: Partial<SearchResult>): SearchResult => ({
  kind: "feature",
  collection: "lines",
  id: "l1",
  label: "Line",
  detail: "",
  ...more,
});

beforeEach(() => {
  state.camera.value = null;
  state.selection.value = null;
  state.mark.value = null;
});

describe("a chosen search result", () => {
  it("without geometry opens its details and moves nothing", () => {
    choose(found({}), false);
    expect(state.selection.value).toEqual({ collection: "lines", id: "l1" });
    expect(state.camera.value).toBeNull();
  });
  it("with a box is brought into sight whole", () => {
    choose(found({ lon: -1, lat: 51, bbox: [-2, 50, 0, 52] }), true);
    expect(state.camera.value).toEqual({ do: "fit", box: [-2, 50, 0, 52], deepest: 12 });
  });
  it("that is a point is gone to", () => {
    choose(found({ lon: -1, lat: 51, zoom: 12 }), false);
    expect(state.camera.value).toEqual({ do: "go", lon: -1, lat: 51, zoom: 12 });
  });
  it("that is no feature is marked", () => {
    const { collection, id, ...square } = found({ kind: "grid-reference", lon: -1, lat: 51, zoom: 14 });
    expect([collection, id]).toEqual(["lines", "l1"]);
    choose(square, false);
    expect(state.mark.value).toEqual({ lon: -1, lat: 51, label: "Line" });
    expect(state.selection.value).toBeNull();
  });
});
