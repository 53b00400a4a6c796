import { beforeEach, describe, expect, it } from "vitest";
import type { Collection } from "./api/client.ts";
import * as state from "./state.ts";

const collection = (id: string, kind: Collection["class"], more: Partial<Collection> = {}): Collection => ({
  id,
  title: id,
  itemCount: 1,
  geometryKind: "point",
  class: kind,
  dataVersion: "1",
  extent: { spatial: { bbox: [[-8, 49, 2, 61]], crs: "" } },
  ...more,
});

beforeEach(() => {
  state.collections.value = [
    collection("places", "reference"),
    collection("mine", "layer"),
    collection("stations", "reference"),
    collection("hubs", "register"),
  ];
  state.shown.value = null;
  state.tableWanted.value = null;
  state.appearance.value = "system";
  state.systemDark.value = false;
  state.requests.value = 0;
  state.mapLoading.value = false;
});

const ids = (list: Collection[]): string[] => list.map(({ id }) => id);

describe("the layers that are on", () => {
  it("are none as long as nobody has said which", () => {
    expect(state.shownCollections.value).toEqual([]);
    expect(state.tableCollection.value).toBeNull();
  });
  it("have the order of the list, not of the address, and leave out what does not exist", () => {
    state.shown.value = ["stations", "gone", "places"];
    expect(ids(state.shownCollections.value)).toEqual(["places", "stations"]);
  });
  it("are listed with what is worked on before what it stands on", () => {
    state.shown.value = ["places", "mine", "stations", "hubs"];
    expect(ids(state.listedCollections.value)).toEqual(["hubs", "mine", "places", "stations"]);
  });
});

describe("the layer in the table", () => {
  it("is the wanted one while it is on, else the first that is", () => {
    state.shown.value = ["places", "mine"];
    expect(state.tableCollection.value?.id).toBe("mine");
    state.tableWanted.value = "places";
    expect(state.tableCollection.value?.id).toBe("places");
    state.shown.value = ["mine"];
    expect(state.tableCollection.value?.id).toBe("mine");
    state.shown.value = [];
    expect(state.tableCollection.value).toBeNull();
  });
});

describe("dark", () => {
  it("follows the system until somebody chooses", () => {
    expect(state.dark.value).toBe(false);
    state.systemDark.value = true;
    expect(state.dark.value).toBe(true);
    state.appearance.value = "light";
    expect(state.dark.value).toBe(false);
    state.systemDark.value = false;
    state.appearance.value = "dark";
    expect(state.dark.value).toBe(true);
  });
});

describe("busy", () => {
  it("is so for requests and for the map", () => {
    expect(state.busy.value).toBe(false);
    state.requests.value = 1;
    expect(state.busy.value).toBe(true);
    state.requests.value = 0;
    state.mapLoading.value = true;
    expect(state.busy.value).toBe(true);
  });
});

describe("isDrawn", () => {
  it("needs a geometry and an extent", () => {
    expect(state.isDrawn(collection("a", "layer"))).toBe(true);
    expect(state.isDrawn(collection("a", "layer", { geometryKind: "none" }))).toBe(false);
    expect(state.isDrawn(collection("a", "layer", { extent: {} }))).toBe(false);
  });
});
